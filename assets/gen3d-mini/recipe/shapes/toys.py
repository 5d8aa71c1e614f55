"""Toys, games and sport."""

from solids import ball, box, lathe


def chess_piece(r):
    u = r.uniform
    base, high = u(0.2, 0.26), u(0.4, 0.7)
    parts = [
        lathe(
            [
                (0, 0),
                (base, 0),
                (base, 0.07),
                (base * 0.75, 0.14),
                (base * 0.4, 0.25),
                (base * 0.32, high),
                (base * 0.65, high + 0.03),
                (base * 0.35, high + 0.07),
                (0, high + 0.07),
            ]
        )
    ]
    kind = int(r.integers(4))
    if kind == 0:
        parts.append(ball((0, high + 0.17, 0), base * 0.55))
    elif kind == 1:
        parts.append(
            lathe(
                [
                    (0, high + 0.05),
                    (base * 0.5, high + 0.05),
                    (base * 0.6, high + 0.28),
                    (base * 0.4, high + 0.28),
                    (base * 0.4, high + 0.22),
                    (0, high + 0.22),
                ],
                12,
            )
        )
    elif kind == 2:
        parts += [
            lathe(
                [
                    (base * 0.3, high + 0.05),
                    (base * 0.6, high + 0.3),
                    (base * 0.35, high + 0.36),
                    (0, high + 0.36),
                ]
            ),
            box((0, high + 0.44, 0), (0.03, 0.16, 0.03)),
            box((0, high + 0.45, 0), (0.11, 0.03, 0.03)),
        ]
    else:
        parts.append(ball((0, high + 0.2, 0), (base * 0.45, base * 0.8, base * 0.45)))
    return parts


KINDS = {
    "chess piece": chess_piece,
}

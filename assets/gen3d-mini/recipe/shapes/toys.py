"""Toys, games and sport."""

import numpy as np

from shapes.parts import grip, moved, pick, rod
from solids import ball, both, box, grid, lathe, limb, placed, ring, slab, tube


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


def sphere(r):
    """A ball: smooth, with seams, or of panels; a football now and then."""
    u = r.uniform
    form = r.random()
    if form < 0.15:
        z = np.linspace(-1, 1, 13)
        return [
            tube(np.stack([0 * z, 0 * z, z], 1), u(0.5, 0.65) * (1 - z**2) ** 0.7 + 0.01, 14),
            box((0, 0.58, 0), (0.04, 0.06, 0.4)),
        ]
    parts = [ball((0, 0, 0), 1.0, int(r.integers(14, 26)))]
    if form < 0.5:
        parts += [
            ring((0, 0, 0), 1.0, 0.02, a, 26)
            for a in ((0, 0, 1), (1, 0, 0.01), (0, 1, 0))[: int(r.integers(1, 4))]
        ]
    return moved(parts, tilt=u(0, 1))


def golf_ball(r):
    vertices, triangles = ball((0, 0, 0), 1.0, 36)
    n = r.uniform(9, 14)
    dents = np.cos(vertices * n).prod(1, keepdims=True)
    return [(vertices * (1 - 0.04 * np.abs(dents)), triangles)]


def die(r):
    u = r.uniform
    pips = {
        1: [(0, 0)],
        2: [(-1, -1), (1, 1)],
        3: [(-1, -1), (0, 0), (1, 1)],
        4: [(-1, -1), (-1, 1), (1, -1), (1, 1)],
    }
    pips |= {5: pips[4] + [(0, 0)], 6: pips[4] + [(-1, 0), (1, 0)]}
    parts, size = [box((0, 0, 0), (2, 2, 2))], u(0.14, 0.22)
    for number, (turn, tilt) in zip(
        (1, 2, 3, 4, 5, 6), ((0, 0), (1.5708, 0), (0, 1.5708), (0, -1.5708), (-1.5708, 0), (3.1416, 0))
    ):
        parts += [
            placed(rod((0.5 * x, 0.5 * y, 1), size, 0.1, "z", sides=8), turn=turn, tilt=tilt)
            for x, y in pips[number]
        ]
    return moved(parts, turn=u(0, 1.5))


def brick(r):
    u = r.uniform
    w, h, d = u(0.9, 1.1), u(0.25, 0.4), u(0.4, 0.55)
    if r.random() < 0.4:
        return [box((0, 0, 0), (2 * w, 2 * h, 2 * d))]
    bars = [
        box((x * w, 0, 0), (0.12, 2 * h, 2 * d)) for x in np.linspace(-0.95, 0.95, int(r.integers(3, 6)))
    ]
    return bars + [box((0, 0, z), (2 * w, 2 * h, 0.14)) for z in (-d, d)]


def toy_block(r):
    u = r.uniform
    if r.random() < 0.35:
        return pick(
            r,
            [box((0, 0, 0), (1, 1, 1), turn=u(0, 1)), box((0, 0, 0), (0.7, 0.7, 1.06), turn=0)],
            [placed(slab([(-1, 0), (1, 0), (0, u(0.8, 1.5))], u(0.6, 1.2)))],
            [rod((0, 0, 0), u(0.3, 0.6), u(0.8, 2))],
        )
    a, b, h = int(r.integers(1, 4)), int(r.integers(1, 6)), pick(r, 0.4, 1.2)
    parts = [box((0, h / 2, 0), (a, h, b))]
    return parts + [
        rod((x - (a - 1) / 2, h + 0.1, z - (b - 1) / 2), 0.3, 0.2, sides=12)
        for x in range(a)
        for z in range(b)
    ]


def sponge(r):
    u = r.uniform
    w, h, d = u(0.8, 1.1), u(0.2, 0.4), u(0.5, 0.75)
    x = np.linspace(-1, 1, 14)
    top = [[(a * w, h + r.normal() * 0.02, b * d) for a in x] for b in x]
    parts = [box((0, 0, 0), (2 * w, 2 * h, 2 * d)), grid(np.array(top), wrap=False)]
    parts += [
        ball((a * w, h, b * d), (0.06, 0.03, 0.06), 5)
        for a, b in r.uniform(-0.9, 0.9, (int(r.integers(0, 20)), 2))
    ]
    return parts + ([box((0, -h - 0.06, 0), (2.02 * w, 0.12, 2.02 * d))] if r.random() < 0.5 else [])


def puzzle_cube(r):
    twist, gap = r.uniform(0.2, 0.7) if r.random() < 0.6 else 0, r.uniform(0.6, 0.67)
    cells = [-0.68, 0, 0.68]
    return [
        placed(box((x, y, z), (gap, gap, gap)), turn=twist if y > 0.5 else 0)
        for x in cells
        for y in cells
        for z in cells
    ]


def racket(r):
    u = r.uniform
    w, h = u(0.35, 0.42), u(0.45, 0.55)
    parts = [placed(ring((0, 0, 0), 1.0, 0.06, sides=26), (0, h, 0), (w, h, 0.5))]
    for t in np.linspace(-0.85, 0.85, 10):
        e = np.sqrt(1 - t * t)
        parts += [
            limb((w * t, h - h * e, 0), (w * t, h + h * e, 0), 0.006, sides=3),
            limb((-w * e, h + h * t, 0), (w * e, h + h * t, 0), 0.006, sides=3),
        ]
    neck = u(0.15, 0.35)
    return (
        parts
        + both(limb((w * 0.4, 0.06, 0), (0.02, -neck, 0), 0.02, sides=6))
        + [limb((0, -neck, 0), (0, -neck - u(0.35, 0.6), 0), 0.04)]
    )


def paddle_bat(r):
    u = r.uniform
    return [
        placed(rod((0, 0.35, 0), u(0.34, 0.4), 0.06, "z", sides=22), scale=(1, 1.08, 1)),
        box((0, -0.18, 0), (0.1, u(0.4, 0.55), 0.08)),
    ]


def baseball_bat(r):
    u = r.uniform
    parts = [
        lathe(
            [
                (0, -1),
                (0.08, -1),
                (0.08, -0.95),
                (0.04, -0.92),
                (0.045, -0.4),
                (u(0.09, 0.13), 0.4),
                (0.12, 0.9),
                (0.08, 1),
                (0, 1.02),
            ],
            14,
        )
    ]
    return moved(parts, roll=pick(r, 0, 0.6, 1.57))


def dumbbell(r):
    u = r.uniform
    w, t = u(0.25, 0.45), u(0.2, 0.45)
    return [rod((0, 0, 0), 0.07, 1.4, "x")] + both(
        pick(
            r,
            rod((0.6, 0, 0), w, t, "x", sides=6),
            rod((0.6, 0, 0), w, t, "x", sides=18),
            ball((0.65, 0, 0), w),
        )
    )


def bowling_pin(r):
    u = r.uniform
    return [
        lathe(
            [
                (0, -1),
                (0.2, -1),
                (u(0.32, 0.4), -0.4),
                (0.3, 0),
                (u(0.12, 0.17), 0.5),
                (0.2, 0.8),
                (0.14, 0.98),
                (0, 1.03),
            ],
            18,
        )
    ]


def trophy(r):
    u = r.uniform
    w = u(0.3, 0.45)
    parts = [
        box((0, 0.1, 0), (0.5, u(0.15, 0.4), 0.5)),
        lathe(
            [
                (0, 0.2),
                (0.2, 0.2),
                (0.06, 0.35),
                (0.06, 0.55),
                (w * 0.7, 0.75),
                (w, u(1.1, 1.4)),
                (w * 0.92, 1.1),
                (0, 0.7),
            ],
            18,
        ),
    ]
    return parts + (both(grip(w * 0.9, 0.95, 0.2, 0.18, 0.03)) if r.random() < 0.7 else [])


def yoyo(r):
    u = r.uniform
    half = placed(
        lathe(
            [(0, 0.06), (0.2, 0.05), (0.5, u(0.12, 0.2)), (0.52, 0.3), (0.3, u(0.32, 0.4)), (0, 0.35)], 20
        ),
        roll=np.pi / 2,
    )
    return both(half) + [
        rod((0, 0, 0), 0.12, 0.2, "x"),
        tube([(0, 0.12, 0), (0.02, 0.6, 0), (0, u(0.9, 1.4), 0)], 0.015, 4),
    ]


def spinning_top(r):
    u = r.uniform
    return [
        lathe(
            [
                (0, -0.8),
                (0.04, -0.75),
                (0.15, -0.5),
                (u(0.5, 0.7), u(-0.1, 0.1)),
                (0.45, 0.2),
                (0.08, 0.3),
                (0.06, u(0.5, 0.8)),
                (0, 0.8),
            ],
            18,
        )
    ]


def kite(r):
    u = r.uniform
    sheet = slab([(0, 0.7), (u(0.45, 0.6), 0.15), (0, -0.9), (-0.5, 0.15)], 0.02)
    tail = np.stack([0.12 * np.sin(np.linspace(0, 9, 14)), np.linspace(-0.9, -1.9, 14), np.zeros(14)], 1)
    return [sheet, limb((0, 0.7, 0.02), (0, -0.9, 0.02), 0.015, sides=4), tube(tail, 0.012, 4)] + [
        box(tail[i], (0.16, 0.05, 0.02)) for i in (4, 8, 12)
    ]


def rocking_horse(r):
    u = r.uniform
    t = np.linspace(-0.8, 0.8, 9)
    rocker = both(tube(np.stack([0 * t + 0.25, 0.3 - np.cos(t), u(0.9, 1.25) * np.sin(t)], 1), 0.035, 6))
    parts = [
        tube(
            [(0, 0.1, -0.5), (0, 0.12, -0.4), (0, 0.1, 0.3), (0, 0.1, 0.42)],
            [0.1, u(0.17, 0.23), 0.2, 0.1],
            10,
        ),
        limb((0, 0.15, 0.3), (0, 0.65, 0.5), 0.14, 0.09),
        limb((0, 0.65, 0.45), (0, u(0.42, 0.56), u(0.72, 0.85)), 0.11, 0.07),
    ]
    return (
        parts
        + rocker
        + both(
            limb((0.1, 0.05, 0.3), (0.24, -0.65, 0.5), 0.06),
            limb((0.1, 0.05, -0.4), (0.24, -0.65, -0.55), 0.06),
            rod((0.1, 0.55, 0.5), 0.025, 0.2, "x"),
        )
    )


KINDS = {
    "chess piece": chess_piece,
    "ball": sphere,
    "golf ball": golf_ball,
    "die": die,
    "brick": brick,
    "toy block": toy_block,
    "marble": lambda r: [ball((0, 0, 0), r.uniform(0.97, 1.03, 3), int(r.integers(12, 30)))],
    "sponge": sponge,
    "puzzle cube": puzzle_cube,
    "tennis racket": racket,
    "table tennis bat": paddle_bat,
    "baseball bat": baseball_bat,
    "dumbbell": dumbbell,
    "bowling pin": bowling_pin,
    "trophy": trophy,
    "yo-yo": yoyo,
    "spinning top": spinning_top,
    "kite": kite,
    "rocking horse": rocking_horse,
}

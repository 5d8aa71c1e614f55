"""Plants."""

import numpy as np

from shapes.parts import around, leaf, lump, moved, pick
from solids import ball, grid, lathe, limb, placed, tube


def crown_of(r, y, wide, high):
    """Clumps of leaves about the height `y`."""
    u = r.uniform
    n = int(r.integers(1, 9))
    clumps = []
    for _ in range(n):
        s = 1 if n == 1 else u(0.4, 0.7)
        at = np.array([u(-1, 1) * wide, u(-1, 1) * high, u(-1, 1) * wide]) * (1 - s)
        part = lump(r, (wide * s, high * s, wide * s), 0.06)
        clumps.append((part[0] + at + [0, y, 0], part[1]))
    return clumps


def branches(r, base, way, long, thick, depth):
    """A bough that forks."""
    tip = base + way * long
    parts = [limb(base, tip, thick, thick * 0.6, 5)]
    if depth:
        for _ in range(int(r.integers(2, 4))):
            turn = way + r.normal(size=3) * 0.55
            turn[1] += 0.2
            parts += branches(
                r,
                tip - way * long * r.uniform(0, 0.3),
                turn / np.linalg.norm(turn),
                long * r.uniform(0.55, 0.8),
                thick * 0.6,
                depth - 1,
            )
    return parts


def bare_tree(r):
    return branches(
        r,
        np.zeros(3),
        np.array([0, 1.0, 0]),
        r.uniform(0.5, 0.9),
        r.uniform(0.06, 0.12),
        int(r.integers(3, 5)),
    )


def leafy_tree(r):
    u = r.uniform
    stem, wide = u(0.4, 1.2), u(0.4, 0.8)
    high = wide * u(0.6, 1.8)
    thick = u(0.04, 0.12)
    top = np.array([u(-0.1, 0.1), stem, u(-0.1, 0.1)])
    parts = [
        tube(
            [(0, 0, 0), (0, 0.1, 0), top, top + [0, high * 0.6, 0]],
            [thick * 1.7, thick, thick * 0.8, thick * 0.3],
            7,
        )
    ]
    return parts + crown_of(r, stem + high * 0.75, wide, high)


def pine_tree(r):
    u = r.uniform
    n, wide, high = int(r.integers(1, 6)), u(0.35, 0.6), u(1.0, 1.8)
    profile = []
    for i in range(n):
        a, b = i / n, (i + 1) / n
        profile += [(wide * (1 - a * 0.85), 0.25 + high * a), (wide * (1 - b) * 0.6, 0.25 + high * b)]
    return [
        limb((0, 0, 0), (0, 0.4, 0), u(0.05, 0.09)),
        lathe([(0, 0.25), *profile, (0, 0.27 + high)], pick(r, 6, 8, 14)),
    ]


def palm_tree(r):
    u = r.uniform
    high, lean, n = u(1.0, 1.8), u(0, 0.5), int(r.integers(6, 12))
    top = np.array([lean, high, 0])
    parts = [
        tube(
            [(0, 0, 0), (lean * 0.15, high * 0.4, 0), (lean * 0.5, high * 0.75, 0), top],
            [u(0.08, 0.13), 0.07, 0.06, 0.05],
            8,
        )
    ]
    for i in range(n):
        part = placed(
            leaf(u(0.6, 0.9), u(0.15, 0.3), u(0.3, 0.7)), turn=2 * np.pi * i / n + u(-0.2, 0.2), tilt=0
        )
        parts.append((part[0] + top, part[1]))
    return parts + [
        ball(top + [0.08 * np.cos(a), -0.06, 0.08 * np.sin(a)], 0.06, 6)
        for a in (0, 2, 4)[: int(r.integers(0, 4))]
    ]


def bush(r):
    u = r.uniform
    if r.random() < 0.3:
        return around(
            placed(leaf(u(0.6, 0.9), 0.12, u(-0.6, 0.3)), (0, 0.1, 0)), int(r.integers(10, 20))
        ) + around(leaf(0.4, 0.1, -0.8), 8, 0.3)
    return crown_of(r, 0.3, u(0.5, 0.8), u(0.3, 0.5))


def bloom(r, wide):
    """A blossom that looks up, about the origin."""
    u = r.uniform
    form = r.random()
    if form < 0.5:
        n, lift = int(r.integers(5, 13)), u(-0.8, 0.1)
        petals = around(leaf(wide, wide * u(0.4, 0.9), lift * wide), n)
        return petals + [ball((0, 0.01, 0), (wide * u(0.2, 0.4), wide * 0.15, wide * 0.3), 10)]
    if form < 0.8:
        return [
            lathe(
                [
                    (0, -0.1),
                    (wide * 0.5, 0),
                    (wide * 0.6, wide * 0.8),
                    (wide * u(0.4, 0.9), wide * 1.2),
                    (wide * 0.5, wide * 0.8),
                    (0, 0),
                ],
                6,
            )
        ]
    return [lump(r, wide * 0.7, 0.12), *around(leaf(wide, wide * 0.6, -wide * 0.5), 6)]


def flower(r):
    parts = []
    for i in range(int(pick(r, 1, 1, 1, 3, 5))):
        u = r.uniform
        top = np.array([u(-0.4, 0.4) * min(i, 1), u(0.7, 1.1), u(-0.4, 0.4) * min(i, 1)])
        parts.append(tube([(0, 0, 0), top * [0.3, 0.5, 0.3], top], 0.018, 5))
        tilt = u(-0.2, 1.2)
        parts += moved(bloom(r, u(0.2, 0.35)), top, tilt=tilt)
        parts += [
            placed(leaf(u(0.25, 0.45), 0.12, u(-0.3, 0.15)), top * 0.35, turn=u(0, 6)) for _ in range(2)
        ]
    return parts


def cactus(r):
    u = r.uniform
    form = r.random()
    if form < 0.55:
        w, high = u(0.12, 0.2), u(0.9, 1.3)
        parts = [
            tube([(0, 0, 0), (0, 0.1, 0), (0, high, 0), (0, high + w * 0.7, 0)], [w, w, w, w * 0.5], 10)
        ]
        for s in (-1, 1)[: int(r.integers(0, 3))]:
            y, out, up = u(0.25, 0.6), u(0.3, 0.45), u(0.25, 0.6)
            parts.append(
                tube(
                    [
                        (0, y, 0),
                        (s * out * 0.8, y, 0),
                        (s * out, y + 0.12, 0),
                        (s * out, y + up, 0),
                        (s * out, y + up + 0.08, 0),
                    ],
                    w * np.array([0.6, 0.65, 0.65, 0.65, 0.3]),
                    8,
                )
            )
        return parts
    if form < 0.8:
        t = np.linspace(0, np.pi, 9)
        wave = 1 + 0.1 * (np.arange(24) % 2)
        ang = np.arange(24) * 2 * np.pi / 24
        return [
            grid(
                np.array(
                    [
                        np.stack(
                            [
                                0.5 * wave * np.sin(a) * np.cos(ang),
                                0 * ang - 0.45 * np.cos(a),
                                0.5 * wave * np.sin(a) * np.sin(ang),
                            ],
                            1,
                        )
                        for a in t
                    ]
                )
            )
        ]
    parts = [ball((0, 0.3, 0), (0.22, 0.32, 0.09))]
    for _ in range(int(r.integers(2, 6))):
        parts.append(
            placed(
                ball((0, 0.2, 0), (0.15, 0.22, 0.06), 10),
                (u(-0.15, 0.15), u(0.35, 0.6), 0),
                roll=u(-0.9, 0.9),
            )
        )
    return parts


def mushroom(r):
    u = r.uniform
    parts = []
    for i in range(int(pick(r, 1, 1, 1, 2, 3))):
        high, w, dome, stem = u(0.3, 0.8), u(0.25, 0.55), u(0.12, 0.5), u(0.06, 0.15)
        at = np.array([0.45 * i, 0, u(-0.3, 0.3) * i])
        one = [
            lathe([(0, 0), (stem * u(1, 1.5), 0), (stem, high), (0, high)], 12),
            lathe(
                [
                    (stem, high),
                    (w * 0.9, high - u(0, 0.1)),
                    (w, high + 0.02),
                    (w * 0.85, high + dome * 0.5),
                    (w * 0.5, high + dome * 0.88),
                    (0, high + dome),
                ],
                18,
            ),
        ]
        parts += moved(one, at, u(0.5, 1) if i else 1)
    return parts


def potted_plant(r):
    u = r.uniform
    w, high = u(0.2, 0.35), u(0.25, 0.5)
    pot = pick(
        r,
        lathe(
            [
                (0, 0),
                (w * 0.7, 0),
                (w, high),
                (w * 1.1, high),
                (w * 1.1, high * 1.1),
                (w * 0.85, high),
                (0, high * 0.9),
            ],
            pick(r, 4, 18),
        ),
        lathe([(0, 0), (w, 0), (w * 1.2, high / 2), (w, high), (0, high * 0.9)], 18),
    )
    plant = pick(r, "leaves", "leaves", "tree", "cactus", "flower", "bush", "blades")
    if plant == "leaves":
        n = int(r.integers(6, 16))
        top = [
            placed(leaf(u(0.4, 0.8), u(0.12, 0.3), u(-0.8, 0.4)), (0, u(0, 0.2), 0), turn=2.4 * i)
            for i in range(n)
        ]
    elif plant == "blades":
        top = [
            tube(
                [
                    (0, 0, 0),
                    (u(-0.15, 0.15), 0.4, u(-0.15, 0.15)),
                    (u(-0.4, 0.4), u(0.6, 1.1), u(-0.4, 0.4)),
                ],
                [0.04, 0.035, 0.005],
                4,
            )
            for _ in range(int(r.integers(5, 12)))
        ]
    else:
        make = {"tree": leafy_tree, "cactus": cactus, "flower": flower, "bush": bush}[plant]
        top = moved(make(r), scale=u(0.7, 0.9))
    return [pot] + moved(top, (0, high, 0))


def grass(r):
    u = r.uniform
    return [
        tube(
            [(x, 0, z), (x * 1.2, 0.25, z * 1.2), (x * u(1.2, 2.2), u(0.35, 0.7), z * u(1.2, 2.2))],
            [0.02, 0.016, 0.003],
            3,
        )
        for x, z in r.normal(size=(int(r.integers(12, 40)), 2)) * 0.2
    ]


def stump(r):
    u = r.uniform
    w, high = u(0.3, 0.5), u(0.2, 0.6)
    return [lathe([(0, 0), (w * 1.3, 0), (w * 1.02, 0.15), (w, high), (0, high)], 12)] + around(
        tube([(w * 0.7, 0.15, 0), (w * 1.3, 0.06, 0), (w * 1.9, 0, 0)], [0.14, 0.1, 0.02], 6),
        int(r.integers(2, 6)),
    )


KINDS = {
    "tree": lambda r: pick(r, leafy_tree, leafy_tree, pine_tree, bare_tree, palm_tree)(r),
    "bare tree": bare_tree,
    "pine tree": pine_tree,
    "palm tree": palm_tree,
    "bush": bush,
    "flower": flower,
    "cactus": cactus,
    "mushroom": mushroom,
    "potted plant": potted_plant,
    "grass": grass,
    "tree stump": stump,
}

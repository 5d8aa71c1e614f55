"""Fruit, vegetables and dishes."""

import numpy as np

from shapes.parts import around, leaf, moved, pick, rod
from solids import ball, box, grid, lathe, limb, placed, ring, slab, tube


def round_fruit(r, squash, dimple, stem=True, leafy=0.3):
    u = r.uniform
    t = np.linspace(0, np.pi, 13)
    high, pit = squash * u(0.92, 1.08), dimple * u(0.6, 1.4)
    y = -high * np.cos(t) + pit * (np.exp(-(t**2) * 6) * 0.7 - np.exp(-((np.pi - t) ** 2) * 5))
    bulge = 1 + 0.08 * dimple * np.sin(t) * np.cos(t) * -2
    parts = [lathe(list(zip(np.sin(t) * bulge, y)), 18)]
    top = high - pit
    if stem and r.random() < 0.75:
        parts.append(
            tube(
                [(0, top, 0), (u(-0.05, 0.1), top + 0.2, 0), (u(-0.1, 0.2), top + u(0.25, 0.45), 0)],
                [0.03, 0.025, 0.04],
                5,
            )
        )
    return parts + (
        [placed(leaf(u(0.4, 0.6), 0.25, u(-0.1, 0.2)), (0, top + 0.15, 0), turn=u(0, 6))]
        if r.random() < leafy
        else []
    )


def pear(r):
    u = r.uniform
    neck = u(0.2, 0.35)
    parts = [
        lathe(
            [
                (0, -0.55),
                (0.3, -0.52),
                (0.55, -0.25),
                (0.58, 0.0),
                (0.42, 0.32),
                (neck, 0.62),
                (neck * 0.75, u(0.78, 0.9)),
                (0, 0.88),
            ],
            18,
        )
    ]
    return moved(
        parts + [tube([(0, 0.85, 0), (0.03, 1.0, 0), (u(0, 0.15), 1.1, 0)], 0.025, 5)], roll=u(-0.1, 0.1)
    )


def lemon(r):
    u = r.uniform
    nub = u(0.06, 0.14)
    return [
        placed(
            lathe(
                [
                    (0, -0.75),
                    (nub, -0.7),
                    (0.18, -0.6),
                    (0.42, -0.35),
                    (0.5, 0),
                    (0.42, 0.35),
                    (0.18, 0.6),
                    (nub, 0.7),
                    (0, 0.72),
                ],
                16,
            ),
            roll=pick(r, np.pi / 2, u(0, 3)),
            turn=0,
        )
    ]


def banana(r):
    parts = []
    u = r.uniform
    bend, five = u(0.8, 1.6), u(0.09, 0.14)
    for i in range(int(pick(r, 1, 1, 1, 2, 4))):
        t = np.linspace(-1, 1, 10)
        points = np.stack([np.sin(t * bend) / bend, -np.cos(t * bend) / bend, 0 * t], 1)
        one = tube(points, five * np.array([0.35, 0.4, 0.75, 1, 1.05, 1.05, 1, 0.85, 0.55, 0.25]), 6)
        parts.append(placed((one[0] - points[0], one[1]), turn=0.35 * i))
    return parts


def strawberry(r):
    u = r.uniform
    parts = [
        lathe([(0, -u(0.6, 0.8)), (0.14, -0.55), (0.38, -0.1), (0.46, 0.2), (0.3, 0.38), (0, 0.38)], 14)
    ]
    return (
        parts
        + around(placed(leaf(0.32, 0.16, u(-0.05, 0.2)), (0, 0.4, 0)), int(r.integers(5, 9)))
        + [limb((0, 0.38, 0), (0, u(0.5, 0.65), 0), 0.03, sides=5)]
    )


def pineapple(r):
    u = r.uniform
    w, high = u(0.35, 0.45), u(0.55, 0.75)
    parts, rows = [ball((0, 0, 0), (w, high, w), 14)], 7
    for i in range(rows):
        y = -0.8 + 1.6 * i / (rows - 1)
        rad = w * np.sqrt(1 - y * y * 0.95)
        parts += around(
            limb((rad * 0.9, y * high, 0), (rad + 0.05, y * high + 0.02, 0), 0.09, 0.01, 4), 9, i * np.pi / 9
        )
    for k in range(3):
        parts += around(placed(leaf(0.5 - 0.1 * k, 0.12, -0.4 - 0.25 * k), (0, high * 0.95, 0)), 7, k * 0.4)
    return parts


def pumpkin(r):
    u = r.uniform
    squash, ribs = u(0.55, 0.95), int(r.integers(7, 11))
    a = np.linspace(0, 2 * np.pi, 4 * ribs, endpoint=False)
    wave = 1 - u(0.06, 0.14) * np.cos(a * ribs)
    rows = [
        np.stack(
            [
                np.sin(t) * wave * np.cos(a),
                0 * a - squash * np.cos(t) * (1 - 0.15 * np.abs(np.cos(t)) ** 8),
                np.sin(t) * wave * np.sin(a),
            ],
            1,
        )
        for t in np.linspace(0, np.pi, 11)
    ]
    return [
        grid(np.array(rows)),
        tube(
            [(0, squash * 0.8, 0), (0, squash + 0.1, 0), (u(0, 0.2), squash + u(0.2, 0.35), 0)],
            [0.16, 0.1, 0.12],
            6,
        ),
    ]


def grapes(r):
    parts = [limb((0, 0.5, 0), (0, 0.85, 0), 0.03, sides=5)]
    for y in np.linspace(0.45, -0.6, 7):
        wide = 0.4 * np.clip((y + 0.8) / 1.2, 0.05, 1)
        n = max(1, int(9 * wide / 0.4))
        parts += [
            ball((wide * np.cos(a), y, wide * np.sin(a)), 0.13, 6)
            for a in np.linspace(0, 6.28, n, endpoint=False) + r.uniform(0, 1)
        ]
    return parts


def cherries(r):
    u = r.uniform
    x = u(0.25, 0.45)
    return [
        ball((-x, 0, 0), 0.28),
        ball((x, u(-0.1, 0.1), 0), 0.28),
        tube([(-x, 0.25, 0), (-x * 0.6, 0.7, 0), (0, 1.1, 0)], 0.022, 5),
        tube([(x, 0.25, 0), (x * 0.6, 0.7, 0), (0, 1.1, 0)], 0.022, 5),
    ] + ([placed(leaf(0.5, 0.25, 0.1), (0, 1.1, 0), turn=u(0, 6))] if r.random() < 0.6 else [])


def carrot(r):
    u = r.uniform
    parts = [
        lathe([(0, -1), (0.05, -0.8), (u(0.12, 0.2), 0), (u(0.18, 0.28), 0.5), (0.1, 0.6), (0, 0.6)], 12)
    ]
    parts += [
        tube(
            [(0, 0.55, 0), (u(-0.1, 0.1), 0.9, u(-0.1, 0.1)), (u(-0.3, 0.3), u(1.0, 1.3), u(-0.3, 0.3))],
            [0.03, 0.025, 0.06],
            5,
        )
        for _ in range(int(r.integers(3, 8)))
    ]
    return moved(parts, roll=pick(r, 0, np.pi / 2, np.pi)) if r.random() < 0.6 else parts


def corn(r):
    u = r.uniform
    parts = [lathe([(0, -0.7), (0.2, -0.6), (0.22, 0), (0.16, 0.5), (0.05, 0.75), (0, 0.77)], 12)]
    for y in np.linspace(-0.3, 0.6, 8):
        parts += around(ball((0.2 - 0.08 * max(y, 0), y, 0), 0.06, 4), 9)
    return parts + around(placed(leaf(u(0.7, 1.0), 0.35, -u(1.5, 3)), (0, -0.7, 0)), int(r.integers(2, 5)))


def burger(r):
    u = r.uniform
    w = 0.55
    parts = [lathe([(0, 0), (w * 0.9, 0), (w, 0.06), (w, 0.14), (0, 0.15)], 18)]
    y = 0.15
    for _ in range(int(r.integers(2, 6))):
        thick = u(0.04, 0.13)
        parts.append(
            pick(
                r,
                rod((0, y + thick / 2, 0), w * u(0.95, 1.08), thick, sides=18),
                box((0, y + 0.015, 0), (1.0, 0.03, 1.0), turn=u(0, 1.5)),
            )
        )
        y += thick
    return parts + [
        lathe(
            [
                (0, y),
                (w, y),
                (w * 1.02, y + 0.1),
                (w * 0.8, y + u(0.22, 0.3)),
                (w * 0.4, y + 0.35),
                (0, y + 0.38),
            ],
            18,
        )
    ]


def donut(r):
    u = r.uniform
    return [placed(ring((0, 0, 0), 0.6, u(0.2, 0.36), (0, 1, 0), 24), scale=(1, u(0.7, 1.1), 1))] + [
        box((0.6 * np.cos(a), 0.28, 0.6 * np.sin(a)), (0.12, 0.04, 0.04), turn=a * 7)
        for a in r.uniform(0, 6.28, int(r.integers(0, 12)))
    ]


def ice_cream(r):
    u = r.uniform
    parts = [lathe([(0, -1), (0.32, 0), (0.35, 0.03), (0.3, 0.03), (0, -0.1)], 14)]
    y = 0.1
    for _ in range(int(r.integers(1, 4))):
        rad = u(0.26, 0.36)
        parts.append(ball((0, y + rad * 0.5, 0), rad))
        y += rad * 1.1
    return parts


def pizza(r):
    u = r.uniform
    if r.random() < 0.4:
        parts = [
            placed(slab([(-0.4, 0), (0.4, 0), (0, u(0.9, 1.3))], 0.06), tilt=np.pi / 2),
            rod((0, 0.02, -0.02), 0.07, 0.8, "x"),
        ]
        return parts + [rod((u(-0.1, 0.1), 0.05, 0.15 + 0.22 * i), 0.09, 0.03, sides=10) for i in range(3)]
    return [rod((0, 0, 0), 1, 0.08, sides=28), placed(ring((0, 0.04, 0), 0.95, 0.07, (0, 1, 0), 28))] + [
        rod((a * np.cos(b), 0.06, a * np.sin(b)), u(0.08, 0.14), 0.04, sides=8)
        for a, b in zip(r.uniform(0.1, 0.8, 12), r.uniform(0, 6.28, 12))
    ]


def bread(r):
    u = r.uniform
    form = r.random()
    if form < 0.4:
        arch = [
            (-0.5, 0),
            (0.5, 0),
            (0.5, 0.5),
            (0.6, 0.62),
            (0.45, 0.85),
            (0, u(0.85, 1)),
            (-0.45, 0.85),
            (-0.6, 0.62),
            (-0.5, 0.5),
        ]
        return [slab(arch, pick(r, 0.14, u(1.2, 2)))]
    z = np.linspace(-1, 1, 13)
    rad = u(0.18, 0.4) * np.sqrt(1 - z**2 * 0.97)
    return [placed(tube(np.stack([0 * z, u(0, 0.1) * (1 - z * z), z], 1), rad, 12), scale=(1, 0.75, 1))] + [
        placed(box((0, rad.max() * 0.75, a), (rad.max() * 1.2, 0.03, 0.05)), turn=0)
        for a in np.linspace(-0.6, 0.6, int(r.integers(0, 6)))
    ]


def croissant(r):
    u = r.uniform
    t = np.linspace(-1, 1, 17)
    rad = u(0.22, 0.3) * (1.05 - np.abs(t) ** 1.3) * (1 + 0.12 * (np.arange(17) % 2))
    return [tube(np.stack([0.8 * np.sin(t * u(1.4, 1.9)), 0 * t, 0.6 * np.cos(t * 1.6)], 1), rad, 10)]


def cake(r):
    u = r.uniform
    parts, y, w = [], 0.0, u(0.5, 0.7)
    for _ in range(int(r.integers(1, 4))):
        h = u(0.2, 0.4)
        parts += [
            rod((0, y + h / 2, 0), w, h, sides=22),
            placed(ring((0, y + h, 0), w * 0.93, 0.05, (0, 1, 0), 22)),
        ]
        y, w = y + h, w * u(0.6, 0.8)
    n = int(r.integers(0, 9))
    top = pick(r, ball((w * 0.8, y + 0.06, 0), 0.08, 8), rod((w * 0.7, y + 0.12, 0), 0.025, 0.26, sides=6))
    return [*parts, rod((0, -0.02, 0), 0.85, 0.03, sides=22), *around(top, n)]


def egg(r):
    u = r.uniform
    t = np.linspace(0, np.pi, 13)
    parts = [lathe(list(zip(np.sin(t) * (u(0.65, 0.78) - u(0.05, 0.12) * np.cos(t)), -np.cos(t))), 16)]
    return parts + (
        [lathe([(0, -1.5), (0.6, -1.5), (0.2, -1.2), (0.2, -1.0), (0.65, -0.3), (0.6, -0.3), (0, -0.9)], 14)]
        if r.random() < 0.25
        else []
    )


def pepper(r):
    u = r.uniform
    return (
        round_fruit(r, u(1.0, 1.4), 0.25, leafy=0)
        if r.random() < 0.6
        else [
            tube(
                [(0, 0.6, 0), (0, 0.5, 0), (0.1, 0, 0), (u(0.2, 0.5), -0.7, 0)], [0.1, 0.18, 0.13, 0.01], 8
            ),
            limb((0, 0.6, 0), (0, 0.85, 0), 0.04, sides=5),
        ]
    )


KINDS = {
    "apple": lambda r: round_fruit(r, 0.88, 0.28),
    "orange": lambda r: round_fruit(r, 0.97, 0.06, leafy=0.2),
    "peach": lambda r: round_fruit(r, 0.93, 0.16, stem=False, leafy=0.3),
    "plum": lambda r: round_fruit(r, 1.12, 0.08, leafy=0.1),
    "tomato": lambda r: (
        round_fruit(r, 0.75, 0.2, leafy=0.0)
        + around(placed(leaf(0.45, 0.14, r.uniform(-0.05, 0.1)), (0, 0.66, 0)), 5)
    ),
    "watermelon": lambda r: moved(
        round_fruit(r, 0.95, 0.03, stem=False, leafy=0), scale=(1, 1, r.uniform(1, 1.5))
    ),
    "pear": pear,
    "lemon": lemon,
    "banana": banana,
    "strawberry": strawberry,
    "pineapple": pineapple,
    "pumpkin": pumpkin,
    "grape": grapes,
    "cherry": cherries,
    "carrot": carrot,
    "corn": corn,
    "bell pepper": pepper,
    "hamburger": burger,
    "donut": donut,
    "ice cream": ice_cream,
    "pizza": pizza,
    "bread": bread,
    "croissant": croissant,
    "cake": cake,
    "egg": egg,
}

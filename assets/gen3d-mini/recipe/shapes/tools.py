"""Tools."""

import numpy as np

from shapes.parts import handled, moved, pick, rod
from solids import ball, both, box, grid, lathe, limb, merge, placed, ring, slab, tube


def hammer(r):
    u = r.uniform
    w = u(0.06, 0.1)
    head = [box((0, 0, 0), (0.24, w * 1.5, w * 1.5)), limb((0.1, 0, 0), (u(0.2, 0.28), 0, 0), w)]
    claw = tube([(-0.1, 0.02, 0.0), (-0.22, 0.0, 0.0), (-0.3, -0.1, 0.0)], [w * 0.7, w * 0.5, w * 0.2], 6)
    return handled(r, head + ([claw] if r.random() < 0.6 else [limb((-0.1, 0, 0), (-0.25, 0, 0), w)]))


def axe(r):
    u = r.uniform
    blade = slab(
        [
            (0, 0.1),
            (u(0.25, 0.35), u(0.18, 0.28)),
            (u(0.33, 0.4), 0),
            (u(0.25, 0.35), -u(0.18, 0.3)),
            (0, -0.1),
            (-0.08, 0),
        ],
        0.05,
    )
    return handled(r, [blade])


def wrench(r):
    u = r.uniform
    jaw = lambda s: [
        placed(
            slab(
                [
                    (-0.06, -0.12),
                    (0.06, -0.12),
                    (0.15, 0.03),
                    (0.13, 0.17),
                    (0.06, 0.18),
                    (0.05, 0.03),
                    (-0.05, 0.03),
                    (-0.06, 0.18),
                    (-0.13, 0.17),
                    (-0.15, 0.03),
                ],
                0.06,
            ),
            (0, s * u(0.5, 0.55), 0),
            roll=0 if s > 0 else np.pi,
        )
    ]
    other = jaw(-1) if r.random() < 0.5 else [ring((0, -0.55, 0), 0.11, 0.035)]
    return [box((0, 0, 0), (u(0.09, 0.13), 0.95, 0.05))] + jaw(1) + other


def screwdriver(r):
    u = r.uniform
    grip = lathe([(0, -0.5), (0.09, -0.48), (0.08, -0.3), (u(0.08, 0.1), -0.05), (0.05, 0), (0, 0)], 10)
    return [grip, limb((0, 0, 0), (0, u(0.5, 0.8), 0), 0.025), box((0, u(0.6, 0.8), 0), (0.06, 0.1, 0.015))]


def pliers(r):
    u = r.uniform
    spread = u(0.1, 0.3)
    arm = tube([(0.02, 0, 0), (spread * 0.7, -0.3, 0), (spread, -0.8, 0)], [0.05, 0.05, 0.04])
    jaw = limb((0.02, 0, 0), (0.03, u(0.25, 0.45), 0), 0.07, 0.025)
    return both(arm, jaw) + [limb((0, 0, -0.05), (0, 0, 0.05), 0.08)]


def scissors(r):
    u = r.uniform
    open_ = u(0.05, 0.5)
    half = [
        box((0, 0.35, 0), (0.07, 0.8, 0.02)),
        limb((0, 0, 0), (0.03, -0.35, 0), 0.025),
        ring((0.06, -0.5, 0), 0.13, 0.03),
    ]
    one = moved(half, roll=open_)
    return one + [(v * [-1, 1, 1] + [0, 0, 0.025], t[:, ::-1]) for v, t in one]


def drill(r):
    u = r.uniform
    long = u(0.6, 0.8)
    parts = [
        tube(
            [(0, 0, -long / 2), (0, 0, -long / 2 + 0.05), (0, 0, 0.1), (0, 0, 0.25), (0, 0, 0.3)],
            [0.08, u(0.13, 0.17), 0.14, 0.1, 0.07],
            12,
        )
    ]
    parts += [
        rod((0, 0, 0.38), 0.07, 0.14, "z", taper=0.6),
        rod((0, 0, 0.55), u(0.012, 0.03), u(0.2, 0.4), "z", sides=6),
    ]
    back = u(0, 0.2)
    parts.append(
        tube(
            [(0, -0.05, -0.15), (0, -0.3, -0.18 - back * 0.5), (0, -0.55, -0.2 - back)],
            [0.09, 0.07, 0.08],
            8,
        )
    )
    if r.random() < 0.7:
        parts.append(box((0, -0.6, -0.16 - back), (u(0.16, 0.22), u(0.1, 0.18), u(0.28, 0.38))))
    return parts + [box((0, -0.17, -0.06), (0.04, 0.08, 0.05))]


def saw(r):
    u = r.uniform
    if r.random() < 0.3:
        long, deep = u(0.9, 1.2), u(0.25, 0.4)
        parts = [
            tube([(0, 0, 0), (0, deep, 0), (long, deep, 0), (long, 0, 0)], 0.025, 6),
            box((long / 2, 0, 0), (long, 0.05, 0.01)),
        ]
        return parts + [tube([(-0.05, deep, 0), (-0.12, deep * 0.5, 0), (-0.05, -0.05, 0)], 0.05, 6)]
    long, wide, tip = u(1.0, 1.5), u(0.25, 0.4), u(0.06, 0.2)
    teeth = int(r.integers(12, 25))
    x = np.linspace(0, long, 2 * teeth + 1)
    edge = [(a, -0.03 * (i % 2)) for i, a in enumerate(x)]
    blade = slab(edge + [(long, tip), (0, wide)], 0.015)
    form = placed(
        ring((0, 0, 0), 0.15, 0.05), (-0.1, wide * 0.5, 0), (u(0.8, 1.2), u(1, 1.4), 1), roll=u(-0.3, 0.3)
    )
    return [blade, form]


def shovel(r):
    u = r.uniform
    high, wide = u(0.9, 1.5), u(0.16, 0.26)
    t = np.linspace(0, 1, 6)
    point = u(0.2, 1)
    w = wide * np.where(t > 0.6, 1 - point * ((t - 0.6) / 0.4) ** 2, 1) + 0.004
    dish = u(0.02, 0.1)
    rows = [[(a * b, -0.5 * c, dish * (1 - a * a)) for a in (-1, -0.5, 0, 0.5, 1)] for b, c in zip(w, t)]
    parts = [grid(np.array(rows), wrap=False), limb((0, -0.1, dish), (0, high, 0), 0.03)]
    if r.random() < 0.55:
        parts += [
            tube(
                [
                    (-0.1, high + 0.15, 0),
                    (-0.06, high + 0.02, 0),
                    (0, high, 0),
                    (0.06, high + 0.02, 0),
                    (0.1, high + 0.15, 0),
                ],
                0.022,
                6,
            ),
            rod((0, high + 0.15, 0), 0.025, 0.2, "x", sides=6),
        ]
    return parts


def rake(r):
    u = r.uniform
    wide, high = u(0.25, 0.4), u(1.2, 1.6)
    parts = [limb((0, 0, 0), (0, high, 0), 0.025)]
    if r.random() < 0.5:
        parts += [
            tube([(0, 0.05, 0), (x * 0.6, -0.3, 0), (x, -0.45, 0), (x, -0.5, 0.06)], 0.01, 4)
            for x in np.linspace(-wide, wide, 11)
        ]
    else:
        parts += [box((0, 0, 0), (2 * wide, 0.04, 0.03))] + [
            limb((x, 0, 0), (x, -0.08, u(0.08, 0.12)), 0.012, sides=4) for x in np.linspace(-wide, wide, 12)
        ]
    return parts


def pitchfork(r):
    u = r.uniform
    wide = u(0.14, 0.2)
    tines = [
        tube([(0, 0, 0), (x, -0.06, 0), (x, -0.5, u(0, 0.04))], [0.02, 0.018, 0.006], 5)
        for x in np.linspace(-wide, wide, int(r.integers(3, 6)))
    ]
    return [limb((0, 0, 0), (0, u(1.0, 1.5), 0), 0.025)] + tines


def pickaxe(r):
    u = r.uniform
    droop = u(0.05, 0.2)
    head = tube(
        [(-0.5, -droop, 0), (-0.25, -droop * 0.3, 0), (0, 0, 0), (0.25, -droop * 0.3, 0), (0.5, -droop, 0)],
        [0.01, 0.04, 0.06, 0.04, u(0.01, 0.05)],
        6,
    )
    return handled(r, [head])


def scythe(r):
    u = r.uniform
    t = np.linspace(0, 1, 8)
    blade = [
        [(-x, 1.0 - 0.35 * x**1.6, 0), (-x, 1.0 - 0.12 * (1 - x) - 0.35 * x**1.6, 0.01)]
        for x in t * u(0.7, 1.0)
    ]
    return [
        tube([(0, -1, 0.1), (0.05, 0, 0), (0, 1, 0)], 0.025, 6),
        grid(np.array(blade), wrap=False),
        limb((0, 0.1, 0), (0.15, 0.12, 0.12), 0.02, sides=6),
    ]


def clamp(r):
    u = r.uniform
    wide, deep, thick = u(0.4, 0.8), u(0.3, 0.5), u(0.05, 0.08)
    if r.random() < 0.35:
        jaw, tail = u(0.45, 0.75), u(0.4, 0.7)
        arm = merge(
            [
                tube([(0, 0, 0), (u(0.06, 0.14), jaw * 0.6, 0), (0.02, jaw, 0)], [0.06, 0.07, 0.04], 6),
                tube([(0, 0, 0), (0.1, -0.6 * tail, 0), (u(0.12, 0.3), -tail, 0)], [0.06, 0.05, 0.05], 6),
            ]
        )
        return both(arm, ball((0.02, jaw, 0), 0.06, 8)) + [
            ring((0, 0, 0), 0.08, 0.03),
            rod((0, 0, 0), 0.04, 0.2, "z"),
        ]
    frame_ = tube(
        [
            (0, 0, 0),
            (0, -deep * 0.7, 0),
            (0.08, -deep, 0),
            (wide - 0.08, -deep, 0),
            (wide, -deep * 0.7, 0),
            (wide, 0, 0),
        ],
        thick,
        6,
    )
    slide = u(0.1, wide * 0.6)
    parts = [
        frame_,
        rod((wide + 0.05 - slide / 2, 0, 0), 0.03, wide * 0.9 - slide * 0.3, "x"),
        rod((0.05, 0, 0), 0.06, 0.06, "x"),
    ]
    end = wide + 0.05 - slide / 2 + (wide * 0.9 - slide * 0.3) / 2
    return parts + [
        rod((end, 0, 0), 0.015, u(0.2, 0.4), "y", sides=6),
        rod((end - wide * 0.9 + slide * 0.3, 0, 0), 0.07, 0.04, "x"),
    ]


def broom(r):
    u = r.uniform
    high, wide = u(1.2, 1.6), u(0.15, 0.3)
    if r.random() < 0.5:
        brush = [
            placed(
                lathe([(0, 0.1), (0.06, 0.08), (0.1, 0), (wide * 0.8, -0.4), (0, -0.42)], 12),
                scale=(1, 1, u(0.4, 1)),
            )
        ]
    else:
        brush = [
            box((0, 0, 0), (2 * wide, 0.06, 0.1)),
            box((0, -0.12, 0), (2 * wide * 1.05, 0.2, u(0.08, 0.14))),
        ]
    return brush + [limb((0, 0, 0), (0, high, u(-0.1, 0)), 0.022)]


def brush(r):
    u = r.uniform
    wide = u(0.08, 0.25)
    parts = [
        tube([(0, 0, 0), (0, 0.15, 0), (0, 0.4, 0), (0, u(0.6, 0.8), 0)], [wide * 0.8, 0.05, 0.06, 0.03], 8)
    ]
    parts += [
        box((0, -0.05, 0), (2 * wide, 0.12, 0.1)),
        placed(
            slab([(-wide, 0), (wide, 0), (wide * 0.95, -u(0.2, 0.35)), (-wide * 0.95, -0.25)], 0.08),
            (0, -0.1, 0),
        ),
    ]
    return parts


def pencil(r):
    u = r.uniform
    w = u(0.04, 0.07)
    return [
        lathe([(0, -0.8), (w, -0.8), (w, 0.6), (w * 0.15, 0.75 + w), (0, 0.78 + w)], pick(r, 6, 6, 12))
    ] + (
        [lathe([(0, -0.95), (w * 1.05, -0.93), (w * 1.05, -0.75), (0, -0.75)], 10)]
        if r.random() < 0.6
        else []
    )


def pen(r):
    u = r.uniform
    w = u(0.04, 0.06)
    return [
        lathe([(0, -0.8), (w, -0.78), (w * 1.1, 0), (w, 0.5), (w * 0.2, 0.75), (0, 0.8)], 10),
        box((w + 0.02, -0.55, 0), (0.02, 0.4, 0.03)),
        rod((0, -0.83, 0), w * 0.5, 0.1),
    ]


def screw(r):
    u = r.uniform
    w, high, turns = u(0.06, 0.12), u(0.7, 1.1), int(r.integers(7, 14))
    y = np.linspace(0, high, 4 * turns + 1)
    thread = w * np.where(np.arange(len(y)) % 2, 1.25, 1) * np.clip(y / (high * u(0.15, 0.4)), 0.05, 1)
    top = u(1.7, 2.6) * w
    return [
        lathe(
            [
                (0, 0),
                *zip(thread, y),
                (top, high + u(0, 0.08)),
                (top * u(0.6, 1), high + 0.1),
                (0, high + 0.1),
            ],
            10,
        )
    ]


def nail(r):
    u = r.uniform
    w = u(0.03, 0.06)
    return [lathe([(0, -1), (w, -0.85), (w, 0.9), (w * u(2, 3), 0.92), (w * 2, 0.98), (0, 1)], 10)]


def hoe(r):
    return handled(
        r,
        [box((0, 0, 0.08), (r.uniform(0.2, 0.35), 0.02, r.uniform(0.14, 0.22)), tilt=r.uniform(-0.5, 0.2))],
        (1.0, 1.4),
        (0.02, 0.03),
    )


def pump(r):
    u = r.uniform
    return [
        rod((0, 0.4, 0), u(0.05, 0.09), 0.8),
        rod((0, 0, 0), 0.06, 0.35, "x"),
        limb((0, 0.8, 0), (0, u(0.9, 1.3), 0), 0.02),
        rod((0, u(1.0, 1.2), 0), 0.04, 0.4, "x"),
    ]


def tape(r):
    u = r.uniform
    return [
        placed(
            lathe([(0.6, -0.25), (1, -0.25), (1, 0.25), (0.6, 0.25), (0.6, -0.25)], 24),
            scale=(1, u(0.6, 1.6), 1),
            tilt=pick(r, 0, np.pi / 2),
        )
    ]


KINDS = {
    "hammer": hammer,
    "axe": axe,
    "wrench": wrench,
    "screwdriver": screwdriver,
    "pliers": pliers,
    "scissors": scissors,
    "drill": drill,
    "saw": saw,
    "shovel": shovel,
    "rake": rake,
    "hoe": hoe,
    "pitchfork": pitchfork,
    "pickaxe": pickaxe,
    "scythe": scythe,
    "clamp": clamp,
    "broom": broom,
    "brush": brush,
    "pencil": pencil,
    "pen": pen,
    "screw": screw,
    "nail": nail,
    "bicycle pump": pump,
    "adhesive tape": tape,
}

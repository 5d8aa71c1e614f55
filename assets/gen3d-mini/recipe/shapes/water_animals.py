"""Fish and other animals of the sea."""

import numpy as np

from shapes.parts import moved, wing
from solids import ball, both, lathe, limb, placed, slab, tube


def fish(r):
    u = r.uniform
    long, high, wide = u(0.5, 0.7), u(0.18, 0.38), u(0.08, 0.16)
    parts = [ball((0, 0, 0), (wide, high, long), 14)]
    tail, spread = u(0.2, 0.35), u(0.18, 0.35)
    side = lambda outline, thick=0.02: placed(slab(outline, thick), turn=np.pi / 2)
    parts.append(
        side(
            [
                (long * 0.85, 0.03),
                (long + tail, spread),
                (long + tail * 0.6, 0),
                (long + tail, -spread),
                (long * 0.85, -0.03),
            ]
        )
    )
    parts.append(side([(-0.2, high * 0.8), (0.1, high + u(0.08, 0.25)), (0.3, high * 0.75)]))
    parts.append(side([(0.0, -high * 0.85), (0.2, -high - u(0.05, 0.15)), (0.3, -high * 0.75)]))
    parts += both(wing((wide * 0.8, -0.05, 0.2), u(0.12, 0.25), 0.15, 0.12, 0.4, -0.08, 0.015))
    return parts


def octopus(r):
    u = r.uniform
    parts = [ball((0, 0.3, 0), (0.22, u(0.28, 0.42), 0.22))]
    for i in range(8):
        a = 2 * np.pi * i / 8 + u(-0.15, 0.15)
        d = np.array([np.cos(a), 0, np.sin(a)])
        side = np.array([-np.sin(a), 0, np.cos(a)])
        points = [
            d * 0.12,
            d * 0.35 + [0, u(-0.2, 0.05), 0],
            d * u(0.55, 0.7) + side * u(-0.15, 0.15) + [0, u(-0.2, 0.05), 0],
            d * u(0.8, 1.0) + side * u(-0.3, 0.3) + [0, u(-0.15, 0.2), 0],
        ]
        parts.append(tube(points, [0.09, 0.07, 0.05, 0.015]))
    return parts


def swimmer(r, upright_tail, snout, thick, fin):
    """A shark, dolphin or whale: nose to +z."""
    u = r.uniform
    z = np.linspace(-1, 1, 12)
    bend = u(-0.25, 0.25)
    shape = np.clip((1 - z) ** snout * (1 + z) ** 1.1, 0, None)
    radius = thick * u(0.85, 1.15) * (0.1 + shape / shape.max())
    radius[-1] *= 0.4
    parts = [tube(np.stack([0 * z, bend * z**2, z], 1), radius, 12)]
    w, y = thick * 0.7, bend
    fluke = both(wing((0, 0, 0), u(0.22, 0.36), 0.22, u(0.15, 0.3), 0.3))
    roll = np.pi / 2 if upright_tail else 0
    parts += moved(fluke, (0, y, -0.85), roll=roll)
    parts += both(
        placed(
            wing((0, 0, 0), u(0.25, 0.5), u(0.15, 0.25), u(0.15, 0.3), 0.3, -0.15), (w * 0.7, -w * 0.5, 0.35)
        )
    )
    if fin:
        parts.append(
            placed(
                wing((0, 0, 0), u(0.15, 0.28) + w, u(0.2, 0.3), u(0.15, 0.3), 0.25),
                (0, bend * 0.1, 0.15),
                roll=np.pi / 2,
            )
        )
    return parts


def beaked(r):
    parts = swimmer(r, False, 0.8, 0.2, True)
    return parts + [limb((0, 0, 0.9), (0, 0, r.uniform(1.1, 1.25)), 0.06, 0.025)]


def seahorse(r):
    u = r.uniform
    t = np.linspace(0, 1, 10)
    body = np.stack([0 * t, 0.8 - 1.3 * t, 0.25 * np.sin(t * 4) * u(0.7, 1.2)], 1)
    radius = np.interp(t, [0, 0.35, 0.7, 1], [0.09, u(0.17, 0.24), 0.09, 0.05])
    s = np.linspace(0, u(3.5, 6.5), 14)
    curl = body[-1] + np.stack(
        [0 * s, -0.2 * np.sin(s) * (1 - s / 9), 0.2 * (1 - np.cos(s) * (1 - s / 9))], 1
    )
    head = np.array([0, 0.88, 0.06])
    parts = [
        tube(body, radius, 8),
        tube(curl, np.linspace(0.05, 0.012, 14), 6),
        ball(head, (0.1, 0.11, 0.13), 10),
    ]
    parts += [
        limb(head, head + [0, -u(0.05, 0.15), u(0.25, 0.38)], 0.06, 0.035, 6),
        limb(head, head + [0, u(0.12, 0.22), -0.05], 0.06, 0.01, 5),
    ]
    return parts + [
        placed(
            slab([(0, -0.15), (u(0.15, 0.28), -0.1), (0.18, 0.15), (0, 0.15)], 0.02),
            (0, 0.3, -0.05),
            turn=np.pi / 2,
        )
    ]


def crab(r):
    u = r.uniform
    wide = u(0.4, 0.55)
    parts = [ball((0, 0, 0), (wide, u(0.15, 0.22), u(0.3, 0.38)))]
    for i in range(4):
        z = 0.15 - 0.13 * i
        reach = u(0.35, 0.5)
        parts += both(
            tube(
                [
                    (wide * 0.8, 0, z),
                    (wide + reach * 0.5, u(0.1, 0.25), z * 1.8),
                    (wide + reach, -0.25, z * 2.4),
                ],
                [0.05, 0.04, 0.012],
                6,
            )
        )
    claw = np.array([wide + u(0, 0.15), 0.05, u(0.5, 0.65)])
    parts += both(
        tube([(wide * 0.8, 0, 0.2), (wide + 0.2, 0.08, 0.35), claw], [0.06, 0.05, 0.06], 6),
        ball(claw, (0.11, 0.08, 0.15), 8),
    )
    parts += both(
        limb(claw + [0.05, 0, 0.08], claw + [0, 0, 0.32], 0.05, 0.01, 6),
        limb(claw + [-0.06, 0, 0.08], claw + [-0.08, 0, 0.28], 0.04, 0.01, 6),
    )
    return parts + both(limb((0.1, 0.1, 0.28), (0.12, 0.25, 0.33), 0.025, sides=5))


def turtle(r):
    u = r.uniform
    wide, high = u(0.4, 0.5), u(0.25, 0.42)
    shell = lathe(
        [(0, high), (0.5, high * 0.87), (0.85, high * 0.5), (1, 0.05), (0.9, -0.05), (0, -0.08)], 16
    )
    parts = [placed(shell, scale=(wide, 1, u(0.5, 0.6)))]
    head = np.array([0, u(0.0, 0.25), u(0.75, 0.85)])
    parts += [
        limb((0, 0, 0.4), head, 0.09, 0.08),
        ball(head, (0.1, 0.09, 0.13), 10),
        limb((0, -0.02, -0.5), (0, -0.08, -0.7), 0.05, 0.01, 6),
    ]
    if r.random() < 0.5:
        flap = placed(wing((0, 0, 0), u(0.4, 0.65), 0.2, u(0.1, 0.4), 0.4, -0.08), (0.3, 0, 0.4))
        return parts + both(flap, placed(wing((0, 0, 0), 0.25, 0.15, 0.15, 0.6), (0.25, 0, -0.35)))
    return parts + both(
        limb((0.3, 0, 0.35), (0.42, -0.24, 0.45), 0.1, 0.08),
        limb((0.3, 0, -0.35), (0.4, -0.24, -0.42), 0.1, 0.08),
    )


def manta(r):
    u = r.uniform
    disc = slab(
        [
            (0, 0.5),
            (0.25, 0.45),
            (u(0.8, 1.1), u(-0.1, 0.1)),
            (0.2, -0.4),
            (0, -0.5),
            (-0.2, -0.4),
            (-u(0.8, 1.1), 0),
            (-0.25, 0.45),
        ],
        0.04,
    )
    return [
        placed(disc, tilt=np.pi / 2),
        ball((0, 0, 0), (0.25, 0.1, 0.45)),
        limb((0, 0, -0.4), (0, u(-0.1, 0.1), -u(0.9, 1.5)), 0.035, 0.006, 6),
    ] + both(limb((0.12, 0, 0.45), (0.12, 0, 0.62), 0.03, sides=6))


def starfish(r):
    u = r.uniform
    inner = u(0.3, 0.45)
    a = np.arange(10) * np.pi / 5
    rad = np.where(np.arange(10) % 2, inner, 1)
    star = slab(np.stack([rad * np.sin(a), rad * np.cos(a)], 1), 0.08)
    arms = [
        placed(limb((0, 0, 0), (0, 0.9, 0), u(0.14, 0.2), 0.04), roll=i * 2 * np.pi / 5) for i in range(5)
    ]
    return moved([star, *arms], tilt=-np.pi / 2)


def jellyfish(r):
    u = r.uniform
    parts = [lathe([(0, 0.45), (0.3, 0.4), (0.48, 0.2), (0.5, 0), (0.42, 0.05), (0, 0.3)], 16)]
    for a in np.linspace(0, 2 * np.pi, int(r.integers(6, 13)), endpoint=False):
        x, z = 0.38 * np.cos(a), 0.38 * np.sin(a)
        parts.append(
            tube(
                [(x, 0.05, z), (x * 1.2, -0.3, z), (x * 0.9, -0.6, z * 1.2), (x, -u(0.8, 1.2), z)],
                [0.03, 0.03, 0.02, 0.01],
                5,
            )
        )
    return parts


KINDS = {
    "fish": fish,
    "octopus": octopus,
    "shark": lambda r: swimmer(r, True, 0.8, 0.2, True),
    "dolphin": beaked,
    "whale": lambda r: swimmer(r, False, 0.35, 0.34, r.random() < 0.4),
    "seahorse": seahorse,
    "crab": crab,
    "turtle": turtle,
    "manta ray": manta,
    "starfish": starfish,
    "jellyfish": jellyfish,
}

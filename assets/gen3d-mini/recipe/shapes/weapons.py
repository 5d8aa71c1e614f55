"""Weapons."""

import numpy as np

from shapes.parts import grip, pick, rod
from solids import ball, both, box, grid, lathe, limb, placed, ring, slab, tube


def sword(r):
    u = r.uniform
    blade = slab(
        [(-0.06, 0), (0.06, 0), (0.05, u(1.0, 1.4)), (0, u(1.45, 1.6)), (-0.05, u(1.0, 1.4))], 0.025
    )
    return [
        blade,
        box((0, 0, 0), (u(0.3, 0.5), 0.06, 0.08)),
        limb((0, 0, 0), (0, -u(0.25, 0.4), 0), 0.035),
        ball((0, -0.38, 0), 0.06, 8),
    ]


def curved_sword(r):
    u = r.uniform
    t = np.linspace(0, 1, 9)
    bend, wide = u(0.1, 0.4), u(0.05, 0.1)
    rows = [
        [
            (bend * a * a - w, 1.4 * a, 0),
            (bend * a * a, 1.4 * a, 0.012),
            (bend * a * a + w, 1.4 * a, 0),
            (bend * a * a, 1.4 * a, -0.012),
        ]
        for a, w in zip(t, wide * np.sqrt(1.02 - t**3))
    ]
    parts = [
        grid(np.array(rows)),
        pick(r, rod((0, 0, 0), 0.12, 0.03), box((0, 0, 0), (0.35, 0.04, 0.06))),
        limb((0, 0, 0), (-0.03, -u(0.25, 0.45), 0), 0.035),
    ]
    return parts + ([grip(0.02, -0.15, 0.12, 0.16, 0.015)] if r.random() < 0.4 else [])


def pistol(r):
    u = r.uniform
    long, lean = u(0.5, 0.9), u(0.05, 0.25)
    parts = [
        tube([(0, -0.02, 0), (-lean * 0.4, -0.2, 0), (-lean, -u(0.4, 0.5), 0)], [0.07, 0.065, 0.075], 6)
    ]
    if r.random() < 0.45:
        parts += [
            rod((0.12, 0.05, 0), 0.1, 0.22, "x"),
            rod((long / 2 + 0.15, 0.08, 0), 0.035, long, "x"),
            box((0.0, 0.08, 0), (0.3, 0.14, 0.06)),
            box((-0.12, 0.15, 0), (0.06, 0.08, 0.03)),
        ]
    else:
        parts += [
            box((long / 2 - 0.15, 0.07, 0), (long, u(0.1, 0.16), 0.1)),
            box((long * 0.4 - 0.1, -0.02, 0), (long * 0.7, 0.08, 0.08)),
        ]
    return parts + [
        placed(ring((0, 0, 0), 0.07, 0.012, sides=10), (0.12, -0.08, 0)),
        box((long - 0.2, 0.16, 0), (0.04, 0.04, 0.02)),
    ]


def rifle(r):
    u = r.uniform
    barrel = u(0.7, 1.2)
    parts = [
        box((0.1, 0, 0), (u(0.5, 0.7), u(0.1, 0.16), 0.08)),
        rod((0.3 + barrel / 2, 0.03, 0), u(0.02, 0.035), barrel, "x", sides=8),
    ]
    parts.append(
        placed(slab([(0, 0.05), (0, -0.06), (-0.55, -u(0.15, 0.3)), (-0.6, 0.02)], 0.07), (-0.2, 0, 0))
    )
    parts.append(box((0.3 + barrel * 0.25, -0.02, 0), (barrel * u(0.3, 0.7), 0.07, 0.08)))
    if r.random() < 0.6:
        parts.append(
            tube(
                [(0.2, -0.05, 0), (0.25, -0.2, 0), (0.25 + u(0, 0.12), -u(0.3, 0.42), 0)],
                [0.05, 0.05, 0.05],
                4,
            )
        )
    if r.random() < 0.6:
        parts.append(tube([(-0.08, -0.05, 0), (-0.14, -u(0.2, 0.28), 0)], 0.045, 6))
    if r.random() < 0.5:
        parts += [
            rod((0.1, 0.15, 0), u(0.03, 0.06), 0.4, "x", sides=8),
            box((0.1, 0.09, 0), (0.2, 0.06, 0.03)),
        ]
    return parts + [
        placed(ring((0, 0, 0), 0.06, 0.012, sides=10), (0.02, -0.09, 0)),
        box((0.27 + barrel, 0.07, 0), (0.02, 0.06, 0.02)),
    ]


def bow(r):
    u = r.uniform
    t = np.linspace(-1, 1, 13)
    deep, curl = u(0.25, 0.5), u(0, 0.15)
    shape = np.stack([deep * (1 - t**2) - curl * np.maximum(np.abs(t) - 0.75, 0) * 4, t, 0 * t], 1)
    string = [shape[0], (-u(0, 0.4), 0, 0), shape[-1]]
    return [tube(shape, 0.04 - 0.025 * np.abs(t), 6), tube(string, 0.008, 4)]


def crossbow(r):
    u = r.uniform
    t = np.linspace(-1, 1, 9)
    limbs = np.stack([0.6 * t, 0 * t + 0.05, 0.55 - u(0.15, 0.35) * t**2], 1)
    return [
        box((0, 0, 0), (0.09, 0.1, u(1.1, 1.4))),
        tube(limbs, 0.03, 6),
        tube([limbs[0], (0, 0.06, u(-0.2, 0.2)), limbs[-1]], 0.01, 4),
        box((0, -0.12, -0.4), (0.06, 0.2, 0.12), tilt=0.3),
    ]


def spear(r):
    u = r.uniform
    w = u(0.06, 0.14)
    return [
        limb((0, -1.5, 0), (0, 0.8, 0), 0.025),
        placed(slab([(0, 0), (w, 0.1), (0, u(0.3, 0.5)), (-w, 0.1)], 0.04), (0, 0.8, 0)),
    ]


def arrow(r):
    u = r.uniform
    parts = [
        limb((0, 0, -1), (0, 0, 0.9), 0.018, sides=6),
        placed(lathe([(u(0.04, 0.08), 0), (0, 0.2)], 4), (0, 0, 0.88), tilt=-np.pi / 2 + np.pi),
    ]
    fin = slab([(0.01, 0), (u(0.08, 0.14), -0.02), (0.1, 0.2), (0.01, 0.3)], 0.008)
    return parts + [
        placed(placed(fin, tilt=np.pi / 2), (0, 0, -0.98), roll=2 * np.pi * i / 3) for i in range(3)
    ]


def cannon(r):
    u = r.uniform
    lift, rad = u(0, 0.4), u(0.25, 0.36)
    barrel = lathe(
        [
            (0, -0.5),
            (0.16, -0.48),
            (0.18, -0.3),
            (0.13, 0.4),
            (0.11, 0.75),
            (0.14, 0.78),
            (0.14, 0.86),
            (0.07, 0.86),
            (0.07, 0.2),
        ],
        16,
    )
    parts = [
        placed(barrel, (0, rad + 0.12, 0), tilt=np.pi / 2 - lift),
        placed(ball((0, 0, -0.55), 0.06, 8), (0, rad + 0.12, 0), tilt=-lift),
    ]
    if r.random() < 0.7:
        parts += both(
            ring((0.26, rad, 0), rad - 0.04, 0.04, (1, 0, 0)),
            rod((0.26, rad, 0), 0.06, 0.1, "x", sides=8),
            *(
                limb((0.26, rad - d[1], -d[2]), (0.26, rad + d[1], d[2]), 0.02, sides=4)
                for d in np.stack(
                    [np.zeros(4), np.cos(np.arange(4) * 0.785), np.sin(np.arange(4) * 0.785)], 1
                )
                * (rad - 0.04)
            ),
        )
        return (
            parts
            + both(limb((0.1, rad, 0), (0.08, 0.05, -0.9), 0.05, sides=4))
            + [rod((0, rad, 0), 0.04, 0.5, "x", sides=6)]
        )
    return parts + both(
        box((0.17, 0.25, 0), (0.08, 0.35, 0.8)),
        rod((0.25, 0.1, 0.3), 0.1, 0.06, "x", sides=10),
        rod((0.25, 0.1, -0.3), 0.1, 0.06, "x", sides=10),
    )


def grenade(r):
    u = r.uniform
    high = u(0.35, 0.5)
    parts = [
        ball((0, 0, 0), (0.32, high, 0.32), 14),
        rod((0, high + 0.05, 0), 0.12, 0.14),
        tube([(0, high + 0.12, 0), (0.2, high + 0.08, 0), (0.36, 0.1, 0), (0.34, -0.15, 0)], 0.04, 4),
    ]
    parts += [ring((-0.2, high + 0.08, 0), 0.1, 0.015)]
    return parts + [
        placed(ring((0, 0, 0), 0.32 * np.sqrt(1 - (y / high) ** 2), 0.02, (0, 1, 0)), (0, y, 0))
        for y in (-0.2, 0, 0.2)
    ]


def shield(r):
    u = r.uniform
    wide, high = u(0.5, 0.7), u(0.6, 0.9)
    if r.random() < 0.4:
        return [
            placed(
                lathe([(0, 0.15), (0.25, 0.1), (0.3, 0.05), (wide, 0), (wide, -0.04), (0, 0)], 20),
                tilt=np.pi / 2,
            )
        ]
    face = slab(
        [
            (-wide, high * 0.6),
            (0, high * u(0.6, 0.75)),
            (wide, high * 0.6),
            (wide, 0),
            (wide * 0.6, -high * 0.55),
            (0, -high),
            (-wide * 0.6, -high * 0.55),
            (-wide, 0),
        ],
        0.06,
    )
    face[0][:, 2] -= u(0.1, 0.5) * face[0][:, 0] ** 2
    return [face] + (
        [box((0, 0, 0.02), (0.08, high, 0.06)), box((0, 0.1, 0.0), (wide, 0.08, 0.08))]
        if r.random() < 0.4
        else []
    )


def flail(r):
    u = r.uniform
    end = np.array([u(0.2, 0.5), u(0.2, 0.5), 0])
    spikes = [
        placed(limb((0, 0.12, 0), (0, 0.27, 0), 0.035, 0.003, 5), end, tilt=a, turn=0, roll=b)
        for a in (0, 1.57, 3.14, 4.71)
        for b in (0, 1.57)
    ]
    return [
        limb((0, -0.8, 0), (0, 0.3, 0), 0.04),
        tube([(0, 0.3, 0), end * 0.5 + [0, 0.35, 0], end], 0.02, 5),
        ball(end, 0.15, 10),
    ] + spikes


KINDS = {
    "sword": lambda r: pick(r, sword, curved_sword)(r),
    "pistol": pistol,
    "rifle": rifle,
    "gun": lambda r: pick(r, pistol, rifle)(r),
    "bow": bow,
    "crossbow": crossbow,
    "spear": spear,
    "arrow": arrow,
    "cannon": cannon,
    "grenade": grenade,
    "shield": shield,
    "flail": flail,
}

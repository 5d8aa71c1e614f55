"""Bridges, mills, tents and other works."""

import numpy as np

from shapes.parts import around, gable, pick, rod
from solids import ball, both, box, grid, lathe, limb, placed, ring, slab, tube


def windmill(r):
    u = r.uniform
    high = u(1.0, 1.5)
    w = u(0.05, 0.35)
    parts = [
        lathe([(0, 0), (w * 1.3, 0), (w * 0.8, high), (w * 0.5, high + w * 0.7), (0, high + w * 0.8)], 12)
    ]
    hub = np.array([0, high, w + 0.06])
    parts.append(limb(hub - [0, 0, w], hub + [0, 0, 0.06], 0.06))
    blades = int(r.integers(3, 5))
    phase = u(0, 2)
    for i in range(blades):
        blade = box((0, 0.45, 0), (u(0.08, 0.2), 0.85, 0.02))
        parts.append(placed(blade, hub, roll=phase + 2 * np.pi * i / blades))
    return parts


def bridge(r):
    u = r.uniform
    long, wide = u(1.0, 1.6), u(0.15, 0.3)
    form = r.random()
    deck = box((0, 0, 0), (2 * long, 0.06, 2 * wide))
    x = np.linspace(-1, 1, 17)
    if form < 0.35:
        high, n = u(0.6, 0.9), u(0.45, 0.6) * long
        parts = [deck]
        for z in (-wide, wide):
            parts += [limb((s * n, -0.4, z), (s * n, high, z), 0.04, sides=4) for s in (-1, 1)]
            cable = np.stack([x * n, 0.06 + (high - 0.06) * x**2, 0 * x + z], 1)
            parts += [tube(cable, 0.018, 5)] + [
                limb((a, 0, z), (a, b, z), 0.008, sides=3) for a, b, _ in cable[::2]
            ]
            parts += [limb((s * n, high, z), (s * long, 0, z), 0.018, sides=5) for s in (-1, 1)]
        return parts
    rise = u(0.2, 0.5)
    arch = rise * (1 - x**2)
    if form < 0.7:
        low = u(0.2, 0.5)
        road = [
            [
                (a * long, b - 0.0, -wide),
                (a * long, b, wide),
                (a * long, b - 0.06 - low * a * a, wide),
                (a * long, b - 0.06 - low * a * a, -wide),
            ]
            for a, b in zip(x, arch)
        ]
        rail = np.stack([x * long, arch + 0.18, 0 * x + wide], 1)
        posts_ = [limb(p - [0, 0.18, 0], p, 0.015, sides=4) for p in rail[::2]]
        side = [tube(rail, 0.025, 5), *posts_]
        return [grid(np.array(road)), *side, *(placed(p, scale=(1, 1, -1)) for p in side)]
    n = int(r.integers(5, 10))
    parts = [deck]
    for z in (-wide, wide):
        tops = np.linspace(-0.85, 0.85, n) * long
        parts.append(limb((tops[0], 0.4, z), (tops[-1], 0.4, z), 0.025, sides=4))
        for a, b in zip(tops[:-1], tops[1:]):
            parts += [
                limb((a, 0, z), (a, 0.4, z), 0.02, sides=4),
                limb((a, 0, z), (b, 0.4, z), 0.018, sides=4),
            ]
        parts += [limb((s * long, 0, z), (s * tops[-1], 0.4, z), 0.025, sides=4) for s in (-1, 1)]
    return parts


def gazebo(r):
    u = r.uniform
    n, w, high = int(pick(r, 4, 6, 8)), u(0.6, 0.8), u(0.7, 1.0)
    parts = [
        rod((0, 0.03, 0), w * 1.15, u(0.06, 0.15), sides=n),
        lathe([(w * 1.25, high), (w * 0.5, high + u(0.2, 0.35)), (0, high + u(0.4, 0.7))], n),
        ball((0, high + 0.6, 0), 0.05, 6),
    ]
    parts += around(limb((w, 0, 0), (w, high, 0), 0.035, sides=6), n)
    a = 2 * np.pi / n
    rail = limb((w, 0.3, 0), (w * np.cos(a), 0.3, w * np.sin(a)), 0.025, sides=4)
    return parts + (around(rail, n)[1:] if r.random() < 0.7 else [])


def lighthouse(r):
    u = r.uniform
    a, b, high = u(0.25, 0.38), u(0.15, 0.22), u(1.1, 1.7)
    parts = [
        lathe(
            [(0, 0), (a, 0), (b, high), (b * 1.5, high + 0.03), (b * 1.5, high + 0.08), (0, high + 0.08)], 16
        ),
        rod((0, high + 0.2, 0), b * 0.75, 0.26, sides=10),
        lathe([(b * 1.05, high + 0.33), (b * 0.5, high + 0.47), (0, high + u(0.5, 0.6))], 12),
    ]
    parts += [
        placed(ring((0, 0, 0), b * 1.45, 0.012, (0, 1, 0)), (0, high + 0.18, 0)),
        box((0, 0.12, a), (0.14, 0.26, 0.08)),
    ]
    return parts + (
        [
            box((a + 0.2, 0.12, 0), (0.5, 0.24, 0.4)),
            placed(gable(0.2, 0.28, 0.24, 0.15), (a + 0.2, 0, 0), turn=np.pi / 2),
        ]
        if r.random() < 0.4
        else []
    )


def fence(r):
    u = r.uniform
    n, high, form = int(r.integers(4, 12)), u(0.5, 0.9), r.random()
    x = np.linspace(-1, 1, n)
    if form < 0.5:
        point = u(0, 0.12)
        pale = slab([(-0.06, 0), (0.06, 0), (0.06, high), (0, high + point), (-0.06, high)], 0.03)
        return [(pale[0] + [a, 0, 0], pale[1]) for a in x] + [
            box((0, y * high, -0.04), (2.1, 0.07, 0.04)) for y in (0.25, 0.75)
        ]
    if form < 0.8:
        return [limb((a, 0, 0), (a, high, 0), 0.05, sides=pick(r, 4, 8)) for a in x[:: max(1, n // 4)]] + [
            rod((0, y * high, 0), 0.03, 2.05, "x", sides=6)
            for y in np.linspace(0.3, 0.9, int(r.integers(2, 4)))
        ]
    return (
        [limb((a, 0, 0), (a, high, 0), 0.018, sides=5) for a in np.linspace(-1, 1, 16)]
        + [limb((a, high, 0), (a, high + 0.12, 0), 0.035, 0.003, 5) for a in np.linspace(-1, 1, 16)]
        + [rod((0, y, 0), 0.02, 2.05, "x", sides=5) for y in (0.12, high * 0.9)]
    )


def pyramid(r):
    u = r.uniform
    n, lean, high = int(r.integers(1, 9)), u(1.4, 1.8), u(0.7, 1.1)
    if n < 3:
        return [placed(lathe([(0, 0), (1, 0), (0, u(0.7, 1.1))], 4), turn=np.pi / 4)]
    return [
        box((0, (i + 0.5) * high / n, 0), (2 - lean * i / n, high / n, 2 - lean * i / n)) for i in range(n)
    ] + [box((0, high + 0.1, 0), (0.3, 0.2, 0.3))]


def wind_turbine(r):
    u = r.uniform
    high, long, n = u(1.4, 2.0), u(0.6, 0.9), int(pick(r, 3, 3, 2))
    hub = np.array([0, high, 0.12])
    blade = tube([(0, 0, 0), (0, long * 0.2, 0), (0, long, 0)], [0.03, 0.06, 0.01], 4)
    return [
        limb((0, 0, 0), (0, high, 0), 0.06, 0.035),
        rod((0, high, 0), 0.06, 0.3, "z", sides=8),
        ball(hub, 0.06, 8),
    ] + [placed(blade, hub + [0, 0, 0.04], roll=u(0, 0.01) + 2 * np.pi * i / n + 0.4) for i in range(n)]


def igloo(r):
    u = r.uniform
    dome = ball((0, 0, 0), (0.8, u(0.6, 0.8), 0.8), 16)
    dome[0][:, 1] = np.maximum(dome[0][:, 1], 0)
    t = np.linspace(0, np.pi, 8)
    w = u(0.25, 0.35)
    return [dome] + [
        grid(
            np.array(
                [
                    [(w * k * np.cos(a), w * k * 1.2 * np.sin(a), z) for a in t]
                    for k, z in ((1, 0.5), (1, u(0.95, 1.2)), (0.75, 1.1))
                ]
            ),
            wrap=False,
        )
    ]


def well(r):
    u = r.uniform
    high = u(0.75, 1.0)
    return (
        [lathe([(0.4, 0), (0.45, 0), (0.45, 0.4), (0.35, 0.4), (0.35, 0.1), (0, 0.1)], pick(r, 8, 16))]
        + both(limb((0.38, 0, 0), (0.38, high, 0), 0.04, sides=4))
        + [
            rod((0, high * 0.85, 0), 0.05, 0.85, "x"),
            placed(gable(0.3, 0.45, high, u(0.2, 0.4), 0.1), turn=np.pi / 2),
            limb((0, high * 0.85, 0), (0, 0.55, 0), 0.01),
            rod((0, 0.5, 0), 0.09, 0.14, taper=1.3),
        ]
    )


def tent(r):
    u = r.uniform
    w, d, high = u(0.5, 0.9), u(0.5, 1.0), u(0.5, 0.9)
    form = r.random()
    if form < 0.4:
        return [
            grid(np.array([[(-w, 0, z), (0, high, z), (w, 0, z)] for z in (-d, d)]), wrap=False),
            limb((0, 0, d), (0, high + 0.05, d), 0.02),
            limb((0, 0, -d), (0, high + 0.05, -d), 0.02),
            slab([(-w, 0), (0, 0), (0, high)], 0.01),
        ] + both(limb((w, 0.0, d), (w * 1.3, 0, d * 1.2), 0.01, sides=4))
    if form < 0.65:
        dome = ball((0, 0, 0), (w, high * 0.8, w), 14)
        dome[0][:, 1] = np.maximum(dome[0][:, 1], 0)
        return [dome] + [
            placed(
                tube(
                    np.stack(
                        [w * 1.02 * np.cos(t := np.linspace(0, np.pi, 9)), high * 0.82 * np.sin(t), 0 * t], 1
                    ),
                    0.02,
                    4,
                ),
                turn=a,
            )
            for a in (0.5, 2.1)
        ]
    if form < 0.85:
        return [lathe([(w, 0), (w * 0.08, high * 1.5), (0, high * 1.5)], 10)] + around(
            limb((w * 0.05, high * 1.4, 0), (-w * 0.2, high * 1.85, 0), 0.02, sides=4), 5
        )
    return [
        lathe([(w, 0), (w * 1.02, high * 0.7), (w * 0.4, high * 1.05), (0, high * 1.5)], 12),
        limb((0, high * 1.4, 0), (0, high * 1.8, 0), 0.02),
        slab([(0, 0), (0.25, 0.05), (0, 0.12)], 0.01),
    ]


KINDS = {
    "bridge": bridge,
    "gazebo": gazebo,
    "lighthouse": lighthouse,
    "windmill": windmill,
    "wind turbine": wind_turbine,
    "fence": fence,
    "tent": tent,
    "pyramid": pyramid,
    "igloo": igloo,
    "well": well,
}

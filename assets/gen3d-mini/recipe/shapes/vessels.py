"""Things that float."""

import numpy as np

from shapes.parts import hull, moved, pick, rod, wing
from solids import both, box, grid, limb, placed, ring, slab, tube


def sailboat(r):
    u = r.uniform
    long, wide, deep = u(0.8, 1.1), u(0.18, 0.28), u(0.15, 0.25)
    parts = [hull(long, wide, deep)]
    mast = u(1.4, 2.0)
    parts.append(limb((0, 0, 0.1), (0, mast, 0.1), 0.02, 0.012))
    flat = lambda o: placed(slab(o, 0.015), turn=-np.pi / 2)
    parts.append(flat([(0.08, 0.15), (0.08, mast * 0.97), (-long * 0.75, 0.2)]))
    if r.random() < 0.7:
        parts.append(flat([(0.14, 0.1), (0.12, mast * u(0.7, 0.9)), (long * 0.95, 0.08)]))
    return parts


def ship(r):
    u = r.uniform
    long, wide = u(1.2, 1.8), u(0.2, 0.3)
    parts = [hull(long, wide, u(0.2, 0.35))]
    z, y = u(-0.6, 0.2), 0.0
    for level in range(int(r.integers(1, 4))):
        size = (wide * u(1.0, 1.5), u(0.12, 0.2), long * u(0.3, 0.7) * (0.75**level))
        parts.append(box((0, y + size[1] / 2, z), size))
        y += size[1]
    for i in range(int(r.integers(1, 4))):
        parts.append(
            limb(
                (0, y - 0.1, z - 0.25 + 0.25 * i), (0, y + u(0.15, 0.4), z - 0.28 + 0.25 * i), u(0.03, 0.08)
            )
        )
    return parts


def rowing_boat(r):
    u = r.uniform
    long, wide, deep = u(0.7, 1.0), u(0.22, 0.35), u(0.2, 0.3)
    power, stern = u(2, 2.5), u(0.3, 0.9)
    rows = []
    for z in np.linspace(-1, 1, 9):
        w = wide * max(1 - abs(z) ** power * (1 if z > 0 else stern), 0.03)
        y = 0.1 * z * z
        rows.append(
            [
                (-w, y, z * long),
                (-w * 0.7, y - deep * 0.7, z * long),
                (0, -deep, z * long),
                (w * 0.7, y - deep * 0.7, z * long),
                (w, y, z * long),
            ]
        )
    parts = [grid(np.array(rows), wrap=False)]
    parts += [
        box((0, -deep * 0.3, z * long), (wide * 1.7, 0.03, 0.12))
        for z in np.linspace(-0.5, 0.4, int(r.integers(1, 4)))
    ]
    if r.random() < 0.5:
        parts += both(
            limb((wide * 0.6, 0.15, 0), (wide + u(0.4, 0.7), -0.2, -0.2), 0.018, sides=5),
            box((wide + 0.45, -0.2, -0.2), (0.25, 0.02, 0.1)),
        )
    return parts


def motorboat(r):
    u = r.uniform
    long, wide = u(0.8, 1.1), u(0.28, 0.4)
    parts = [hull(long, wide, u(0.2, 0.3))]
    parts.append(
        placed(
            slab([(-0.35, 0), (0.45, 0), (0.15, u(0.18, 0.3)), (-0.3, 0.2)], wide * 1.2),
            (0, 0, u(-0.2, 0.1)),
            turn=-np.pi / 2,
        )
    )
    return parts + [box((0, 0.05, -long), (0.15, 0.3, 0.12))] if r.random() < 0.6 else parts


def sailing_ship(r):
    u = r.uniform
    long, wide = u(1.0, 1.3), u(0.22, 0.3)
    parts = [
        hull(long, wide, u(0.25, 0.4)),
        box((0, 0.1, -long * 0.8), (wide * 1.6, u(0.15, 0.3), long * 0.35)),
        limb((0, 0.08, long * 0.9), (0, 0.35, long * 1.35), 0.025, 0.01),
    ]
    for z in np.linspace(0.6, -0.6, int(r.integers(2, 4))) * long:
        high = u(1.1, 1.5)
        parts.append(limb((0, 0, z), (0, high, z), 0.025, 0.012))
        for level in np.linspace(0.35, 0.85, int(r.integers(2, 4))):
            w, h, puff = u(0.3, 0.45) * (1.2 - level * 0.5), 0.3, u(0.05, 0.15)
            s = np.linspace(-1, 1, 6)
            rows = [
                [(x * w, high * level + a * h / 2, z + 0.04 + puff * (1 - a * a)) for x in s]
                for a in (-1, -0.5, 0, 0.5, 1)
            ]
            parts.append(grid(np.array(rows), wrap=False))
            parts.append(rod((0, high * level + h / 2, z + 0.03), 0.012, 2 * w, "x", sides=5))
    return parts


def submarine(r):
    u = r.uniform
    w = u(0.12, 0.24)
    z = np.array([1, 0.93, 0.8, 0.5, -0.4, -0.8, -1.0])
    parts = [tube(np.stack([0 * z, 0 * z, z], 1), w * np.array([0.2, 0.65, 0.9, 1, 1, 0.55, 0.12]), 14)]
    tower = u(0.15, 0.28)
    parts.append(
        placed(
            slab([(-0.14, 0), (0.16, 0), (0.14, tower), (-0.12, tower)], w * 0.6),
            (0, w * 0.9, u(0.1, 0.4)),
            turn=np.pi / 2,
        )
    )
    parts += [limb((0, w + tower * 0.8, 0.25), (0, w + tower + u(0.08, 0.3), 0.25), 0.018, sides=6)]
    parts += both(wing((0, 0, -0.75), w * u(1.3, 2), 0.15, 0.05, 0.7)) + moved(
        both(wing((0, 0, -0.75), w * 1.4, 0.15, 0.05, 0.7)), roll=np.pi / 2
    )
    if r.random() < 0.5:
        parts += both(wing((0, w * 0.3, 0.6), w * 1.8, 0.12, 0.03, 0.8))
    return parts + [
        placed(box((0, 0.1, 0), (0.05, 0.18, 0.02)), (0, 0, -1.02), roll=2 * np.pi * i / 4) for i in range(4)
    ]


def warship(r):
    u = r.uniform
    parts = ship(r)
    for z in (0.7, -0.7):
        parts += [rod((0, 0.08, z), 0.1, 0.12, sides=8)] + both(
            limb((0.04, 0.1, z), (0.04, 0.14, z + np.sign(z) * u(0.2, 0.35)), 0.018, sides=6)
        )
    mast = u(0.6, 1.0)
    return parts + [limb((0, 0.2, 0), (0, mast, 0), 0.03, 0.01), box((0, mast * 0.8, 0), (0.3, 0.02, 0.02))]


def cargo_ship(r):
    u = r.uniform
    long, wide = u(1.3, 1.7), u(0.22, 0.3)
    parts = [
        hull(long, wide, u(0.2, 0.35)),
        box((0, 0.25, -long * 0.75), (wide * 1.6, 0.5, 0.25)),
        limb((0, 0.4, -long * 0.85), (0, u(0.6, 0.8), -long * 0.85), 0.06),
    ]
    for z in np.linspace(-0.45, 0.65, 5) * long:
        parts.append(box((0, 0, z), (wide * 1.5, 2 * u(0.1, 0.35), long * 0.2)))
    return parts


def anchor(r):
    u = r.uniform
    t = np.linspace(-u(1.2, 1.5), 0, 7)
    arm = tube(
        np.stack([-0.5 * np.sin(-t), -0.1 - 0.5 * np.cos(t), 0 * t], 1), np.linspace(0.03, 0.07, 7), 6
    )
    tip = (-0.5, -0.1, 0)
    fluke = placed(slab([(-0.12, -0.05), (0.12, -0.05), (0, 0.2)], 0.04), tip, roll=u(0.0, 0.4))
    return both(arm, fluke) + [
        limb((0, -0.6, 0), (0, 0.6, 0), 0.06),
        rod((0, 0.42, 0), 0.045, u(0.4, 0.7), "x"),
        ring((0, 0.7, 0), 0.12, 0.03),
    ]


KINDS = {
    "boat": lambda r: pick(r, rowing_boat, motorboat, sailboat)(r),
    "rowing boat": rowing_boat,
    "motorboat": motorboat,
    "sailboat": sailboat,
    "sailing ship": sailing_ship,
    "ship": lambda r: pick(r, ship, warship, cargo_ship)(r),
    "warship": warship,
    "submarine": submarine,
    "anchor": anchor,
}

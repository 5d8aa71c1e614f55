"""Buildings."""

import numpy as np

from shapes.parts import around, gable, moved, pick, rod
from solids import ball, both, box, grid, lathe, limb, placed, slab


def openings(r, w, d, high, levels):
    """Windows in the front and side walls, and a door."""
    u = r.uniform
    parts = [box((u(-0.3, 0.3) * w, 0.2, d), (0.2, 0.4, 0.06))]
    for y in (np.arange(levels) + 0.6) / levels * high:
        parts += [
            box((x * w, y, d), (0.16, 0.2, 0.05)) for x in np.linspace(-0.65, 0.65, int(r.integers(2, 5)))
        ]
        parts += both(*(box((w, y, z * d), (0.05, 0.2, 0.16)) for z in (-0.5, 0.5)))
    return parts


def house(r):
    u = r.uniform
    levels = int(r.integers(1, 4))
    w, d, high = u(0.5, 0.9), u(0.5, 0.9), 0.5 * levels * u(0.9, 1.1)
    roof = [gable(w, d, high, u(0.25, 0.7), u(0, 0.15), pick(r, 0, 0, u(0.2, 1)))]
    roof = roof if r.random() < 0.88 else [box((0, high, 0), (2 * w + 0.1, 0.08, 2 * d + 0.1))]
    parts = [box((0, high / 2, 0), (2 * w, high, 2 * d)), *openings(r, w, d, high, levels)]
    parts += moved(roof, turn=np.pi / 2, scale=(1, 1, 1)) if abs(w - d) < 0.12 else roof
    if r.random() < 0.6:
        parts.append(box((u(-0.6, 0.6) * w, high + 0.35, u(-0.6, 0.6) * d), (0.14, u(0.4, 0.9), 0.14)))
    if r.random() < 0.45:
        a, b, h = w * u(0.4, 0.7), d * u(0.5, 0.9), high * u(0.5, 0.9)
        wing_ = [box((0, h / 2, 0), (2 * a, h, 2 * b)), gable(a, b, h, u(0.2, 0.5))]
        parts += moved(wing_, (w + a * 0.8, 0, u(-0.3, 0.3)), turn=pick(r, 0, np.pi / 2))
    if r.random() < 0.35:
        parts += [box((0, 0.42, d + 0.2), (w * 1.2, 0.05, 0.45))] + both(
            limb((w * 0.5, 0, d + 0.38), (w * 0.5, 0.42, d + 0.38), 0.03, sides=6)
        )
    return parts


def spire(x, z, w, high, rise, sides=4):
    body = rod((x, high / 2, z), w * (1.41 if sides == 4 else 1), high, sides=sides)
    turn = np.pi / 4 if sides == 4 else 0
    body = placed((body[0] - [x, 0, z], body[1]), (x, 0, z), turn=turn)
    roof = placed(lathe([(w * 1.5, 0), (0, rise)], sides), (x, high, z), turn=turn)
    return [body, roof]


def church(r):
    u = r.uniform
    w, d, high = u(0.3, 0.45), u(0.6, 1.0), u(0.5, 0.8)
    rise = u(0.3, 0.5)
    parts = [box((0, high / 2, 0), (2 * w, high, 2 * d)), gable(w, d, high, rise, 0.04)]
    t, top, point = w * u(0.45, 0.65), high * u(1.5, 2.2), u(0.4, 1.0)
    where = pick(r, [(0, d)], [(0, d)], [(-w, d), (w, d)])
    for x, z in where:
        parts += spire(x, z, t, top, point, pick(r, 4, 8))
        parts += [
            box((x, top + point + 0.1, z), (0.025, 0.26, 0.025)),
            box((x, top + point + 0.13, z), (0.14, 0.025, 0.025)),
        ]
    parts += both(
        *(box((w, high * 0.55, z), (0.05, high * 0.5, 0.12)) for z in np.linspace(-0.7, 0.6, 5) * d)
    )
    if r.random() < 0.35:
        parts += [
            box((0, high / 2, -d * 0.3), (4 * w, high, 1.6 * w)),
            placed(gable(w * 0.8, 2 * w, high, rise * 0.9, 0.03), (0, 0, -d * 0.3), turn=np.pi / 2),
        ]
    return parts + [box((0, 0.15, d + t), (0.2, 0.32, 0.06))]


def crenels(x0, z0, x1, z1, y, size, n):
    return [
        box((x0 + (x1 - x0) * t, y, z0 + (z1 - z0) * t), (size, size * 1.2, size))
        for t in np.linspace(0.08, 0.92, n)
    ]


def castle_tower(r, w, high, roof):
    u = r.uniform
    parts = [
        lathe(
            [(0, 0), (w, 0), (w, high), (w * 1.2, high + 0.05), (w * 1.2, high + 0.15), (0, high + 0.15)],
            pick(r, 4, 8, 12),
        )
    ]
    if roof:
        return parts + [lathe([(w * 1.35, high + 0.15), (0, high + 0.15 + w * u(1.5, 3.5))], 12)]
    return parts + around(box((w * 1.1, high + 0.2, 0), (w * 0.35, 0.12, w * 0.3)), 8)


def castle(r):
    u = r.uniform
    w, d, high, t = u(0.7, 1.0), u(0.6, 1.0), u(0.4, 0.6), u(0.13, 0.22)
    roofed = r.random() < 0.5
    parts = both(box((w, high / 2, 0), (0.1, high, 2 * d))) + [
        box((0, high / 2, z), (2 * w, high, 0.1)) for z in (-d, d)
    ]
    parts += (
        crenels(-w, d, w, d, high, 0.08, 7)
        + crenels(w, -d, w, d, high, 0.08, 7)
        + crenels(-w, -d, -w, d, high, 0.08, 7)
    )
    for x in (-w, w):
        for z in (-d, d):
            parts += moved(castle_tower(r, t, high * u(1.1, 1.7), roofed), (x, 0, z))
    keep = castle_tower(r, t * u(1.3, 2), high * u(1.5, 2.8), r.random() < 0.5)
    parts += moved(keep, (u(-0.3, 0.3), 0, u(-0.4, 0.2))) if r.random() < 0.8 else []
    return parts + [
        box((0, high * 0.55, d), (0.45, high * 1.2, 0.2)),
        box((0, 0.16, d + 0.1), (0.2, 0.32, 0.04)),
    ]


def tower(r):
    u = r.uniform
    return castle_tower(r, u(0.2, 0.4), u(0.8, 1.6), r.random() < 0.5)


def skyscraper(r):
    u = r.uniform
    w, d, y, parts = u(0.3, 0.5), u(0.3, 0.5), 0.0, []
    round_ = r.random() < 0.15
    for _ in range(int(r.integers(1, 4))):
        h = u(0.4, 1.4)
        parts.append(
            rod((0, y + h / 2, 0), w, h, sides=20) if round_ else box((0, y + h / 2, 0), (2 * w, h, 2 * d))
        )
        for level in np.arange(y + 0.1, y + h, u(0.13, 0.2)):
            parts.append(
                rod((0, level, 0), w + 0.015, 0.04, sides=20)
                if round_
                else box((0, level, 0), (2 * w + 0.03, 0.05, 2 * d + 0.03))
            )
        y, w, d = y + h, w * u(0.6, 0.95), d * u(0.6, 0.95)
    return parts + ([limb((0, y, 0), (0, y + u(0.2, 0.8), 0), 0.03, 0.005)] if r.random() < 0.5 else [])


def building(r):
    u = r.uniform
    w, d, levels = u(0.4, 0.9), u(0.4, 0.7), int(r.integers(2, 7))
    high = 0.35 * levels
    parts = [
        box((0, high / 2, 0), (2 * w, high, 2 * d)),
        *openings(r, w, d, high, levels),
        box((0, high, 0), (2 * w + 0.08, 0.08, 2 * d + 0.08)),
    ]
    if r.random() < 0.5:
        parts += [
            box((u(-0.4, 0.4) * w, high + 0.12, u(-0.4, 0.4) * d), (u(0.2, 0.5), 0.24, 0.3))
            for _ in range(2)
        ]
    return parts + ([box((0, 0.42, d + 0.12), (1.6 * w, 0.05, 0.3), tilt=0.2)] if r.random() < 0.4 else [])


def barn(r):
    u = r.uniform
    w, d, high = u(0.5, 0.7), u(0.7, 1.1), u(0.45, 0.7)
    roof = np.array(
        [
            (-w * 1.1, high - 0.05),
            (-w * 0.65, high + u(0.3, 0.4)),
            (0, high + u(0.48, 0.6)),
            (w * 0.65, high + 0.35),
            (w * 1.1, high - 0.05),
        ]
    )
    parts = [
        slab(
            [
                (-w, 0),
                (w, 0),
                (w, high),
                (w * 0.6, high + 0.32),
                (0, high + 0.48),
                (-w * 0.6, high + 0.32),
                (-w, high),
            ],
            2 * d,
        ),
        grid(np.array([[(x, y + 0.03, z) for x, y in roof] for z in (-d * 1.05, d * 1.05)]), wrap=False),
    ]
    parts += [box((0, 0.25, d), (u(0.4, 0.6), 0.5, 0.05)), box((0, high + 0.15, d), (0.2, 0.2, 0.05))]
    if r.random() < 0.4:
        parts += [rod((w + 0.3, high, -d * 0.3), 0.22, 2 * high), ball((w + 0.3, 2 * high, -d * 0.3), 0.22)]
    return parts


def temple(r):
    u = r.uniform
    w, d, high, n = u(0.6, 0.9), u(0.6, 1.2), u(0.6, 0.9), int(r.integers(4, 8))
    parts = [box((0, 0.05 - 0.06 * i, 0), (2 * w + 0.15 * i, 0.06, 2 * d + 0.15 * i)) for i in range(3)]
    column = lambda x, z: rod((x, high / 2, z), 0.06, high, taper=0.85, sides=8)
    parts += [column(x, z) for x in np.linspace(-0.9, 0.9, n) * w for z in (-d * 0.93, d * 0.93)]
    parts += both(*(column(0.9 * w, z) for z in np.linspace(-0.65, 0.65, n) * d))
    return parts + [
        box((0, high + 0.05, 0), (2 * w, 0.12, 2 * d)),
        gable(w, d, high + 0.1, u(0.25, 0.4), 0.05),
        box((0, high / 2, 0), (w, high, d * 1.2)),
    ]


KINDS = {
    "house": house,
    "building": building,
    "church": church,
    "castle": castle,
    "tower": tower,
    "skyscraper": skyscraper,
    "barn": barn,
    "temple": temple,
}

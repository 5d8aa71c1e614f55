"""Furniture."""

import numpy as np

from shapes.parts import around, moved, pick, posts, rod
from solids import ball, both, box, lathe, limb, merge, placed, ring, slab, tube


def chair(r):
    u = r.uniform
    w, d, seat, high = u(0.22, 0.3), u(0.2, 0.28), u(0.38, 0.5), u(0.4, 0.75)
    parts = [pick(r, box((0, seat, 0), (2 * w, u(0.03, 0.1), 2 * d)), rod((0, seat, 0), w, 0.05, sides=20))]
    parts += legs_of(r, w, d, seat)
    lean = u(0, 0.25)
    form = r.random()
    if form < 0.35:
        back = [box((0, high / 2, 0), (2 * w, high, u(0.03, 0.08)))]
    elif form < 0.75:
        back = both(limb((w * 0.95, 0, 0), (w * 0.95, high, 0), 0.025, sides=6)) + [
            box((0, high, 0), (2 * w, u(0.05, 0.15), 0.035))
        ]
        if r.random() < 0.5:
            back += [
                limb((x, 0, 0), (x, high, 0), 0.014, sides=5)
                for x in np.linspace(-w * 0.7, w * 0.7, int(r.integers(2, 7)))
            ]
        else:
            back += [
                box((0, y, 0), (2 * w, 0.05, 0.025))
                for y in np.linspace(high * 0.3, high * 0.75, int(r.integers(1, 4)))
            ]
    else:
        t = np.linspace(0, np.pi, 9)
        back = [tube(np.stack([w * np.cos(t), high * np.sin(t) ** 0.7, 0 * t], 1), 0.025, 6)] + [
            limb((x, 0, 0), (x, high * 0.8, 0), 0.012, sides=5) for x in np.linspace(-w * 0.6, w * 0.6, 5)
        ]
    parts += moved(back, (0, seat, -d * 0.95), tilt=-lean)
    if r.random() < 0.35:
        arm = u(0.18, 0.26)
        parts += both(
            box((w, seat + arm, 0), (0.05, 0.035, 2 * d)),
            limb((w, seat, d * 0.8), (w, seat + arm, d * 0.8), 0.02, sides=5),
        )
    return parts


def legs_of(r, w, d, high):
    """Four legs, a pedestal, a star on castors, sledge runners or panels."""
    u = r.uniform
    form = r.random()
    if form < 0.6:
        thick = u(0.015, 0.04)
        parts = posts(
            w * 0.9, d * 0.9, 0, high, thick, u(0, 0.3) if r.random() < 0.5 else 0, sides=pick(r, 4, 8)
        )
        if r.random() < 0.4:
            parts += [
                limb((-w * 0.9, high * 0.4, z), (w * 0.9, high * 0.4, z), thick * 0.7, sides=5)
                for z in (-d * 0.9, d * 0.9)
            ]
        return parts
    if form < 0.72:
        foot = min(w, d) * u(0.7, 1.0)
        return [
            limb((0, 0, 0), (0, high, 0), u(0.02, 0.06)),
            lathe([(0, 0), (foot, 0), (foot, 0.03), (0.05, 0.07), (0, 0.07)], 18),
        ]
    if form < 0.84:
        reach = min(w, d) * u(0.9, 1.2)
        leg = merge([limb((0, 0.1, 0), (reach, 0.06, 0), 0.025, sides=6), ball((reach, 0.03, 0), 0.035, 8)])
        return [limb((0, 0.08, 0), (0, high, 0), 0.03), *around(leg, pick(r, 3, 4, 5, 5))]
    if form < 0.93:
        return both(
            tube(
                [(w * 0.9, high, d), (w * 0.9, 0.02, d), (w * 0.9, 0.02, -d), (w * 0.9, high, -d)], 0.018, 5
            )
        )
    return both(box((w * 0.9, high / 2, 0), (0.04, high, 2 * d)))


def armchair(r):
    u = r.uniform
    return seat_block(r, u(0.3, 0.4), 1)


def seat_block(r, w, cushions):
    """A sofa of `cushions` seats, 2 w wide."""
    u = r.uniform
    d, seat, back, arm = u(0.36, 0.46), u(0.32, 0.42), u(0.3, 0.55), u(0.06, 0.16)
    low = pick(r, 0.02, u(0.08, 0.16))
    parts = [box((0, (low + seat) / 2, 0), (2 * w, seat - low, 2 * d))]
    step = 2 * w / cushions
    for i in range(cushions):
        x = -w + step * (i + 0.5)
        parts += [
            box((x, seat + 0.05, 0.04), (step * 0.95, 0.11, 1.8 * d)),
            box((x, seat + back * 0.5, -d * 0.75), (step * 0.95, back, 0.15), tilt=-u(0.05, 0.2)),
        ]
    parts.append(box((0, (seat + back) / 2, -d * 0.98), (2 * w, seat + back - 0.06, 0.12)))
    if r.random() < 0.85:
        rise = seat + u(0.14, 0.26)
        parts += both(box((w + arm / 2, (low + rise) / 2, 0), (arm, rise - low, 2 * d)))
        if r.random() < 0.4:
            parts += both(rod((w + arm / 2, rise, 0), arm * 0.75, 2 * d, "z"))
    return parts + (posts(w * 0.95, d * 0.9, 0, low, 0.03) if low > 0.05 else [])


def sofa(r):
    n = int(r.integers(2, 5))
    return seat_block(r, 0.3 * n * r.uniform(0.9, 1.1), n)


def stool(r):
    u = r.uniform
    w, high = u(0.15, 0.24), u(0.35, 0.8)
    top = pick(
        r,
        rod((0, high, 0), w, u(0.03, 0.1), sides=18),
        box((0, high, 0), (2 * w, 0.05, 2 * w * u(0.7, 1))),
        ball((0, high, 0), (w, 0.06, w)),
    )
    parts = [top]
    if r.random() < 0.35:
        parts += around(limb((w * 0.7, high, 0), (w * 1.2, 0, 0), 0.022, sides=6), 3, u(0, 2))
    else:
        parts += legs_of(r, w, w, high)
    return parts + (
        [placed(ring((0, 0, 0), w * 0.95, 0.012, (0, 1, 0)), (0, high * 0.35, 0))]
        if high > 0.55 and r.random() < 0.6
        else []
    )


def bench(r):
    u = r.uniform
    w, d, seat = u(0.5, 0.9), u(0.15, 0.25), u(0.35, 0.48)
    n = int(r.integers(1, 5))
    slats = np.linspace(-d, d, n + 2)[1:-1]
    parts = [box((0, seat, z), (2 * w, 0.04, 2 * d / n * 0.85)) for z in slats]
    if r.random() < 0.6:
        parts += [
            box((0, seat + y, -d - 0.05 - y * 0.15), (2 * w, 0.09, 0.03))
            for y in np.linspace(0.15, u(0.3, 0.5), int(r.integers(1, 4)))
        ]
        parts += both(limb((w * 0.85, seat, -d), (w * 0.85, seat + 0.45, -d - 0.12), 0.025, sides=4))
    if r.random() < 0.4:
        parts += both(
            box((w * 0.95, seat + 0.18, 0), (0.05, 0.04, 2 * d)),
            limb((w * 0.95, seat, d), (w * 0.95, seat + 0.18, d), 0.02, sides=4),
        )
    return parts + pick(
        r,
        posts(w * 0.85, d * 0.8, 0, seat, u(0.02, 0.05), sides=4),
        both(box((w * 0.8, seat / 2, 0), (u(0.04, 0.15), seat, 2 * d * 0.9))),
    )


def table(r):
    u = r.uniform
    high, w, d = u(0.4, 0.9), u(0.4, 0.9), u(0.3, 0.5)
    if r.random() < 0.4:
        return [rod((0, high, 0), w * 0.8, u(0.03, 0.06), sides=24), *legs_of(r, w * 0.6, w * 0.6, high)]
    parts = [box((0, high, 0), (2 * w, u(0.03, 0.08), 2 * d)), *legs_of(r, w * 0.95, d * 0.9, high)]
    return parts + ([box((0, high - 0.08, 0), (1.8 * w, 0.1, 1.7 * d))] if r.random() < 0.4 else [])


def desk(r):
    u = r.uniform
    w, d, high = u(0.55, 0.85), u(0.28, 0.4), u(0.68, 0.78)
    parts = [box((0, high, 0), (2 * w, 0.04, 2 * d))]
    side = u(0.16, 0.25)
    sides = pick(r, (1,), (-1, 1), (-1,))
    for s in (-1, 1):
        if s in sides:
            parts.append(box((s * (w - side), high / 2, 0), (2 * side, high * 0.97, 1.8 * d)))
            parts += [
                box((s * (w - side), y, 0.92 * d), (1.8 * side, high * 0.24, 0.03))
                for y in high * np.array([0.2, 0.5, 0.8])
            ]
            parts += [
                box((s * (w - side), y, 0.96 * d), (0.1, 0.02, 0.03))
                for y in high * np.array([0.2, 0.5, 0.8])
            ]
        else:
            parts += [
                limb((s * w * 0.95, 0, z), (s * w * 0.95, high, z), 0.025, sides=4)
                for z in (-d * 0.9, d * 0.9)
            ]
    return parts + ([box((0, high * 0.6, -d * 0.95), (2 * w, high * 0.6, 0.03))] if r.random() < 0.6 else [])


def bed(r):
    u = r.uniform
    w, d, low = u(0.4, 0.85), u(0.95, 1.05), u(0.15, 0.4)
    parts = [
        box((0, low, 0), (2 * w, u(0.1, 0.2), 2 * d)),
        box((0, low + 0.16, 0.02), (1.93 * w, u(0.12, 0.22), 1.95 * d)),
    ]
    head, foot = u(0.3, 0.7), u(-0.1, 0.35)
    parts += [
        box((0, (low + head) / 2, -d), (2 * w + 0.06, low + head, 0.06)),
        box((0, (low + foot) / 2 + 0.05, d), (2 * w + 0.06, low + foot + 0.1, 0.05)),
    ]
    for x in (-w / 2, w / 2) if w > 0.55 else (0,):
        parts.append(ball((x, low + 0.3, -d * 0.72), (min(w * 0.42, 0.3), 0.08, 0.17), 10))
    if r.random() < 0.5:
        parts.append(box((0, low + 0.22, d * 0.3), (2.04 * w, 0.14, 1.3 * d)))
    return parts + posts(
        w * 0.95, d * 0.95, 0, low + (u(0.9, 1.3) if r.random() < 0.12 else 0), 0.035, sides=pick(r, 4, 8)
    )


def cabinet(r):
    u = r.uniform
    w, h, d = u(0.3, 0.8), u(0.5, 1.4), u(0.2, 0.35)
    low = pick(r, 0, 0.1, 0.15)
    parts = [box((0, low + h / 2, 0), (2 * w, h, 2 * d))] + (
        posts(w * 0.9, d * 0.9, 0, low, 0.03) if low else []
    )
    rows, columns = int(r.integers(1, 5)), int(r.integers(1, 4))
    for x in (np.arange(columns) + 0.5) / columns * 2 * w - w:
        for y in (np.arange(rows) + 0.5) / rows * h + low:
            parts += [
                box((x, y, d), (2 * w / columns * 0.9, h / rows * 0.9, 0.04)),
                ball((x + pick(r, 0, 0.35) * 2 * w / columns, y, d + 0.04), 0.025, 6),
            ]
    return parts + ([box((0, low + h, 0), (2 * w + 0.08, 0.04, 2 * d + 0.06))] if r.random() < 0.5 else [])


def bookcase(r):
    u = r.uniform
    w, h, d = u(0.3, 0.6), u(0.7, 1.6), u(0.12, 0.2)
    levels = np.linspace(0.02, h, int(r.integers(3, 7)))
    parts = both(box((w, h / 2, 0), (0.04, h, 2 * d))) + [
        box((0, y, 0), (2 * w, 0.035, 2 * d)) for y in levels
    ]
    parts += [box((0, h / 2, -d), (2 * w, h, 0.015))] if r.random() < 0.7 else []
    if r.random() < 0.6:
        for y, gap in zip(levels[:-1], np.diff(levels)):
            x = -w + 0.05
            while x < w * u(0, 0.9):
                thick = u(0.03, 0.08)
                parts.append(
                    box((x + thick / 2, y + gap * 0.4, 0), (thick * 0.92, gap * u(0.6, 0.8), 1.5 * d))
                )
                x += thick
    return parts


def chest(r):
    u = r.uniform
    w, d, h, open_ = u(0.4, 0.6), u(0.25, 0.35), u(0.25, 0.4), u(0.5, 1.6) if r.random() < 0.3 else 0
    t = np.linspace(0, np.pi, 8)
    dome = u(0.3, 1)
    arc = [(d * np.cos(a), d * dome * np.sin(a)) for a in t]
    lid = placed(slab(arc, 2 * w), turn=np.pi / 2)
    lid = placed((lid[0] + [0, 0, d], lid[1]), (0, h, -d), tilt=-open_)
    parts = [box((0, h / 2, 0), (2 * w, h, 2 * d)), lid]
    for x in (-w * 0.7, w * 0.7):
        parts.append(box((x, h / 2, 0), (0.06, h * 1.02, 2 * d + 0.03)))
    return parts + [box((0, h, d), (0.1, 0.14, 0.05))]


def door(r):
    u = r.uniform
    w, h = u(0.35, 0.5), u(0.85, 1.1)
    parts = [box((0, h, 0), (2 * w, 2 * h, 0.06))]
    rows, columns = int(r.integers(1, 4)), int(r.integers(1, 3))
    for x in (np.arange(columns) + 0.5) / columns * 2 * w - w:
        for y in (np.arange(rows) + 0.5) / rows * 2 * h:
            parts.append(box((x, y, 0), (1.5 * w / columns, 1.6 * h / rows, 0.11)))
    parts += [ball((w * 0.82, h * 0.95, z), 0.04, 8) for z in (-0.1, 0.1)]
    if r.random() < 0.6:
        parts += both(box((w + 0.06, h, 0), (0.1, 2 * h, 0.14))) + [
            box((0, 2 * h + 0.05, 0), (2 * w + 0.22, 0.1, 0.14))
        ]
    return parts


def ladder(r):
    u = r.uniform
    w, h, n = u(0.2, 0.3), u(1.2, 2.2), int(r.integers(5, 12))
    side = both(limb((w, 0, 0), (w * u(0.7, 1), h, 0), 0.03, sides=pick(r, 4, 8))) + [
        limb((-w * 0.9, y, 0), (w * 0.9, y, 0), 0.022, sides=6) for y in np.linspace(0.15, h * 0.92, n)
    ]
    if r.random() < 0.4:
        lean = u(0.15, 0.35)
        back = both(limb((w, 0, 0), (w * 0.8, h, 0), 0.02, sides=4))
        return [placed((v - [0, h, 0], t), tilt=-lean) for v, t in side] + [
            placed((v - [0, h, 0], t), tilt=lean) for v, t in back
        ]
    return side


def staircase(r):
    u = r.uniform
    n, w, rise, run = int(r.integers(5, 12)), u(0.3, 0.6), u(0.12, 0.2), u(0.18, 0.28)
    if r.random() < 0.25:
        step = box((0.45, 0, 0), (0.7, 0.04, 0.26))
        return [limb((0, 0, 0), (0, n * rise + 0.5, 0), 0.06)] + [
            placed(step, (0, i * rise, 0), turn=i * 0.42) for i in range(n)
        ]
    solid = r.random() < 0.5
    parts = [
        box(
            (0, rise * (i + 1) / 2 if solid else rise * (i + 0.9), run * i),
            (2 * w, rise * (i + 1) if solid else 0.05, run),
        )
        for i in range(n)
    ]
    if r.random() < 0.6:
        top = np.array([w, rise * n + 0.5, run * (n - 1)])
        parts += both(
            limb((w, rise + 0.5, 0), top, 0.025, sides=6),
            *(
                limb((w, rise * (i + 1), run * i), (w, rise * (i + 1) + 0.5, run * i), 0.012, sides=4)
                for i in range(0, n, 2)
            ),
        )
    return parts


def fireplace(r):
    u = r.uniform
    w, h, d = u(0.5, 0.75), u(0.6, 0.9), u(0.18, 0.3)
    pillar = u(0.14, 0.22)
    parts = both(box((w - pillar / 2, h / 2, 0), (pillar, h, 2 * d))) + [
        box((0, h * 0.87, 0), (2 * w, h * 0.26, 2 * d)),
        box((0, h, 0.03), (2 * w + 0.15, 0.07, 2 * d + 0.12)),
        box((0, 0.03, d * 0.5), (2 * w + 0.1, 0.06, 3 * d)),
        box((0, h / 2, -d), (2 * w, h, 0.03)),
    ]
    if r.random() < 0.5:
        parts.append(box((0, h + 0.5, -d * 0.4), (w * u(0.9, 1.4), 1.0, d)))
    return parts + [
        rod((0, 0.1 + 0.09 * i, 0.03 * i), 0.05, w * 0.9, "x", sides=8) for i in range(int(r.integers(0, 4)))
    ]


KINDS = {
    "chair": chair,
    "armchair": armchair,
    "sofa": sofa,
    "stool": stool,
    "bench": bench,
    "table": table,
    "desk": desk,
    "bed": bed,
    "cabinet": cabinet,
    "bookcase": bookcase,
    "chest": chest,
    "door": door,
    "ladder": ladder,
    "staircase": staircase,
    "fireplace": fireplace,
}

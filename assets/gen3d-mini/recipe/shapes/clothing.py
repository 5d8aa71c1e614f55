"""What is worn or carried."""

import numpy as np

from shapes.parts import around, grip, moved, pick, rod
from solids import ball, both, box, grid, lathe, limb, merge, placed, ring, slab, tube


def hat(r):
    u = r.uniform
    brim, crown, high = u(0.6, 1.0), u(0.35, 0.5), u(0.3, 0.9)
    curl = u(-0.05, 0.15)
    top = crown * u(0.6, 1.05)
    return [
        placed(
            lathe(
                [
                    (brim, curl),
                    (crown, 0),
                    (top, high),
                    (0, high * u(0.85, 1.02)),
                    (top * 0.95, high - 0.04),
                    (crown * 0.95, -0.02),
                    (brim, curl - 0.02),
                ]
            ),
            scale=(1, 1, u(1, 1.25)),
        )
    ]


def glasses(r):
    u = r.uniform
    lens, gap = u(0.18, 0.24), u(0.03, 0.08)
    x = lens + gap
    squash = (u(0.9, 1.2), u(0.6, 1.0), 1)
    rim = placed(ring((0, 0, 0), lens, u(0.012, 0.03)), scale=squash)
    parts = both(placed(rim, (x, 0, 0)))
    edge = x + lens * squash[0]
    parts += both(tube([(edge, 0.03, 0), (edge, 0.03, -0.7), (edge, -0.1, -0.85)], 0.018, 6))
    parts.append(limb((-gap * 1.3, 0.04, 0), (gap * 1.3, 0.04, 0), 0.015, sides=6))
    return parts


def umbrella(r):
    u = r.uniform
    sides = int(r.integers(6, 13))
    if r.random() < 0.15:
        return [lathe([(0, -1), (0.03, -0.95), (u(0.08, 0.14), 0.0), (0.02, 0.8), (0, 0.95)], sides)]
    height, reach = u(0.25, 0.6), u(0.8, 1.1)
    bulge = u(0, 0.12)
    profile = [
        (0, height),
        (reach * 0.3, height * 0.88 + bulge),
        (reach * 0.7, height * 0.5 + bulge),
        (reach, 0),
    ]
    canopy = lathe(profile + ([(reach, -u(0.04, 0.12))] if r.random() < 0.4 else []), sides)
    pole = u(1.1, 1.9)
    thick = u(0.015, 0.03)
    parts = [canopy, limb((0, height + 0.08, 0), (0, -pole, 0), thick)]
    kind = r.random()
    if kind < 0.5:
        wide = u(0.15, 0.4)
        parts.append(
            lathe([(0, -pole), (wide, -pole), (wide, 0.06 - pole), (0.05, 0.1 - pole), (0, 0.1 - pole)])
        )
    else:
        t = np.linspace(0, np.pi, 8)
        hook = u(0.07, 0.12)
        points = np.stack([hook * (1 - np.cos(t)), -pole - hook * np.sin(t), 0 * t], 1)
        parts.append(tube(points, thick * 1.6, 6))
    if kind > 0.8:
        tilt = u(0.2, 0.7)
        parts = moved(parts, tilt=tilt)
    return parts


def cap(r):
    u = r.uniform
    crown = ball((0, 0, 0), (0.5, u(0.4, 0.55), 0.56), 16)
    crown[0][:, 1] = np.maximum(crown[0][:, 1], -0.02)
    t = np.linspace(-1.1, 1.1, 9)
    out, droop = u(0.3, 0.45), u(0, 0.15)
    rows = [
        [
            (0.48 * np.sin(a), -k * droop - 0.06 * a * a * k, 0.5 * np.cos(a) + k * out * np.cos(a) ** 0.5)
            for a in t
        ]
        for k in (0, 0.5, 1)
    ]
    return [crown, grid(np.array(rows), wrap=False), ball((0, crown[0][:, 1].max(), 0), 0.04, 6)]


def pointed_hat(r):
    u = r.uniform
    bend, high = u(-0.3, 0.3), u(0.9, 1.4)
    return [
        lathe([(u(0.6, 0.9), -0.03), (0.4, 0), (0.4, 0.03)], 18),
        tube(
            [(0, 0, 0), (0, high * 0.4, 0), (bend * 0.4, high * 0.75, 0), (bend, high, 0)],
            [0.4, 0.25, 0.12, 0.01],
            14,
        ),
    ]


def top_hat(r):
    u = r.uniform
    return [
        placed(
            lathe(
                [(u(0.6, 0.75), u(0, 0.1)), (0.42, 0), (0.4, 0.3), (u(0.4, 0.5), u(0.5, 0.9)), (0, 0.75)], 20
            ),
            scale=(1, 1, 1.15),
        )
    ]


def beanie(r):
    u = r.uniform
    return [
        lathe(
            [
                (0.42, 0),
                (0.48, 0.05),
                (0.48, 0.18),
                (0.44, 0.2),
                (0.42, 0.4),
                (0.25, u(0.6, 0.75)),
                (0, 0.75),
            ],
            16,
        )
    ] + ([ball((0, 0.82, 0), u(0.1, 0.16), 8)] if r.random() < 0.6 else [])


def helmet(r):
    u = r.uniform
    shell = ball((0, 0, 0), (0.5, u(0.45, 0.6), u(0.55, 0.65)), 16)
    shell[0][:, 1] = np.maximum(shell[0][:, 1], -u(0.05, 0.3))
    form = r.random()
    if form < 0.35:
        return [shell, lathe([(0.7, -0.02), (0.5, 0.02), (0.5, 0.05)], 18)]
    if form < 0.65:
        return [
            shell,
            placed(slab([(-0.4, 0), (0, 0.35), (0.4, 0.1), (0.1, 0)], 0.05), (0, 0.4, 0), turn=np.pi / 2),
            box((0, -0.1, 0.55), (0.05, 0.3, 0.05)),
        ]
    return [shell, tube([(-0.45, -0.3, 0.25), (0, -0.35, 0.6), (0.45, -0.3, 0.25)], 0.1, 6)] + both(
        box((0.45, -0.2, 0), (0.06, 0.35, 0.4))
    )


def crown(r):
    u = r.uniform
    n = int(r.integers(5, 10))
    parts = [lathe([(0.5, 0), (0.52, 0.3), (0.48, 0.3), (0.47, 0), (0.5, 0)], 24)]
    tip = merge(
        [
            placed(slab([(-0.13, 0), (0.13, 0), (0, u(0.25, 0.5))], 0.03), (0, 0.28, 0.5)),
            ball((0, 0.28 + 0.4, 0.5), 0.04, 6),
        ]
    )
    return parts + around(tip, n)


def shoe(r):
    u = r.uniform
    heel, shaft, wide = pick(r, 0.04, 0.06, u(0.2, 0.45)), pick(r, 0.12, 0.2, u(0.5, 0.9)), u(0.13, 0.19)
    z = np.linspace(-0.45, 0.6, 10)
    sole = np.interp(z, [-0.45, -0.2, 0.2, 0.6], [heel, heel, 0.03, 0.04])
    top = sole + np.interp(z, [-0.45, -0.3, 0, 0.25, 0.5, 0.6], [0.2, 0.26, 0.27, 0.19, 0.13, 0.06])
    w = wide * np.interp(z, [-0.45, -0.3, 0, 0.3, 0.5, 0.6], [0.45, 0.75, 0.75, 1, 0.8, u(0.2, 0.5)])
    rows = [
        [
            (-a, b, d),
            (-a * 0.95, (b + c) / 2, d),
            (-a * 0.4, c, d),
            (a * 0.4, c, d),
            (a * 0.95, (b + c) / 2, d),
            (a, b, d),
        ]
        for a, b, c, d in zip(w, sole, top, z)
    ]
    parts = [
        grid(np.array(rows)),
        tube(
            [(0, heel + 0.2, -0.2), (0, heel + 0.25, -0.22), (0, heel + 0.2 + shaft, -0.24)],
            [wide * 0.9, wide * 0.85, wide * u(0.8, 1.1)],
            12,
        ),
    ]
    parts.append(
        box((0, heel / 2, -0.33), (wide * 1.2 if heel < 0.1 else 0.1, heel, 0.22 if heel < 0.1 else 0.12))
    )
    parts.append(
        box((0, 0.02, 0.25), (wide * 1.8, 0.05, 0.6))
        if heel < 0.1
        else box((0, 0.015, 0.3), (wide * 1.5, 0.03, 0.4))
    )
    return parts


def glove(r):
    u = r.uniform
    mitten = r.random() < 0.35
    parts = [
        placed(
            tube(
                [(0, -0.5, 0), (0, -0.3, 0), (0, -0.1, 0), (0, 0.2, 0), (0, 0.3, 0)],
                [u(0.2, 0.3), 0.19, 0.24, 0.26, 0.2],
                12,
            ),
            scale=(1, 1, u(0.45, 0.7)),
        )
    ]
    if mitten:
        parts.append(ball((0, 0.35, 0), (0.26, 0.38, 0.15)))
    else:
        parts += [
            limb((x, 0.2, 0), (x * u(1.1, 1.6), 0.2 + long, u(-0.05, 0.1)), 0.075, 0.06)
            for x, long in ((0.18, 0.36), (0.06, 0.42), (-0.06, 0.39), (-0.18, 0.28))
        ]
    return parts + [
        tube([(0.18, -0.1, 0), (0.34, 0.05, 0.05), (u(0.36, 0.45), 0.22, 0.06)], [0.1, 0.085, 0.07], 8)
    ]


def garment(outline):
    """Cloth from rows (half width, height, half depth)."""
    t = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    return grid(np.array([np.stack([w * np.cos(t), 0 * t + y, d * np.sin(t)], 1) for w, y, d in outline]))


def shirt(r):
    u = r.uniform
    w, out, drop = u(0.28, 0.4), u(0.25, 0.7), u(0.1, 0.6)
    parts = [
        garment(
            [
                (w * u(0.9, 1.2), -0.45, 0.16),
                (w * 0.95, 0, 0.16),
                (w, 0.35, 0.15),
                (w * 0.6, 0.45, 0.12),
                (0.1, 0.47, 0.08),
            ]
        )
    ]
    return parts + both(limb((w * 0.75, 0.32, 0), (w + out, 0.3 - drop, 0), 0.14, 0.1))


def trousers(r):
    u = r.uniform
    long, flare = u(0.5, 1.1), u(0.08, 0.2)
    return [garment([(0.27, 0.35, 0.16), (0.3, 0.1, 0.19), (0.3, -0.05, 0.18), (0.02, -0.1, 0.1)])] + both(
        tube([(0.15, 0.05, 0), (0.16, -long / 2, 0.02), (0.17, -long, 0)], [0.155, 0.12, flare], 12)
    )


def dress(r):
    u = r.uniform
    hem = u(0.35, 0.8)
    parts = [
        garment(
            [
                (hem, -0.9, hem * 0.9),
                ((hem + 0.2) / 2, -0.4, 0.3),
                (u(0.16, 0.22), 0.05, 0.14),
                (0.26, 0.35, 0.16),
                (0.2, 0.5, 0.1),
            ]
        )
    ]
    return parts + (
        both(limb((0.2, 0.42, 0), (u(0.4, 0.6), u(0, 0.3), 0), 0.11, 0.1)) if r.random() < 0.5 else []
    )


def backpack(r):
    u = r.uniform
    w, h, d = u(0.3, 0.4), u(0.4, 0.55), u(0.16, 0.24)
    parts = [
        placed(ball((0, 0, 0), 1, 12), scale=(w, h, d)),
        box((0, -h * 0.1, 0), (2 * w * 0.9, h * 1.5, d * 1.6)),
        box((0, -h * 0.35, d), (w * 1.3, h * 0.7, d * 0.7)),
    ]
    t = np.linspace(0.2, np.pi - 0.2, 8)
    strap = tube(np.stack([0 * t + w * 0.6, h * 0.75 * np.cos(t), -d - 0.18 * np.sin(t)], 1), 0.035, 6)
    return parts + both(strap) + [ring((0, h, -d * 0.4), 0.07, 0.02)]


def handbag(r):
    u = r.uniform
    w, h, d = u(0.35, 0.55), u(0.3, 0.5), u(0.1, 0.2)
    body = grid(
        np.array(
            [
                [(-a, y, -b), (a, y, -b), (a, y, b), (-a, y, b)]
                for a, y, b in ((0.01, 0, 0.01), (w, 0, d), (w * u(0.75, 1), h, d * 0.4), (0.01, h, 0.01))
            ]
        )
    )
    t = np.linspace(0, np.pi, 9)
    loop = tube(np.stack([w * 0.6 * np.cos(t), h + u(0.2, 0.6) * np.sin(t), 0 * t], 1), 0.025, 6)
    return [body, placed(loop, (0, 0, d * 0.3))] + (
        [placed(loop, (0, 0, -d * 0.3))] if r.random() < 0.5 else []
    )


def suitcase(r):
    u = r.uniform
    w, h, d = u(0.7, 1), u(0.5, 0.7), u(0.18, 0.3)
    if r.random() < 0.5:
        return [
            box((0, h / 2, 0), (w, h, d)),
            placed(grip(0, 0, 0.1, 0.14, 0.025), (0, h, 0), roll=np.pi / 2),
        ] + both(box((w * 0.3, h * 0.98, d / 2), (0.08, 0.06, 0.03)))
    parts = [box((0, w / 2 + 0.08, 0), (h, w, d))] + both(
        limb((h * 0.2, w, -d * 0.4), (h * 0.2, w + u(0.2, 0.5), -d * 0.4), 0.015, sides=5),
        rod((h * 0.4, 0.05, -d * 0.3), 0.05, 0.04, "x", sides=8),
        rod((h * 0.4, 0.05, d * 0.3), 0.05, 0.04, "x", sides=8),
    )
    return (
        parts
        + [box((0, w + 0.2, -d * 0.4), (h * 0.45, 0.04, 0.04))]
        + [box((x, w / 2 + 0.08, d / 2), (0.03, w * 0.9, 0.02)) for x in np.linspace(-h * 0.35, h * 0.35, 5)]
    )


def finger_ring(r):
    u = r.uniform
    band = ring((0, 0, 0), 0.5, u(0.03, 0.1), sides=26)
    stone = pick(
        r,
        ball((0, 0.6, 0), u(0.1, 0.2), 8),
        lathe([(0, 0.48), (u(0.12, 0.22), 0.7), (0.1, 0.78), (0, 0.78)], 8),
        box((0, 0.58, 0), (0.2, 0.12, 0.2)),
    )
    return [band] + ([stone] if r.random() < 0.75 else [])


def watch(r):
    u = r.uniform
    w = u(0.18, 0.26)
    face_ = pick(r, rod((0, 0, 0.36), w, 0.1, "z", sides=20), box((0, 0, 0.36), (2 * w, 2 * w, 0.1)))
    t = np.linspace(0, 2 * np.pi, 25)
    band = [[(s * w * 0.55, u(0.36, 0.361) * np.sin(a), 0.33 * np.cos(a)) for s in (-1, 1)] for a in t]
    return [face_, grid(np.array(band), wrap=False), rod((w + 0.02, 0, 0.36), 0.03, 0.05, "x", sides=6)]


KINDS = {
    "hat": lambda r: pick(r, hat, pointed_hat, top_hat, beanie, cap)(r),
    "cap": cap,
    "top hat": top_hat,
    "helmet": helmet,
    "crown": crown,
    "glasses": glasses,
    "umbrella": umbrella,
    "shoe": shoe,
    "glove": glove,
    "shirt": shirt,
    "trousers": trousers,
    "dress": dress,
    "backpack": backpack,
    "handbag": handbag,
    "suitcase": suitcase,
    "ring": finger_ring,
    "wristwatch": watch,
}

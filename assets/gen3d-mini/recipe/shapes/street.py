"""Things of streets, gardens and yards."""

import numpy as np

from shapes.parts import around, grip, lump, moved, pick, posts, rod
from solids import ball, both, box, grid, lathe, limb, placed, ring, slab, tube


def gravestone(r):
    u = r.uniform
    w, h, d = u(0.3, 0.45), u(0.5, 0.9), u(0.06, 0.14)
    form = r.random()
    base = [box((0, 0.04, 0), (2 * w + 0.15, u(0.06, 0.15), 0.3))]
    if form < 0.55:
        t = np.linspace(0, np.pi, 9)
        top = [(w * np.cos(a), h + w * u(0.6, 1.0) * np.sin(a)) for a in t]
        return base + [slab([*top, (-w, 0), (w, 0)], 2 * d)]
    if form < 0.8:
        return base + [
            box((0, h * 0.7, 0), (0.16, 1.4 * h, 0.12)),
            box((0, h * u(0.85, 1.05), 0), (2 * w, 0.16, 0.12)),
        ]
    return base + [limb((0, 0, 0), (0, h * 1.6, 0), 0.2, 0.12, 4), lathe([(0.13, h * 1.6), (0, h * 1.8)], 4)]


def sign(r):
    u = r.uniform
    high, w = u(0.8, 1.4), u(0.25, 0.45)
    board = pick(
        r,
        rod((0, high, 0.03), w, 0.04, "z", sides=20),
        rod((0, high, 0.03), w, 0.04, "z", sides=8),
        box((0, high, 0.03), (2 * w, u(0.2, 0.6), 0.04)),
        rod((0, high, 0.03), w, 0.04, "z", sides=3),
        slab([(-w, 0.15), (-w, -0.15), (w * 0.7, -0.15), (w * 1.1, 0), (w * 0.7, 0.15)], 0.04),
    )
    if board[0][:, 1].mean() < 0.2:
        board = placed(board, (0, high, 0.03))
    return [board, limb((0, 0, 0), (0, high, 0), u(0.02, 0.05), sides=pick(r, 4, 8))]


def mailbox(r):
    u = r.uniform
    if r.random() < 0.6:
        t, w = np.linspace(0, np.pi, 9), u(0.16, 0.24)
        arch = [(w * np.cos(a), 0.1 + w * np.sin(a)) for a in t] + [(-w, -0.12), (w, -0.12)]
        return [
            placed(slab(arch, u(0.55, 0.75)), (0, 1.0, 0)),
            limb((0, 0, 0), (0, 0.95, 0), u(0.04, 0.07), sides=4),
            box((w + 0.02, 1.15, 0.1), (0.02, 0.24, 0.05)),
            box((w + 0.02, 1.24, 0.16), (0.02, 0.08, 0.12)),
        ]
    if r.random() < 0.5:
        return [
            rod((0, 0.55, 0), u(0.22, 0.32), 1.0, sides=18),
            lathe([(0.34, 1.05), (0.3, 1.15), (0, u(1.2, 1.3))], 18),
            rod((0, 0.04, 0), 0.33, 0.1, sides=18),
            box((0, 0.95, 0.26), (0.3, 0.05, 0.08)),
        ]
    dome = rod((0, 1.0, 0), 0.28, 0.56, "x", sides=18)
    return [
        box((0, 0.6, 0), (0.56, 0.8, u(0.5, 0.62))),
        dome,
        *posts(0.24, 0.24, 0, 0.25, 0.03, sides=4),
        box((0, u(0.95, 1.1), 0.25), (u(0.3, 0.5), 0.1, 0.05)),
    ]


def flag(r):
    u = r.uniform
    high, w, h = u(1.5, 2.0), u(0.6, 0.9), u(0.4, 0.55)
    x = np.linspace(0, 1, 12)
    wave = u(0.03, 0.12) * np.sin(x * u(5, 9)) * x
    droop = u(0, 0.3) * x**2
    rows = [[(a * w, high - s * h - d, b) for a, b, d in zip(x, wave, droop)] for s in (0, 0.5, 1)]
    return [
        grid(np.array(rows), wrap=False),
        limb((0, 0, 0), (0, high + 0.03, 0), u(0.015, 0.03)),
        ball((0, high + 0.05, 0), 0.04, 6),
    ] + ([rod((0, 0.02, 0), 0.2, 0.05)] if r.random() < 0.5 else [])


def swing(r):
    u = r.uniform
    w, high, n = u(0.6, 1.1), u(1.0, 1.3), int(r.integers(1, 4))
    parts = [rod((0, high, 0), 0.035, 2 * w, "x", sides=8)] + both(
        limb((w * 0.95, high, 0), (w, 0, u(0.35, 0.5)), 0.03), limb((w * 0.95, high, 0), (w, 0, -0.45), 0.03)
    )
    for x in (np.arange(n) + 0.5) / n * 1.7 * w - 0.85 * w:
        a = u(-0.5, 0.5)
        seat = np.array([x, high - 0.85 * np.cos(a), 0.85 * np.sin(a)])
        parts += [limb((x + s * 0.14, high, 0), seat + [s * 0.14, 0, 0], 0.01, sides=4) for s in (-1, 1)] + [
            box(seat, (0.34, 0.03, 0.14))
        ]
    return parts


def trash_can(r):
    u = r.uniform
    w, high = u(0.25, 0.36), u(0.6, 0.95)
    form = r.random()
    if form < 0.5:
        parts = [
            lathe(
                [
                    (0, 0),
                    (w * u(0.75, 1), 0),
                    (w, high),
                    (w * 1.06, high),
                    (w * 1.06, high - 0.04),
                    (w * 0.9, high - 0.03),
                    (0, 0.05),
                ],
                20,
            )
        ]
        return parts + (
            [
                lathe([(w * 1.08, high), (w * 0.9, high + 0.08), (0, high + u(0.1, 0.25))], 20),
                grip(0, 0, 0.05, 0.1, 0.02),
            ]
            if r.random() < 0.6
            else []
        )
    parts = [
        grid(
            np.array(
                [
                    [(-a, y, -a), (a, y, -a), (a, y, a), (-a, y, a)]
                    for a, y in ((0.01, 0), (w * 0.8, 0), (w, high), (w * 0.9, high), (0.01, high))
                ]
            )
        ),
        box((0, high + 0.04, 0), (2 * w + 0.06, 0.07, 2 * w + 0.1)),
    ]
    return (
        parts
        + both(rod((w * 0.75, 0.09, -w * 0.85), 0.09, 0.06, "x", sides=12))
        + [rod((0, high - 0.03, -w - 0.08), 0.02, 1.6 * w, "x", sides=6)]
    )


def hydrant(r):
    u = r.uniform
    high = u(0.5, 0.75)
    parts = [
        lathe(
            [
                (0, 0),
                (0.28, 0),
                (0.28, 0.06),
                (0.18, 0.08),
                (0.17, high),
                (0.22, high),
                (0.22, high + 0.05),
                (0.17, high + 0.14),
                (0.06, high + 0.2),
                (0, high + 0.27),
            ],
            14,
        )
    ]
    return (
        parts
        + both(rod((0.22, high * 0.75, 0), 0.08, 0.14, "x", sides=10))
        + [rod((0, high * 0.7, 0.22), 0.11, 0.14, "z", sides=10)]
    )


def traffic_light(r):
    u = r.uniform
    high, n = u(0.8, 1.6), pick(r, 3, 3, 2)
    head = [box((0, 0, 0), (0.24, 0.22 * n + 0.06, 0.18))] + [
        rod((0, 0.21 * (i - (n - 1) / 2), 0.12), 0.08, 0.1, "z", sides=12) for i in range(n)
    ]
    if r.random() < 0.35:
        reach = u(0.6, 1.0)
        return [
            tube([(0, 0, 0), (0, high, 0), (0.05, high + 0.15, 0), (reach, high + 0.2, 0)], 0.03, 6)
        ] + moved(head, (reach, high, 0.05))
    return moved(head, (0, high, 0.08)) + [
        limb((0, 0, 0), (0, high + 0.2, 0), 0.035),
        rod((0, 0.02, 0), 0.12, 0.05),
    ]


def cone(r):
    u = r.uniform
    w = u(0.2, 0.3)
    return [
        box((0, 0.02, 0), (2.6 * w, 0.05, 2.6 * w)),
        lathe([(w, 0.04), (0.05, u(0.7, 0.9)), (0, 0.8)], 18),
    ]


def barrel(r):
    u = r.uniform
    w, bulge, high = u(0.3, 0.4), u(1.0, 1.3), u(0.7, 1.1)
    t = np.linspace(0, 1, 9)
    rad = w * (1 + (bulge - 1) * np.sin(np.pi * t))
    hoops = [
        placed(ring((0, 0, 0), np.interp(a, t, rad), 0.02, (0, 1, 0)), (0, a * high, 0))
        for a in (0.08, 0.3, 0.7, 0.92)
    ]
    return moved(
        [lathe([(0, 0), *zip(rad, t * high), (0, high)], 20), *hoops], tilt=pick(r, 0, 0, np.pi / 2)
    )


def crate(r):
    u = r.uniform
    w, h, d, t = u(0.4, 0.6), u(0.35, 0.6), u(0.4, 0.6), 0.07
    parts = [box((0, h, 0), (1.9 * w, 1.9 * h, 1.9 * d))] if r.random() < 0.7 else []
    for z in (-d, d):
        parts += [box((0, y, z), (2 * w, t, t)) for y in (t / 2, 2 * h - t / 2)] + both(
            box((w - t / 2, h, z), (t, 2 * h, t))
        )
        parts.append(
            placed(box((0, 0, 0), (t, 2 * np.hypot(w, h) * 0.9, t * 0.8)), (0, h, z), roll=np.arctan2(w, h))
        )
    return parts + both(*(box((w, y, 0), (t, t, 2 * d)) for y in (t / 2, h, 2 * h - t / 2)))


def fountain(r):
    u = r.uniform
    a, b = u(0.8, 1.0), u(0.35, 0.5)
    parts = [
        lathe([(0, 0), (a, 0), (a, 0.2), (a * 0.9, 0.2), (a * 0.88, 0.06), (0, 0.06)], pick(r, 8, 22)),
        lathe(
            [
                (0, 0),
                (0.15, 0.05),
                (0.08, 0.3),
                (0.1, 0.5),
                (b, 0.65),
                (b * 0.95, 0.66),
                (0.1, 0.56),
                (0, 0.56),
            ],
            18,
        ),
    ]
    return parts + [
        lathe(
            [(0, 0.5), (0.06, 0.6), (0.05, 0.85), (b * 0.5, 0.95), (b * 0.47, 0.96), (0, u(0.95, 1.2))], 14
        )
    ]


def slide(r):
    u = r.uniform
    high, long = u(0.8, 1.1), u(1.0, 1.5)
    t = np.linspace(0, 1, 10)
    y = high * (1 - t) ** u(1.0, 1.4) + 0.06
    rows = [
        [(-0.2, b + 0.12, a * long), (-0.2, b, a * long), (0.2, b, a * long), (0.2, b + 0.12, a * long)]
        for a, b in zip(t, y)
    ]
    parts = [grid(np.array(rows), wrap=False)] + both(
        limb((0.2, 0, -0.4), (0.2, high + 0.4, -0.05), 0.025, sides=6),
        limb((0.2, 0, 0.1), (0.2, high, 0.02), 0.02, sides=6),
    )
    return parts + [
        rod((0, k * high, -0.4 + 0.33 * k), 0.02, 0.4, "x", sides=5) for k in np.linspace(0.12, 0.95, 6)
    ]


def seesaw(r):
    u = r.uniform
    a = u(-0.25, 0.25)
    parts = [
        placed(box((0, 0, 0), (2.4, 0.05, 0.2)), (0, 0.42, 0), roll=a),
        *both(placed(rod((0.85, 0.12, 0), 0.02, 0.24, "z", sides=6), (0, 0.42, 0), roll=a)),
    ]
    return (
        parts
        + [limb((0, 0.42, z), (x, 0, z), 0.03) for x in (-0.2, 0.2) for z in (-0.14, 0.14)]
        + [rod((0, 0.4, 0), 0.03, 0.35, "z")]
    )


def telescope(r):
    u = r.uniform
    lift = u(-0.1, 0.8)
    scope = [
        tube(
            [(0, 0, -0.6), (0, 0, -0.4), (0, 0, -0.38), (0, 0, 0.5), (0, 0, 0.52), (0, 0, 0.7)],
            [0.05, 0.05, 0.09, u(0.1, 0.16), 0.17, 0.17],
            12,
        )
    ]
    return moved(scope, (0, 0.9, 0), tilt=-lift) + around(
        limb((0, 0.85, 0), (0.4, 0, 0), 0.025, sides=6), 3, u(0, 2)
    )


def rock(r):
    u = r.uniform
    return [lump(r, (u(0.6, 1), u(0.4, 0.9), u(0.6, 1)), u(0.08, 0.2), 12)]


KINDS = {
    "gravestone": gravestone,
    "sign": sign,
    "mailbox": mailbox,
    "flag": flag,
    "swing": swing,
    "playground slide": slide,
    "seesaw": seesaw,
    "trash can": trash_can,
    "fire hydrant": hydrant,
    "traffic light": traffic_light,
    "traffic cone": cone,
    "barrel": barrel,
    "crate": crate,
    "fountain": fountain,
    "telescope": telescope,
    "rock": rock,
}

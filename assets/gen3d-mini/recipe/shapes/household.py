"""Small things of the house."""

import numpy as np

from shapes.parts import around, grip, moved, pick, rod
from solids import ball, both, box, grid, lathe, limb, placed, ring, slab, tube


def hourglass(r):
    u = r.uniform
    w, h, neck = u(0.26, 0.36), u(0.5, 0.65), u(0.02, 0.05)
    t = np.linspace(-1, 1, 13)
    rad = neck + (w - neck) * np.abs(np.sin(t * np.pi / 2)) ** u(1, 1.6)
    parts = [lathe([(0, -h), *zip(rad, t * h), (0, h)], 16)] + [
        rod((0, s * (h + 0.03), 0), w * 1.35, 0.07, sides=pick(r, 6, 18)) for s in (-1, 1)
    ]
    return parts + around(rod((w * 1.15, 0, 0), u(0.02, 0.04), 2 * h, sides=6), int(r.integers(2, 5)))


def clock(r):
    u = r.uniform
    form = r.random()
    w = u(0.35, 0.5)
    face = [rod((0, 0, 0), w, 0.1, "z", sides=24), ring((0, 0, 0.05), w * 0.97, 0.035)] + [
        placed(box((0, w * k / 2, 0.07), (0.025, w * k, 0.02)), roll=u(0, 6.28)) for k in (0.5, 0.75)
    ]
    face += [placed(box((0, w * 0.82, 0.06), (0.02, 0.07, 0.02)), roll=i * np.pi / 6) for i in range(12)]
    if form < 0.4:
        return face
    if form < 0.7:
        return (
            face
            + both(
                placed(ball((0, 0, 0), (0.17, 0.12, 0.12), 10), (0.26, w + 0.06, 0), roll=-0.5),
                limb((w * 0.6, -w * 0.6, 0), (w * 0.8, -w * 1.15, 0), 0.03),
            )
            + [limb((0, w, 0), (0, w + 0.2, 0), 0.025)]
        )
    return moved(face, (0, 1.55, 0.14), 0.75) + [
        box((0, 1.55, 0), (0.8, 0.8, 0.3)),
        box((0, 0.75, 0), (0.6, 1.0, 0.26)),
        box((0, 0.15, 0), (0.8, 0.35, 0.32)),
        slab([(-0.4, 1.95), (0.4, 1.95), (0, 2.2)], 0.3),
        rod((0, 0.7, 0.14), 0.13, 0.04, "z"),
    ]


def book(r):
    u = r.uniform
    w, h, t = u(0.35, 0.5), u(0.5, 0.65), u(0.06, 0.2)
    if r.random() < 0.35:
        x = np.linspace(0, 1, 7)
        page = [[(a * w, t * np.sin(a * 2.6) + 0.02, z) for a in x] for z in (-h, h)]
        return both(grid(np.array(page), wrap=False), placed(box((w / 2, 0, 0), (w, 0.03, 2 * h)), roll=0))
    n = int(pick(r, 1, 1, 2, 4))
    parts = []
    for i in range(n):
        one = [
            box((0, 0, 0), (2 * w * 0.95, t * 0.8, 1.9 * h)),
            box((0, t / 2, 0), (2 * w, t * 0.12, 2 * h)),
            box((0, -t / 2, 0), (2 * w, t * 0.12, 2 * h)),
            box((-w, 0, 0), (t * 0.12, t, 2 * h)),
        ]
        parts += moved(one, (0, i * 1.12 * t, 0), turn=u(-0.4, 0.4) * min(i, 1))
    return moved(parts, tilt=pick(r, 0, -np.pi / 2))


def box_(r):
    u = r.uniform
    w, h, d = u(0.4, 0.7), u(0.3, 0.6), u(0.3, 0.6)
    if r.random() < 0.5:
        return [box((0, 0, 0), (2 * w, 2 * h, 2 * d)), box((0, h, 0), (0.12, 0.02, 2 * d + 0.01))]
    parts = (
        both(box((w, h, 0), (0.02, 2 * h, 2 * d)))
        + [box((0, h, z), (2 * w, 2 * h, 0.02)) for z in (-d, d)]
        + [box((0, 0.01, 0), (2 * w, 0.02, 2 * d))]
    )
    flap = u(0.2, 2.2)
    return parts + both(placed(box((w / 3, 0, 0), (w / 1.5, 0.02, 2 * d)), (w + 0, 2 * h, 0), roll=flap - 1))


def picture_frame(r):
    u = r.uniform
    w, h, t = u(0.4, 0.8), u(0.4, 0.8), u(0.06, 0.14)
    parts = (
        [box((0, 0, -0.02), (2 * w, 2 * h, 0.03))]
        + both(box((w, 0, 0), (t, 2 * h + t, 0.08)))
        + [box((0, y, 0), (2 * w + t, t, 0.08)) for y in (-h, h)]
    )
    return (
        moved(parts, tilt=-0.25) + [box((0, -h * 0.5, -0.25), (0.15, h, 0.02), tilt=0.35)]
        if r.random() < 0.4
        else parts
    )


def basket(r):
    u = r.uniform
    a, b, high = u(0.35, 0.5), u(0.45, 0.65), u(0.3, 0.6)
    parts = [lathe([(0, 0), (a, 0), (b, high), (b * 0.95, high), (a * 0.95, 0.04), (0, 0.04)], 18)] + [
        placed(ring((0, 0, 0), a + (b - a) * k, 0.03, (0, 1, 0)), (0, high * k, 0)) for k in (0.3, 0.65, 1)
    ]
    t = np.linspace(0, np.pi, 10)
    return parts + (
        [tube(np.stack([b * np.cos(t), high + u(0.35, 0.7) * np.sin(t), 0 * t], 1), 0.035, 6)]
        if r.random() < 0.6
        else both(grip(b, high * 0.9, 0.1, 0.1, 0.025))
    )


def bucket(r):
    u = r.uniform
    a, b, high = u(0.25, 0.4), u(0.35, 0.5), u(0.5, 0.7)
    t = np.linspace(0, np.pi, 10)
    sag = u(-0.3, 1.0)
    return [
        lathe(
            [
                (0, 0),
                (a, 0),
                (b, high),
                (b * 1.05, high),
                (b * 0.95, high - 0.02),
                (a * 0.95, 0.04),
                (0, 0.04),
            ],
            18,
        ),
        tube(
            np.stack([b * np.cos(t), high - 0.04 + b * sag * np.sin(t), b * (1 - abs(sag)) * np.sin(t)], 1),
            0.018,
            5,
        ),
    ]


def stapler(r):
    u = r.uniform
    lift, w = u(0.02, 0.35), u(0.1, 0.16)
    top = [
        placed(
            slab(
                [(0, -0.02), (0.25, -0.02), (1.15, 0), (1.2, 0.1), (1.0, u(0.16, 0.22)), (0.1, 0.2)], 2 * w
            ),
            roll=lift,
        ),
        placed(box((0.6, -0.05, 0), (1.1, 0.08, w)), roll=lift * 0.9),
    ]
    return [
        box((0.55, -0.16, 0), (1.3, 0.07, 2.2 * w)),
        box((0.1, -0.06, 0), (0.25, 0.2, 2 * w)),
        box((1.05, -0.12, 0), (0.2, 0.04, w)),
        *top,
    ]


KINDS = {
    "hourglass": hourglass,
    "clock": clock,
    "book": book,
    "box": box_,
    "picture frame": picture_frame,
    "basket": basket,
    "bucket": bucket,
    "stapler": stapler,
}

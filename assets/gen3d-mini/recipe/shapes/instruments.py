"""Musical instruments."""

import numpy as np

from shapes.parts import around, moved, pick, posts, rod
from solids import ball, both, box, lathe, limb, placed, ring, slab, tube


def stringed(r, body, neck, waist, depth, curve):
    """A guitar or violin lying against the wall: body, neck and head, face to +z."""
    u = r.uniform
    t = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    half = body * (u(0.3, 0.38) + 0.06 * np.sin(t)) * 1.0
    pinch = 1 - waist * np.exp(-((np.sin(t) - 0.15) ** 2) / 0.12)
    outline = np.stack([half * np.cos(t) * pinch, -body / 2 * np.sin(t)], 1)
    parts = [slab(outline, depth)]
    top = body / 2
    wide = body * u(0.08, 0.11)
    parts.append(
        box((0, top + neck / 2 - body * 0.15, depth * 0.5), (wide, neck + body * 0.3, depth * 0.35))
    )
    head = u(0.14, 0.2)
    parts.append(
        box((0, top + neck + head / 2, depth * 0.35), (wide * u(1.3, 2), head, depth * 0.35), tilt=-0.2)
    )
    for i in range(3):
        y = top + neck + head * (0.25 + 0.25 * i)
        parts += both(limb((wide * 0.7, y, depth * 0.3), (wide * 1.5, y, depth * 0.3), 0.012, sides=6))
    parts.append(box((0, -body * u(0.1, 0.25), depth * 0.6), (wide * 2, 0.03, depth * 0.3)))
    if curve:
        parts.append(limb((0, top, depth * 0.9), (0, -body * 0.2, depth * 1.3), 0.01))
    return parts


def stand(r, low):
    top = np.array([0, low + r.uniform(0.35, 0.7), -0.1])
    feet = [np.array([np.cos(a) * 0.3, low - 0.2, np.sin(a) * 0.3 - 0.05]) for a in (0.5, 2.6, 4.7)]
    return [limb(top - [0, 0.3, 0], f, 0.015, sides=6) for f in feet] + [
        limb(top, top - [0, 0.5, 0], 0.018, sides=6)
    ]


def guitar(r):
    electric = r.random() < 0.5
    body = r.uniform(0.45, 0.62)
    parts = stringed(
        r,
        body,
        r.uniform(0.5, 0.65),
        r.uniform(0.1, 0.3),
        r.uniform(0.04, 0.06) if electric else r.uniform(0.1, 0.15),
        False,
    )
    if electric:
        parts += [
            limb(
                (s * body * 0.22, body * 0.3, 0),
                (s * body * r.uniform(0.25, 0.4), body * r.uniform(0.5, 0.68), 0),
                0.05,
                0.02,
            )
            for s in (-1, 1)
        ]
    return parts + (stand(r, -body / 2) if r.random() < 0.35 else [])


violin = lambda r: stringed(
    r, r.uniform(0.5, 0.6), r.uniform(0.28, 0.36), r.uniform(0.3, 0.42), r.uniform(0.07, 0.1), True
)


def piano(r):
    u = r.uniform
    wide, long, high, deep = u(0.7, 0.8), u(0.8, 1.5), u(0.6, 0.7), u(0.2, 0.28)
    t = np.linspace(0, 1, 10)
    curve = np.stack([wide * (1 - 1.2 * t**1.5 * 0.8), -long * t**0.9], 1)
    outline = [(-wide, 0.2), (-wide, -long), *curve[::-1].tolist(), (wide, 0.2)]
    case = slab(outline, deep)
    flat = lambda part, y: placed(part, (0, y, 0), tilt=-np.pi / 2)
    parts = [flat(case, high + deep / 2), box((0, high + 0.02, 0.28), (2 * wide * 0.95, 0.06, 0.25))]
    if r.random() < 0.8:
        lid = slab(outline, 0.02)
        lid = (lid[0] + [wide, 0, 0], lid[1])
        raised = u(0.3, 0.7)
        lid = placed(placed(lid, tilt=-np.pi / 2), (-wide, high + deep, 0), roll=raised)
        parts += [
            lid,
            limb(
                (wide * 0.6, high + deep, -0.3),
                (wide * 0.5, high + deep + np.sin(raised) * wide * 1.4, -0.3),
                0.012,
            ),
        ]
    for x, z in ((-wide * 0.85, 0.1), (wide * 0.85, 0.1), (-wide * 0.6, -long * 0.8)):
        parts.append(limb((x, high, z), (x, 0, z), u(0.05, 0.08), u(0.03, 0.05)))
    parts.append(box((0, high * 0.3, 0), (0.12, high * 0.6, 0.06)))
    if r.random() < 0.3:
        parts += [box((0, 0.4, 0.8), (0.6, 0.08, 0.3))] + both(limb((0.25, 0.4, 0.8), (0.25, 0, 0.8), 0.03))
    return parts


def drum(r):
    u = r.uniform
    w, high = u(0.4, 0.6), u(0.25, 1.0)
    parts = [
        lathe([(0, 0), (w * u(0.5, 1.05), 0), (w * u(0.7, 1.1), high / 2), (w, high), (0, high)], 20),
        placed(ring((0, 0, 0), w, 0.03, (0, 1, 0)), (0, high, 0)),
    ]
    if r.random() < 0.4:
        parts += moved(around(limb((w * 0.6, 0.4, 0), (w * 1.1, 0, 0), 0.02, sides=6), 3), (0, -0.3, 0))
    return parts + (
        [
            limb((-0.3, high + 0.03, 0.1), (0.5, high + 0.1, 0.2), 0.02, sides=6),
            limb((-0.2, high + 0.03, -0.2), (0.5, high + 0.1, 0.0), 0.02, sides=6),
        ]
        if r.random() < 0.4
        else []
    )


def bell_end(long, wide, narrow=0.03):
    """A flaring tube along z that ends in a bell."""
    z = np.array([0, 0.5, 0.75, 0.9, 0.97, 1.0, 0.97, 0.8])
    w = np.array([narrow, narrow * 1.2, wide * 0.25, wide * 0.5, wide * 0.8, wide, wide * 0.75, wide * 0.2])
    return placed(lathe(list(zip(w, z * long)), 14), tilt=np.pi / 2, scale=(1, 1, 1))


def trumpet(r):
    u = r.uniform
    long, high = u(0.8, 1.1), u(0.14, 0.22)
    horn = placed(bell_end(long, u(0.16, 0.24)), scale=(1, 1, 1))
    loop = [
        (0, 0, 0),
        (0, -high * 0.2, -0.12),
        (0, -high * 0.8, -0.12),
        (0, -high, 0),
        (0, -high, 0.5),
        (0, -high * 0.6, 0.62),
        (0, 0, 0.5),
        (0, 0, -0.5),
    ]
    parts = [
        horn,
        tube(loop[:6], 0.025, 6),
        tube(
            [(0, -high * 0.5, 0.5), (0, -high * 0.5, -0.5), (0, -high * 0.5, -0.55)], [0.025, 0.02, 0.05], 6
        ),
    ]
    return parts + [rod((0, -high * 0.45, 0.12 + 0.1 * i), 0.04, high * 1.9, sides=8) for i in range(3)]


def saxophone(r):
    u = r.uniform
    t = np.linspace(0, np.pi, 8)
    bow_ = np.stack([0 * t, -0.6 - 0.2 * np.sin(t), 0.2 - 0.2 * np.cos(t)], 1)
    path = np.concatenate(
        [
            [(0, 0.75, -0.28), (0, 0.8, -0.1), (0, 0.7, 0)],
            bow_,
            [(0, -0.2, 0.42), (0, u(-0.05, 0.15), u(0.5, 0.6))],
        ]
    )
    parts = [
        tube(
            path,
            np.interp(
                np.arange(len(path)), [0, 2, len(path) - 2, len(path) - 1], [0.025, 0.04, 0.14, u(0.2, 0.28)]
            ),
            10,
        )
    ]
    return parts + [rod((0.07, y, 0.03), 0.045, 0.03, "x", sides=8) for y in np.linspace(-0.5, 0.5, 8)]


def flute(r):
    u = r.uniform
    w = u(0.025, 0.05)
    return [
        rod((0, 0, 0), w, 2, "x"),
        *(rod((x, w, 0), w * 0.8, 0.02, sides=8) for x in np.linspace(-0.8, u(0.1, 0.4), 9)),
        box((0.75, w, 0), (0.14, 0.02, w * 2)),
    ]


def harp(r):
    u = r.uniform
    high, deep = u(1.4, 1.7), u(0.7, 0.9)
    neck = np.array(
        [
            (0, high, 0),
            (0, high - u(0.05, 0.2), deep * 0.4),
            (0, high * 0.9, deep * 0.75),
            (0, high * 0.8, deep),
        ]
    )
    parts = [
        tube([(0, 0, 0), (0, high, 0)], 0.05, 8),
        tube(neck, 0.05, 6),
        tube([(0, 0, 0), (0, high * 0.8, deep)], [0.16, 0.06], 8),
        box((0, -0.02, 0.1), (0.35, 0.08, 0.4)),
    ]
    for t in np.linspace(0.08, 0.92, 12):
        top = np.array([0, np.interp(t, [0, 0.4, 0.75, 1], neck[:, 1]), t * deep])
        parts.append(limb((0, high * 0.8 * t, t * deep), top, 0.006, sides=4))
    return parts


def xylophone(r):
    u = r.uniform
    n = int(r.integers(6, 13))
    x, deep = np.linspace(-1, 1, n), u(0.55, 0.85)
    parts = [box((a, 0.05, 0), (1.5 / n, 0.04, deep - 0.2 * a)) for a in x]
    parts += [limb((-1.1, 0, s * 0.3), (1.1, 0, s * 0.17), 0.03, sides=4) for s in (-1, 1)]
    return parts + ([*posts(0.9, 0.25, -u(0.5, 0.9), 0, 0.03)] if r.random() < 0.4 else [])


def accordion(r):
    u = r.uniform
    n, spread = int(r.integers(6, 12)), u(0.3, 0.9)
    folds = [box((x, 0, 0), (spread / n * 0.4, 0.75, 0.36)) for x in np.linspace(-spread / 2, spread / 2, n)]
    return (
        folds
        + [box((0, 0, 0), (spread, 0.68, 0.3))]
        + both(box((spread / 2 + 0.1, 0, 0), (0.22, 0.85, 0.42)))
        + [box((spread / 2 + 0.15, 0, 0.26), (0.14, 0.8, 0.1))]
    )


def bell(r):
    u = r.uniform
    w = u(0.45, 0.65)
    parts = [
        lathe(
            [
                (w, 0),
                (w * 0.75, 0.12),
                (w * 0.58, 0.5),
                (w * 0.45, 0.72),
                (0, 0.8),
                (w * 0.4, 0.68),
                (w * 0.9, 0),
            ],
            20,
        ),
        ball((0, 0.02, 0), 0.09, 8),
    ]
    return parts + [
        pick(
            r,
            ring((0, 0.88, 0), 0.09, 0.03),
            limb((0, 0.78, 0), (0, u(1.1, 1.5), 0), 0.07),
            rod((0, 0.85, 0), 0.06, 0.8, "x"),
        )
    ]


def upright_piano(r):
    u = r.uniform
    wide, high = u(1.3, 1.5), u(1.0, 1.25)
    parts = [
        box((0, high / 2, 0), (wide, high, 0.4)),
        box((0, 0.65, 0.32), (wide, 0.12, 0.3)),
        box((0, high, 0), (wide + 0.04, 0.04, 0.45)),
    ]
    parts += both(box((wide / 2 - 0.05, 0.32, 0.42), (0.08, 0.64, 0.08)))
    return parts + [
        box((x, 0.73, 0.38), (0.03, 0.03, 0.12)) for x in np.linspace(-wide / 2 + 0.1, wide / 2 - 0.1, 14)
    ]


def banjo(r):
    u = r.uniform
    w, neck = u(0.28, 0.36), u(0.7, 0.9)
    parts = [
        rod((0, 0, 0), w, u(0.08, 0.14), "z", sides=22),
        box((0, w + neck / 2, 0.03), (0.09, neck, 0.05)),
        box((0, w + neck + 0.1, 0.02), (0.14, 0.22, 0.04)),
    ]
    return parts + both(
        *(rod((0.1, w + neck + 0.04 + 0.07 * i, 0), 0.015, 0.08, "x", sides=5) for i in range(2))
    )


def microphone(r):
    u = r.uniform
    parts = [
        tube([(0, 0, 0), (0, 0.5, 0), (0, 0.6, 0)], [0.06, 0.09, 0.12], 10),
        ball((0, 0.72, 0), (0.16, u(0.15, 0.2), 0.16)),
    ]
    if r.random() < 0.4:
        parts = moved(parts, (0, 1.3, 0), tilt=u(0.3, 0.9)) + [
            limb((0, 0, 0), (0, 1.35, 0), 0.025),
            rod((0, 0, 0), 0.3, 0.04),
        ]
    return parts


def cello(r):
    return violin(r) + [limb((0, -0.25, 0), (0, -r.uniform(0.4, 0.5), 0), 0.012, sides=6)]


KINDS = {
    "guitar": guitar,
    "violin": violin,
    "cello": cello,
    "banjo": banjo,
    "piano": lambda r: pick(r, piano, upright_piano)(r),
    "drum": drum,
    "trumpet": trumpet,
    "saxophone": saxophone,
    "flute": flute,
    "harp": harp,
    "xylophone": xylophone,
    "accordion": accordion,
    "bell": bell,
    "microphone": microphone,
}

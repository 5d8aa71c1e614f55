"""Electric and electronic devices."""

import numpy as np

from shapes.parts import around, moved, pick, posts, rod
from solids import ball, both, box, lathe, limb, placed, ring, slab, tube


def monitor(r):
    u = r.uniform
    w, h = u(0.5, 0.75), u(0.3, 0.45)
    stem = u(0.1, 0.25)
    parts = [
        box((0, stem + h, 0), (2 * w, 2 * h, u(0.04, 0.1))),
        box((0, stem + h, 0.04), (1.9 * w, 1.85 * h, 0.05)),
    ]
    parts += [
        limb((0, 0, -0.08), (0, stem + h * 0.6, -0.06), 0.05),
        pick(r, rod((0, 0.01, 0), w * 0.4, 0.03), box((0, 0.01, 0), (w * 0.8, 0.03, 0.35))),
    ]
    return parts + ([box((0, stem + h, -0.22), (1.5 * w, 1.5 * h, 0.4))] if r.random() < 0.25 else [])


def keyboard(r):
    u = r.uniform
    w, d, lean = u(0.8, 1.1), u(0.26, 0.36), u(0, 0.12)
    n = int(r.integers(11, 16))
    parts = [box((0, 0, 0), (2 * w, u(0.04, 0.1), 2 * d))]
    for i in range(4):
        z = -0.7 * d + 0.46 * d * i
        parts += (
            [box((x, 0.06, z), (1.7 * w / n, 0.05, 0.36 * d)) for x in np.linspace(-0.92 * w, 0.92 * w, n)]
            if i < 3
            else [box((0, 0.06, z), (w * 0.8, 0.05, 0.36 * d))]
        )
    return moved(parts, tilt=lean)


def mouse(r):
    u = r.uniform
    body = ball((0, 0, 0), (u(0.26, 0.34), u(0.18, 0.26), 0.5), 16)
    body[0][:, 1] = np.maximum(body[0][:, 1], -0.04)
    parts = [body, rod((0, body[0][:, 1].max() * 0.82, 0.25), 0.06, 0.05, "x", sides=8)]
    return parts + (
        [tube([(0, 0.02, 0.48), (u(-0.2, 0.2), 0, 0.8), (u(-0.5, 0.5), 0, 1.2)], 0.02, 5)]
        if r.random() < 0.5
        else []
    )


def tower_case(r):
    u = r.uniform
    h = u(0.45, 0.6)
    return (
        [box((0, h, 0), (u(0.35, 0.45), 2 * h, u(0.7, 0.95)))]
        + [box((0, y * h, 0.45), (0.28, 0.08, 0.06)) for y in (1.75, 1.5, 1.2)[: int(r.integers(1, 4))]]
        + [rod((0.0, 0.7 * h, 0.45), 0.05, 0.1, "z")]
    )


def computer(r):
    u = r.uniform
    parts = moved(monitor(r), (0, 0, -0.2))
    if r.random() < 0.7:
        parts += moved(tower_case(r), (r.choice([-1, 1]) * u(0.95, 1.1), 0, -0.2))
    else:
        parts = moved(parts, (0, 0.2, 0)) + [box((0, 0.1, -0.2), (1.1, 0.2, 0.8))]
    return (
        parts
        + moved(keyboard(r), (0, 0.03, 0.5), 0.6)
        + (moved(mouse(r), (0.75, 0.03, 0.5), 0.22) if r.random() < 0.5 else [])
    )


def laptop(r):
    u = r.uniform
    w, d, thick, lean = u(0.6, 0.75), u(0.4, 0.5), u(0.03, 0.07), u(-0.5, 0.5) if r.random() < 0.85 else 1.5
    lid = [
        box((0, d, 0), (2 * w, 2 * d, thick * 0.6)),
        box((0, d, thick * 0.3), (1.85 * w, 1.8 * d, thick * 0.3)),
    ]
    parts = [
        box((0, 0, 0), (2 * w, thick, 2 * d)),
        box((0, thick * 0.6, d * 0.6), (w * 0.5, 0.012, d * 0.45)),
    ]
    parts += [
        box((x, thick * 0.6, z), (0.14 * w, 0.02, 0.14 * d))
        for x in np.linspace(-0.8, 0.8, 10) * w
        for z in (-0.6 * d, -0.35 * d, -0.1 * d)
    ]
    return parts + moved(lid, (0, thick / 2, -d), tilt=-lean)


def telephone(r):
    u = r.uniform
    if r.random() < 0.3:
        parts = [
            box((0, 0, 0), (0.4, 1.0, 0.14)),
            box((0, 0.22, 0.08), (0.3, 0.3, 0.03)),
            limb((0.14, 0.5, 0), (0.14, u(0.5, 0.8), 0), 0.03),
        ]
        return parts + [
            box((x, y, 0.08), (0.08, 0.06, 0.04)) for x in (-0.11, 0, 0.11) for y in (-0.1, -0.2, -0.3, -0.4)
        ]
    base = placed(
        slab([(-0.45, 0), (0.45, 0), (0.4, 0.15), (-0.35, u(0.25, 0.5))], u(0.7, 0.9)), turn=np.pi / 2
    )
    top = base[0][:, 1].max()
    handset = tube(
        [(-0.55, 0, 0), (-0.5, 0.06, 0), (-0.3, 0.12, 0), (0.3, 0.12, 0), (0.5, 0.06, 0), (0.55, 0, 0)],
        [0.12, 0.13, 0.06, 0.06, 0.13, 0.12],
        8,
    )
    parts = [base, placed(handset, (0, top + 0.02, -0.25)), *both(rod((0.42, top + 0.0, -0.25), 0.13, 0.12))]
    if r.random() < 0.5:
        return parts + [placed(rod((0, 0, 0), 0.24, 0.06, sides=18), (0, top * 0.75, 0.15), tilt=0.35)]
    return parts + [
        box((x, top * 0.75 - 0.25 * z, z), (0.1, 0.05, 0.08))
        for x in (-0.13, 0, 0.13)
        for z in (0.0, 0.11, 0.22, 0.33)
    ]


def mobile(r):
    u = r.uniform
    h, w = u(0.9, 1.0), u(0.44, 0.52)
    lean = u(0, 1.5)
    parts = [
        box((0, 0, 0), (2 * w, 2 * h, u(0.08, 0.16))),
        box((0, 0.03, 0.06), (1.85 * w, 1.7 * h, 0.05)),
        box((-w * 0.5, h * 0.75, -0.08), (0.3, 0.35, 0.06)),
    ]
    return moved(parts, tilt=-lean)


def camera(r):
    u = r.uniform
    form = r.random()
    w, h, d = u(0.5, 0.65), u(0.34, 0.42), u(0.14, 0.22)
    parts = [box((0, 0, 0), (2 * w, 2 * h, 2 * d))]
    lens = u(0.22, 0.34)
    if form < 0.75:
        parts += [
            rod((u(-0.1, 0.1), -0.02, d), lens, u(0.2, 0.9), "z", sides=20),
            rod((0, -0.02, d + 0.1), lens * 1.08, 0.1, "z", sides=20),
        ]
        parts += [rod((w * 0.7, h + 0.03, 0), 0.08, 0.08), rod((-w * 0.7, h + 0.03, 0), 0.12, 0.06)]
        parts += (
            [
                placed(
                    slab([(-0.28, 0), (0.28, 0), (0.16, u(0.12, 0.25)), (-0.16, 0.18)], 2 * d * 0.9),
                    (0, h, 0),
                )
            ]
            if r.random() < 0.7
            else []
        )
        return parts + ([box((w * 0.85, -0.02, d), (0.22, 1.8 * h, 0.2))] if r.random() < 0.5 else [])
    parts = [
        box((0, 0, 0), (0.35, 0.5, 1.1)),
        rod((0, 0, 0.7), lens, 0.4, "z", sides=18),
        box((-0.1, 0.35, -0.2), (0.1, 0.1, 0.5)),
    ]
    parts += both(rod((0, 0.62, 0.25), 0.3, 0.1, "x", sides=18)) if r.random() < 0.4 else []
    return parts + (
        moved(around(limb((0, 0, 0), (0.45, -1.2, 0), 0.03, sides=6), 3), (0, -0.25, 0))
        if r.random() < 0.6
        else []
    )


def television(r):
    u = r.uniform
    w, h = u(0.7, 0.9), u(0.42, 0.55)
    if r.random() < 0.55:
        stand = pick(
            r,
            [box((0, -h - 0.08, 0), (w * 0.8, 0.03, 0.35)), box((0, -h - 0.04, 0), (0.15, 0.1, 0.06))],
            both(
                limb((w * 0.6, -h, 0), (w * 0.65, -h - 0.12, 0.16), 0.02),
                limb((w * 0.6, -h, 0), (w * 0.65, -h - 0.12, -0.16), 0.02),
            ),
        )
        return [box((0, 0, 0), (2 * w, 2 * h, 0.06)), box((0, 0, 0.03), (1.92 * w, 1.88 * h, 0.03)), *stand]
    parts = [
        box((0, 0, 0), (u(1.38, 1.6), u(1.0, 1.25), 0.7)),
        box((0, 0, -0.45), (1.0, 0.8, u(0.3, 0.7))),
        box((-0.12, 0, 0.36), (1.0, 0.85, 0.06)),
    ]
    parts += [rod((0.55, y, 0.38), 0.07, 0.08, "z", sides=10) for y in (0.3, 0.1)]
    return (
        parts
        + (
            both(limb((0, 0.55, 0), (u(0.3, 0.6), u(1.0, 1.3), 0), 0.015, sides=5))
            if r.random() < 0.6
            else []
        )
        + (posts(0.5, 0.25, -0.95, -0.55, 0.04, 0.2) if r.random() < 0.4 else [])
    )


def headphones(r):
    u = r.uniform
    t = np.linspace(0, np.pi, 13)
    w, cup_ = u(0.48, 0.58), u(0.2, 0.28)
    return [
        tube(np.stack([w * np.cos(t), w * u(1.0, 1.25) * np.sin(t), 0 * t], 1), u(0.035, 0.06), 6)
    ] + both(
        placed(rod((w, -0.08, 0), cup_, u(0.14, 0.24), "x", sides=16), scale=(1, u(1, 1.3), 1)),
        rod((w - 0.1, -0.08, 0), cup_ * 0.85, 0.12, "x", sides=16),
    )


def loudspeaker(r):
    u = r.uniform
    w, h, d = u(0.3, 0.45), u(0.45, 0.9), u(0.25, 0.4)
    parts, y = [box((0, 0, 0), (2 * w, 2 * h, 2 * d))], -h * 0.45
    for rad in (w * 0.8, w * 0.5, w * 0.3)[: int(r.integers(1, 4))]:
        parts += [
            rod((0, y, d), rad, 0.06, "z", sides=18),
            placed(
                lathe([(0, 0.02), (rad * 0.3, 0.06), (rad * 0.8, 0)], 14), (0, y, d + 0.03), tilt=np.pi / 2
            ),
        ]
        y += rad * 1.75
    return parts


def radio(r):
    u = r.uniform
    w, h = u(0.6, 0.9), u(0.35, 0.5)
    parts = [
        box((0, 0, 0), (2 * w, 2 * h, u(0.35, 0.6))),
        rod((-w * 0.5, 0, 0.25), h * 0.7, 0.12, "z", sides=18),
        box((w * 0.4, h * 0.4, 0.25), (w * 0.8, h * 0.5, 0.1)),
    ]
    parts += [rod((w * x, -h * 0.4, 0.27), 0.09, 0.12, "z", sides=10) for x in (0.15, 0.45, 0.75)]
    parts += (
        [limb((w * 0.8, h, 0), (w * u(0.3, 1.3), h + u(0.5, 1.0), 0), 0.015, sides=5)]
        if r.random() < 0.7
        else []
    )
    return parts + (
        [tube([(-w * 0.8, h, 0), (-w * 0.8, h + 0.22, 0), (w * 0.8, h + 0.22, 0), (w * 0.8, h, 0)], 0.03, 5)]
        if r.random() < 0.5
        else []
    )


def fan(r):
    u = r.uniform
    high, rad, n = pick(r, 0.5, u(1.0, 1.5)), u(0.35, 0.45), int(r.integers(3, 6))
    blade = placed(box((0, rad * 0.5, 0), (rad * 0.45, rad * 0.8, 0.015)), turn=0.4)
    head = [placed(blade, roll=2 * np.pi * i / n) for i in range(n)] + [rod((0, 0, -0.1), 0.09, 0.24, "z")]
    head += [
        placed(ring((0, 0, z), s * rad, 0.012, sides=22))
        for z, s in ((0.08, 0.5), (0.06, 0.85), (0, 1.02), (-0.06, 0.85))
    ]
    head += [
        tube([(0, 0, 0.1), (c * rad * 0.6, s * rad * 0.6, 0.08), (c * rad, s * rad, 0)], 0.008, 4)
        for c, s in zip(np.cos(np.arange(10) * 0.628), np.sin(np.arange(10) * 0.628))
    ]
    nod = u(-0.2, 0.3)
    return moved(head, (0, high, 0.1), tilt=-nod) + [
        limb((0, 0, 0), (0, high, 0), 0.035),
        lathe([(0, 0), (0.3, 0), (0.28, 0.04), (0.05, 0.08), (0, 0.08)], 18),
    ]


def remote(r):
    u = r.uniform
    w, h = u(0.18, 0.26), u(0.7, 1.0)
    return moved(
        [box((0, 0, 0), (2 * w, 2 * h, 0.14))]
        + [
            rod((x * w, y * h, -0.08), 0.05, 0.04, "z", sides=8)
            for x in (-0.55, 0, 0.55)
            for y in np.linspace(-0.8, 0.8, int(r.integers(4, 8)))
        ],
        tilt=np.pi / 2,
    )


def controller(r):
    u = r.uniform
    parts = [placed(ball((0, 0, 0), (0.65, 0.16, 0.34), 14), (0, 0, 0))] + both(
        tube(
            [(0.45, 0, -0.05), (0.6, -0.03, 0.25), (u(0.55, 0.75), -0.12, u(0.5, 0.75))],
            [0.2, 0.18, 0.12],
            8,
        )
    )
    parts += both(rod((0.2, 0.17, 0.15), 0.1, 0.12)) if r.random() < 0.7 else []
    return (
        parts
        + [
            rod((0.4 + 0.09 * c, 0.15, -0.08 + 0.09 * s), 0.04, 0.06, sides=8)
            for c, s in ((1, 0), (-1, 0), (0, 1), (0, -1))
        ]
        + [box((-0.4, 0.15, -0.08), (0.22, 0.06, 0.07)), box((-0.4, 0.15, -0.08), (0.07, 0.06, 0.22))]
    )


def washing_machine(r):
    u = r.uniform
    h = u(0.5, 0.65)
    rad = u(0.26, 0.34)
    return [
        box((0, h, 0), (1.0, 2 * h, u(0.9, 1.1))),
        rod((0, h * 0.9, 0.52), rad, 0.1, "z", sides=22),
        ring((0, h * 0.9, 0.58), rad, 0.04),
        box((0, h * 1.85, 0.5), (0.9, 0.14, 0.1)),
        rod((u(-0.1, 0.3), h * 1.85, 0.56), 0.06, 0.06, "z"),
    ]


def iron(r):
    u = r.uniform
    sole = placed(
        slab([(-0.3, -0.5), (0.3, -0.5), (0.28, 0.0), (0, u(0.7, 0.9)), (-0.28, 0.0)], 0.08), tilt=np.pi / 2
    )
    body = placed(
        slab([(-0.24, -0.45), (0.24, -0.45), (0.2, 0), (0, 0.55), (-0.2, 0)], u(0.15, 0.3)),
        (0, 0.15, 0),
        tilt=np.pi / 2,
    )
    return [
        sole,
        body,
        tube([(0, 0.2, -0.42), (0, u(0.45, 0.6), -0.38), (0, 0.55, 0.2), (0, 0.25, 0.32)], 0.07, 7),
    ]


def hair_dryer(r):
    u = r.uniform
    return [
        tube(
            [(0, 0, -0.4), (0, 0, -0.35), (0, 0, 0), (0, 0, 0.3), (0, 0, u(0.45, 0.8))],
            [0.2, 0.24, 0.24, 0.16, 0.14],
            14,
        ),
        tube([(0, -0.1, -0.1), (0, -0.4, -0.1), (0, -u(0.65, 0.9), u(-0.1, 0.1))], [0.11, 0.09, 0.08], 8),
    ]


KINDS = {
    "computer": computer,
    "computer monitor": monitor,
    "computer keyboard": keyboard,
    "computer mouse": mouse,
    "laptop": laptop,
    "telephone": telephone,
    "mobile phone": mobile,
    "camera": camera,
    "television": television,
    "headphones": headphones,
    "loudspeaker": loudspeaker,
    "radio": radio,
    "fan": fan,
    "remote control": remote,
    "game controller": controller,
    "washing machine": washing_machine,
    "iron": iron,
    "hair dryer": hair_dryer,
}

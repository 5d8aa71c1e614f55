"""Insects, spiders, reptiles and other low animals."""

import numpy as np

from shapes.parts import pick, rod, wing
from shapes.quadrupeds import horns, quadruped
from solids import ball, both, box, limb, placed, slab, tube


def insect(r, legs, parts_of_body):
    u = r.uniform
    parts, z = [], 0.0
    centers = []
    for size in parts_of_body:
        rad = size * u(0.85, 1.15)
        z -= rad
        parts.append(ball((0, 0, z), (rad * 0.75, rad * 0.7, rad), 10))
        centers.append((z, rad))
        z -= rad * 0.9
    mid, rad = centers[0 if legs == 8 else 1]
    reach = u(0.4, 0.7)
    for i in range(legs // 2):
        a = (i - (legs // 2 - 1) / 2) * u(0.45, 0.6)
        d = np.array([np.cos(a), 0, np.sin(a)])
        knee = np.array([0, u(0.15, 0.35), mid]) + d * reach * 0.5
        foot = np.array([0, -u(0.2, 0.3), mid]) + d * reach
        parts += both(tube([np.array([0.05, 0, mid]), knee, foot], [0.03, 0.022, 0.012], 6))
    if legs == 6:
        head = np.array([0.04, 0.06, centers[0][0] + centers[0][1] * 0.6])
        parts += both(
            tube([head, head + [0.1, 0.12, 0.12], head + [0.18, 0.05, 0.25]], [0.012, 0.01, 0.006], 5)
        )
    return parts


def bug(r, sizes, wings=None, long=1.0):
    """An insect with wings: (span, chord, sweep) of each pair."""
    u = r.uniform
    parts = insect(r, 6, sizes)
    for i, (span, chord, sweep) in enumerate(wings or []):
        z = -2 * sizes[0] - 0.02 - 0.16 * i
        parts += both(
            wing(
                (0.02, 0.08, z + 0.12),
                span * u(0.85, 1.15),
                chord * u(0.85, 1.15),
                sweep,
                u(0.6, 1.0),
                u(-0.05, 0.35),
                0.012,
            )
        )
    return parts


def bee(r):
    return bug(r, (0.13, 0.18, 0.28), [(0.5, 0.22, 0.15), (0.35, 0.16, 0.2)])


def fly(r):
    return bug(r, (0.14, 0.17, 0.22), [(0.5, 0.25, 0.45)])


def dragonfly(r):
    parts = bug(r, (0.1, 0.13, 0.1), [(0.8, 0.16, 0.0), (0.75, 0.18, 0.08)])
    return parts + [tube([(0, 0, -0.5), (0, 0.02, -1.0), (0, 0, -1.5)], [0.06, 0.04, 0.05], 8)]


def beetle(r):
    u = r.uniform
    wide, long = u(0.28, 0.38), u(0.42, 0.55)
    parts = insect(r, 6, (0.1, 0.14, 0.1))
    parts += [
        ball((0, 0.04, -long - 0.25), (wide, wide * 0.65, long)),
        ball((0, 0.02, -0.25), (wide * 0.8, wide * 0.5, 0.15), 10),
    ]
    for z in (-0.3, -0.55, -0.85):
        parts += both(
            tube(
                [
                    (wide * 0.6, -0.05, z),
                    (wide + 0.2, 0.05, z * 1.1 + 0.1),
                    (wide + u(0.25, 0.4), -0.25, z * 1.3 + 0.2),
                ],
                [0.04, 0.03, 0.012],
                6,
            )
        )
    if r.random() < 0.4:
        parts.append(tube([(0, 0.05, -0.05), (0, 0.2, 0.2), (0, u(0.25, 0.5), 0.2)], [0.06, 0.04, 0.012], 6))
    return parts


def butterfly(r):
    u = r.uniform
    parts = [tube([(0, 0, 0.3), (0, 0, 0.2), (0, 0, 0), (0, 0, -0.35)], [0.03, 0.06, 0.05, 0.02], 8)]
    raise_ = u(0, 1.2)
    upper = slab(
        [(0, -0.02), (0.1, 0.3), (u(0.6, 0.9), u(0.5, 0.75)), (u(0.75, 0.9), 0.2), (0.5, -0.02)], 0.012
    )
    lower = slab(
        [(0, 0.05), (0.45, 0.0), (u(0.5, 0.7), -0.25), (u(0.25, 0.45), -u(0.5, 0.8)), (0.1, -0.3)], 0.012
    )
    parts += both(*(placed(placed(w, tilt=np.pi / 2), roll=raise_) for w in (upper, lower)))
    return parts + both(
        tube([(0.02, 0.03, 0.28), (0.08, 0.1, 0.42), (0.14, 0.12, 0.55)], [0.01, 0.008, 0.012], 5)
    )


def scorpion(r):
    u = r.uniform
    parts = [tube([(0, 0, 0.3), (0, 0, 0.1), (0, 0, -0.4)], [0.13, 0.19, 0.12], 10)]
    t = np.linspace(0, u(2.4, 3.2), 8)
    parts.append(
        tube(
            np.stack([0 * t, 0.35 * (1 - np.cos(t)), -0.4 - 0.35 * np.sin(t)], 1),
            [0.09, 0.08, 0.08, 0.07, 0.07, 0.06, 0.08, 0.01],
            8,
        )
    )
    for i in range(4):
        z = 0.2 - 0.15 * i
        parts += both(
            tube([(0.12, 0, z), (0.4, 0.15, z * 1.5), (0.6, -0.15, z * 2)], [0.03, 0.025, 0.01], 5)
        )
    claw = np.array([0.3, 0, u(0.7, 0.9)])
    return parts + both(
        tube([(0.1, 0, 0.25), (0.4, 0.03, 0.45), claw], [0.04, 0.05, 0.05], 6),
        ball(claw, (0.08, 0.06, 0.14), 8),
        limb(claw, claw + [-0.06, 0, 0.26], 0.04, 0.01, 6),
        limb(claw, claw + [0.05, 0, 0.26], 0.04, 0.01, 6),
    )


def snake(r):
    u = r.uniform
    t = np.linspace(0, 1, 40)
    form = r.random()
    if form < 0.45:
        x, z = u(0.12, 0.3) * np.sin(t * u(7, 14)) * np.sqrt(t), t * 2
        y = 0 * t
    else:
        a = t * u(8, 16)
        rad = u(0.45, 0.6) * (1 - 0.5 * t)
        x, z, y = rad * np.cos(a), rad * np.sin(a), t * u(0.1, 0.5)
        if form > 0.7:
            y, x, z = y + 0.6 * np.clip(t - 0.8, 0, 1) * 5, x * (1.6 - t), z * (1.6 - t)
    thick = u(0.05, 0.1)
    points = np.stack([x, y, z], 1)
    body = tube(points, thick * np.minimum(1, 0.1 + 4 * t) * np.where(t > 0.93, 0.8, 1), 8)
    ahead = points[-1] - points[-3]
    ahead = ahead / np.linalg.norm(ahead)
    return [
        body,
        limb(points[-1], points[-1] + ahead * thick * 2.5, thick * 1.3, thick * 0.6),
        ball(points[-1], thick * 1.2, 8),
    ]


def worm(r):
    u = r.uniform
    t = np.linspace(0, 1, 16)
    points = np.stack([u(0, 0.3) * np.sin(t * u(3, 8)), u(0, 0.3) * np.abs(np.sin(t * u(2, 7))), 1.6 * t], 1)
    return [tube(points, u(0.08, 0.14) * (1 + 0.1 * (np.arange(16) % 2)), 8)]


def snail(r):
    u = r.uniform
    t = np.linspace(0, u(9, 14), 36)
    rad = u(0.3, 0.36) * np.exp(-t * 0.14)
    shell = tube(
        np.stack([0.012 * t, 0.4 + rad * np.cos(t + 3), rad * np.sin(t + 3) - 0.05], 1), rad * 0.55, 8
    )
    body = tube(
        [(0.05, 0.04, -0.6), (0.05, 0.08, 0.1), (0.05, 0.12, 0.45), (0.05, u(0.25, 0.4), 0.6)],
        [0.02, 0.11, 0.1, 0.08],
        8,
    )
    return [shell, body] + [
        limb((0.05 + s * 0.04, 0.3, 0.6), (0.05 + s * 0.1, u(0.45, 0.6), 0.7), 0.015, sides=5)
        for s in (-1, 1)
    ]


def frog(r):
    u = r.uniform
    tilt = u(0.1, 0.5)
    parts = [
        placed(ball((0, 0, 0), (u(0.26, 0.34), 0.2, 0.4)), (0, 0.28, 0), tilt=-tilt),
        placed(ball((0, 0.05, 0.38), (0.24, 0.13, 0.18)), (0, 0.28, 0), tilt=-tilt),
    ]
    parts += both(ball((0.14, 0.6, 0.28), u(0.06, 0.09), 8))
    parts += both(
        tube(
            [(0.2, 0.2, -0.25), (0.45, 0.25, 0.1), (0.35, 0.04, -0.3), (0.5, 0, 0.1)],
            [0.1, 0.09, 0.06, 0.03],
            7,
        )
    )
    return parts + both(
        tube([(0.2, 0.25, 0.25), (0.32, 0.15, 0.3), (0.3, 0, 0.42)], [0.07, 0.05, 0.035], 6),
        box((0.5, 0, 0.16), (0.16, 0.025, 0.2)),
    )


def lizard(r, jaw=0.3, legs=0.25, thick=0.13):
    u = r.uniform
    sway = u(-0.3, 0.3)
    parts = [
        tube(
            [
                (sway, 0, -1.3),
                (sway * 0.2, 0, -0.8),
                (0, 0, -0.4),
                (0, 0.02, 0),
                (0, 0, 0.4),
                (0, 0.03, 0.55),
            ],
            [0.01, thick * 0.5, thick, thick * 1.2, thick, thick * 0.6],
            10,
        )
    ]
    parts += [
        tube(
            [(0, 0.05, 0.5), (0, 0.05, 0.6), (0, 0.02, 0.6 + jaw)],
            [thick * 0.7, thick * 0.85, thick * 0.3],
            8,
        )
    ]
    for z in (0.32, -0.35):
        a = u(-0.15, 0.15)
        parts += both(
            tube(
                [(thick, 0, z), (thick + legs, 0.02, z + a), (thick + legs * 1.1, -0.18, z + a * 1.5 + 0.1)],
                [0.05, 0.04, 0.03],
                6,
            )
        )
    return parts


def crocodile(r):
    parts = lizard(r, jaw=0.6, legs=0.18, thick=0.18)
    return parts + [
        placed(limb((0, 0, 0), (0, 0.09, -0.03), 0.05, 0.004, 4), (0, 0.14, z))
        for z in np.linspace(-0.7, 0.3, 9)
    ]


def theropod(r):
    """A dinosaur on two legs."""
    u = r.uniform
    head = np.array([0, u(0.45, 0.65), u(0.75, 0.9)])
    parts = [
        tube(
            [(0, 0.1, -1.3), (0, 0, -0.6), (0, 0, 0), (0, 0.15, 0.4), head],
            [0.015, 0.12, u(0.22, 0.28), 0.2, 0.11],
            10,
        )
    ]
    parts += [
        tube([head - [0, 0, 0.1], head, head + [0, -0.04, u(0.3, 0.45)]], [0.08, u(0.13, 0.18), 0.07], 8),
        limb(head - [0, 0.1, 0], head + [0, -0.16, 0.35], 0.06, 0.04, 6),
    ]
    step = u(-0.25, 0.25)
    for s in (-1, 1):
        foot = np.array([s * 0.18, -0.75, s * step])
        parts += [
            tube(
                [(s * 0.15, -0.05, 0), (s * 0.2, -0.35, 0.15 + s * step * 0.5), foot + [0, 0.2, -0.1], foot],
                [0.18, 0.12, 0.06, 0.05],
                8,
            ),
            box(foot + [0, 0, 0.1], (0.14, 0.05, 0.28)),
        ]
    return parts + both(
        tube([(0.14, 0.1, 0.42), (0.18, -0.05, 0.5), (0.16, -0.05, 0.6)], [0.05, 0.035, 0.015], 6)
    )


def sauropod(r):
    return quadruped(
        r, 0.5, r.uniform(0.8, 1.3), 0.18, thick=0.3, lift=0.8, tail=1.2, tail_lift=-0.25, ears=0
    )


def plates(r, at):
    z = np.linspace(-0.6, 0.5, 8)
    tall = np.interp(z, [-0.6, -0.1, 0.5], [0.1, r.uniform(0.2, 0.32), 0.1])
    fin = lambda h: placed(slab([(-0.07, 0), (0.07, 0), (0.04, h), (-0.04, h)], 0.02), turn=np.pi / 2)
    return [placed(fin(h), (0, at["thick"] * 0.9, a)) for a, h in zip(z, tall)]


def dinosaur(r):
    form = r.random()
    if form < 0.45:
        return theropod(r)
    if form < 0.7:
        return sauropod(r)
    if form < 0.85:
        return quadruped(
            r, 0.35, 0.2, 0.28, thick=0.3, lift=0.0, tail=0.8, tail_lift=-0.3, ears=0, extra=plates
        )
    frill = lambda r, at: (
        [rod(at["crown"], 0.3, 0.04, "z")]
        + both(limb(at["crown"] + [0.1, 0.1, 0], at["nose"] + [0.15, 0.3, 0.1], 0.035, 0.004, 6))
    )
    return quadruped(r, 0.4, 0.15, 0.36, thick=0.3, lift=0.0, tail=0.6, tail_lift=-0.4, ears=0, extra=frill)


def dragon(r):
    u = r.uniform
    base = (
        theropod(r)
        if r.random() < 0.4
        else quadruped(
            r, 0.4, u(0.4, 0.7), 0.3, thick=0.2, lift=0.9, tail=1.1, tail_lift=-0.2, ears=0, extra=horns
        )
    )
    span, rise = u(0.8, 1.3), u(0.2, 0.9)
    return base + both(wing((0.1, 0.15, 0.35), span, u(0.5, 0.7), u(-0.1, 0.3), u(0.2, 0.7), rise))


KINDS = {
    "ant": lambda r: insect(r, 6, (0.13, 0.14, 0.24)),
    "bee": bee,
    "fly": fly,
    "dragonfly": dragonfly,
    "beetle": beetle,
    "butterfly": butterfly,
    "insect": lambda r: pick(r, bee, fly, dragonfly, beetle, butterfly)(r),
    "spider": lambda r: insect(r, 8, (0.14, 0.26)),
    "scorpion": scorpion,
    "snake": snake,
    "worm": worm,
    "snail": snail,
    "frog": frog,
    "lizard": lizard,
    "crocodile": crocodile,
    "dinosaur": dinosaur,
    "dragon": dragon,
}

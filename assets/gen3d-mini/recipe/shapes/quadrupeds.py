"""Four-legged animals."""

import numpy as np

from shapes.parts import pick
from solids import ball, both, limb, tube


def quadruped(r, leg, neck, head, *, thick=0.2, lift=0.8, tail=0.4, tail_lift=-0.5, ears=0.1, extra=None):
    """Length of leg, neck and head against a body of length 1; `lift` is the neck's steepness."""
    u = lambda a, b: r.uniform(a, b)
    vary = lambda x: x * r.uniform(0.85, 1.15)
    leg, neck, head, thick = map(vary, (leg, neck, head, thick))
    back, chest = np.array([0, 0, -0.45]), np.array([0, u(-0.03, 0.05), 0.45])
    t = np.linspace(0, 1, 9)
    girth = np.interp(
        t, [0, 0.12, 0.3, 0.55, 0.8, 0.93, 1], [0.3, 0.75, 1, u(0.8, 1.1), u(1, 1.15), 0.85, 0.4]
    )
    spine = (back - [0, 0, 0.12]) * (1 - t[:, None]) + (chest + [0, 0, 0.1]) * t[:, None]
    spine[:, 1] -= u(-0.04, 0.06) * np.sin(np.pi * t)
    parts = [tube(spine, thick * girth, 12)]
    swing = u(0.02, 0.35) if r.random() < 0.6 else 0.03
    for end, side in ((back, 1), (back, -1), (chest, 1), (chest, -1)):
        step = u(-swing, swing)
        hip = end + [side * thick * 0.6, -thick * 0.4, 0]
        knee = hip + [0, -leg * 0.5, step * 0.5 + u(-0.03, 0.03)]
        foot = hip + [0, -leg * u(0.95, 1), step]
        w = thick * u(0.24, 0.34)
        parts.append(tube([hip, knee, foot], [w * 1.4, w, w * 0.8], 8))
        parts.append(ball(foot + [0, 0, w * 0.4], (w, w * 0.6, w * 1.4), 8))
    rise = np.clip(lift + u(-0.2, 0.2), -0.3, 1.4)
    nape = chest + [0, thick * 0.5, 0]
    crown = nape + neck * np.array([0, np.sin(rise), np.cos(rise)])
    nod = u(-0.6, -0.1)
    nose = crown + head * np.array([0, np.sin(nod), np.cos(nod)])
    parts.append(limb(nape, crown, thick * 0.62, thick * 0.42))
    parts.append(
        tube([crown - (nose - crown) * 0.15, crown, nose], [thick * 0.3, thick * 0.48, thick * 0.28])
    )
    if ears:
        tip = crown + [thick * 0.42, thick * 0.5 + ears, -0.02]
        parts += both(limb(crown + [thick * 0.25, thick * 0.3, 0], tip, thick * 0.14, 0.005, 6))
    if tail:
        end = back + tail * np.array([u(-0.2, 0.2), np.sin(tail_lift), -np.cos(tail_lift)]) - [0, 0, 0.1]
        parts.append(
            tube(
                [back - [0, -thick * 0.3, 0.1], (back + end) / 2 - [0, 0, 0.08], end],
                [thick * 0.2, thick * 0.16, thick * 0.1],
                6,
            )
        )
    return parts + (
        extra(r, dict(crown=crown, nose=nose, back=back, chest=chest, thick=thick)) if extra else []
    )


def mane(r, at):
    return (
        [tube([at["crown"] + [0, 0.05, 0], at["chest"] + [0, at["thick"] * 1.05, -0.08]], [0.03, 0.05], 6)]
        if r.random() < 0.6
        else []
    )


def horns(r, at):
    out, up = r.uniform(0.1, 0.25), r.uniform(0.05, 0.25)
    base = at["crown"] + [0.05, 0.07, 0]
    return both(
        tube([base, base + [out * 0.7, up * 0.3, 0], base + [out, up, 0.03]], [0.03, 0.025, 0.005], 6)
    )


def antlers(r, at):
    base = at["crown"] + [0.04, 0.08, 0]
    tip = base + [r.uniform(0.1, 0.25), r.uniform(0.3, 0.5), -0.05]
    fork = (base + tip) / 2
    return both(limb(base, tip, 0.02, 0.008, 6), limb(fork, fork + [0.12, 0.15, 0.1], 0.015, 0.006, 6))


def trunk(r, at):
    n = at["nose"]
    points = [n, n + [0, -0.2, 0.08], n + [0, -0.45, 0.06], n + [0, -0.6, r.uniform(0.05, 0.25)]]
    ear = ball(at["crown"] + [0.22, -0.02, -0.04], (0.14, 0.2, 0.03), 10)
    tusk = limb(n + [0.07, -0.05, 0], n + [0.1, -0.12, 0.25], 0.025, 0.008, 6)
    return [tube(points, [0.09, 0.07, 0.05, 0.035])] + both(ear, tusk)


def humps(r, at):
    t = at["thick"]
    two = r.random() < 0.5
    return [
        ball((0, t * 1.05, z), (t * 0.6, t * r.uniform(0.6, 0.9), t * 0.7), 10)
        for z in ((-0.2, 0.2) if two else (0.0,))
    ]


def rabbit(r):
    u = r.uniform
    sits = r.random() < 0.6
    body = ball((0, 0.3, 0), (u(0.2, 0.28), u(0.24, 0.3), u(0.34, 0.44)))
    head = np.array([0, u(0.5, 0.72), u(0.35, 0.45)])
    ear = u(0.25, 0.45)
    parts = [body, ball(head, (0.15, 0.15, 0.2)), ball((0, 0.3, -0.42), u(0.06, 0.1), 8)]
    lop = u(-0.6, 0.2) if r.random() < 0.2 else u(0.8, 1.4)
    tip = head + ear * np.array([0.4 if lop > 0.3 else 0.7, np.sin(lop), -np.cos(lop)])
    parts += both(
        tube([head + [0.06, 0.1, 0], (head + [0.07, 0.1, 0] + tip) / 2, tip], [0.035, 0.06, 0.01], 6)
    )
    low = 0 if sits else -0.12
    parts += both(
        ball((0.17, 0.18, -0.2), (0.1, 0.18, 0.2), 10), ball((0.17, low + 0.05, -0.05), (0.06, 0.05, 0.2), 8)
    )
    return parts + both(
        limb((0.1, 0.25, 0.25), (0.1, low, 0.35), 0.06, 0.05), ball((0.1, low, 0.4), (0.06, 0.04, 0.1), 8)
    )


def lion_mane(r, at):
    size = at["thick"] * r.uniform(0.85, 1.15)
    return [ball(at["crown"] - [0, 0.04, 0.06], (size, size * 1.15, size * 0.6))] if r.random() < 0.7 else []


def nose_horn(r, at):
    n = at["nose"]
    parts = [tube([n + [0, 0.04, -0.05], n + [0, 0.2, 0.0], n + [0, 0.3, 0.0]], [0.05, 0.03, 0.004], 6)]
    return parts + [limb(n + [0, 0.06, -0.16], n + [0, 0.18, -0.16], 0.035, 0.004, 6)]


def curled_horns(r, at):
    base, turn = at["crown"] + [0.05, 0.08, 0], r.uniform(1.5, 5)
    t = np.linspace(0, turn, 10)
    wide = r.uniform(0.08, 0.14)
    points = base + np.stack([0.05 * t, wide * np.sin(t) + 0.02, -wide * (1 - np.cos(t))], 1)
    return both(tube(points, np.linspace(0.04, 0.008, 10), 6))


def seated(r):
    """A dog or cat that sits upright."""
    u = r.uniform
    neck = np.array([0, u(0.6, 0.75), 0.2])
    parts = [
        tube([(0, 0, -0.2), (0, 0.15, -0.15), (0, 0.4, 0.05), neck], [0.15, u(0.24, 0.3), 0.2, 0.11], 12)
    ]
    head = neck + [0, u(0.12, 0.2), 0.08]
    snout = u(0.12, 0.3)
    parts += [ball(head, (0.14, 0.14, 0.15)), limb(head, head + [0, -0.04, snout], 0.09, 0.05)]
    ear = u(0.05, 0.2)
    parts += both(
        limb(head + [0.08, 0.08, 0], head + [0.13, 0.1 + ear, 0], 0.06, 0.005, 6),
        ball((0.2, 0.05, 0.0), (0.09, 0.15, 0.24), 10),
        tube([(0.11, 0.45, 0.15), (0.11, 0.1, 0.28), (0.11, -0.1, 0.28)], [0.08, 0.06, 0.05], 8),
        ball((0.11, -0.1, 0.33), (0.06, 0.05, 0.1), 8),
    )
    side = u(-0.4, 0.4)
    return parts + [
        tube([(0, -0.05, -0.3), (side * 0.5, 0, -0.5), (side, u(0, 0.4), -0.6)], [0.05, 0.045, 0.03], 6)
    ]


def kangaroo(r):
    u = r.uniform
    neck = np.array([0, u(0.8, 0.95), 0.25])
    parts = [tube([(0, 0.1, -0.2), (0, 0.25, -0.1), (0, 0.55, 0.1), neck], [0.14, 0.25, 0.16, 0.07], 10)]
    head = neck + [0, 0.1, 0.05]
    parts += [limb(head, head + [0, -0.05, 0.22], 0.09, 0.04)]
    parts += both(limb(head + [0.04, 0.05, 0], head + [0.1, 0.3, -0.02], 0.04, 0.01, 6))
    parts += both(tube([(0.12, 0.65, 0.15), (0.16, 0.5, 0.3), (0.12, 0.45, 0.4)], [0.05, 0.035, 0.02], 6))
    parts += both(
        tube(
            [(0.15, 0.3, -0.05), (0.18, 0.05, 0.15), (0.18, -0.25, -0.15), (0.18, -0.3, 0.25)],
            [0.14, 0.09, 0.05, 0.03],
            8,
        )
    )
    return parts + [
        tube([(0, 0.2, -0.2), (0, -0.15, -0.55), (0, -0.28, -u(0.9, 1.2))], [0.12, 0.08, 0.02], 8)
    ]


def squirrel(r):
    u = r.uniform
    parts = [
        tube([(0, 0, -0.1), (0, 0.2, -0.05), (0, 0.45, 0.05)], [0.12, 0.2, 0.1], 10),
        ball((0, 0.58, 0.1), (0.12, 0.12, 0.15)),
    ]
    parts += both(
        limb((0.06, 0.65, 0.08), (0.09, 0.78, 0.06), 0.04, 0.01, 6),
        ball((0.13, 0.08, 0.05), (0.07, 0.12, 0.16), 8),
    )
    parts += both(limb((0.1, 0.4, 0.1), (0.04, 0.32, 0.25), 0.04, 0.03, 6))
    w, high = u(0.1, 0.17), u(0.5, 0.8)
    return parts + [
        tube(
            [
                (0, 0, -0.12),
                (0, 0.08, -0.3),
                (0, 0.3, -0.4),
                (0, high * 0.7, -0.38),
                (0, high, -0.4),
                (0, high + 0.06, -0.52),
            ],
            [0.04, w * 0.6, w, w * 1.1, w * 0.8, 0.04],
            10,
        )
    ]


def plated(r):
    """An armadillo, on four feet or standing up as a figure."""
    u = r.uniform
    if r.random() < 0.4:
        rows = [
            tube(
                [(0, -0.45, 0), (0, -0.2, 0.03), (0, 0.15, 0), (0, 0.4, 0.05)], [0.14, 0.27, 0.26, 0.12], 12
            )
        ]
        rows += [ball((0, 0, -0.14), (0.3, 0.45, 0.2)), ball((0, 0.5, 0.08), (0.13, 0.13, 0.15))]
        rows += [limb((0, 0.48, 0.1), (0, 0.42, 0.38), 0.09, 0.03)]
        rows += both(limb((0.08, 0.55, 0.05), (0.22, u(0.7, 0.9), 0.0), 0.05, 0.03, 6))
        hand = (u(0.4, 0.65), u(-0.1, 0.6), u(0, 0.3))
        rows += both(
            tube([(0.2, 0.25, 0), (0.4, 0.15, 0.08), hand], [0.09, 0.07, 0.06]), ball(hand, 0.08, 8)
        )
        rows += both(tube([(0.15, -0.3, 0), (0.25, -0.55, 0.12), (0.22, -0.85, 0)], [0.13, 0.1, 0.08]))
        rows += both(ball((0.22, -0.9, 0.08), (0.1, 0.05, 0.16), 8))
        return rows + [tube([(0, -0.35, -0.15), (0, -0.6, -0.35), (0, -0.7, -0.7)], [0.1, 0.06, 0.01])]
    z = np.linspace(-1, 1, 15)
    radius = np.sqrt(np.maximum(1 - z**2, 0.02)) * u(0.25, 0.35) * (1 + 0.06 * (np.arange(15) % 2))
    parts = [tube(np.stack([0 * z, 0.12 * (1 - z**2), z * 0.5], 1), radius, 12)]
    parts += [
        limb((0, 0, 0.45), (0, -0.1, u(0.75, 0.95)), 0.12, 0.03),
        limb((0, 0, -0.45), (0, -0.15, -1.0), 0.09, 0.01),
    ]
    parts += both(limb((0.07, 0.05, 0.55), (0.12, 0.2, 0.5), 0.04, 0.02, 6))
    return parts + both(
        limb((0.18, -0.1, 0.28), (0.2, -0.36, 0.3), 0.07),
        limb((0.18, -0.1, -0.28), (0.2, -0.36, -0.28), 0.07),
    )


def four_legged(r):
    """Any build, as between the kinds."""
    u = r.uniform
    return quadruped(
        r,
        u(0.25, 0.9),
        u(0.1, 0.6),
        u(0.2, 0.36),
        thick=u(0.14, 0.34),
        lift=u(0.2, 1.1),
        tail=u(0.05, 0.7),
        tail_lift=u(-1.2, 0.8),
        ears=u(0, 0.15),
        extra=pick(r, None, None, horns, mane),
    )


def dog(r):
    u = r.uniform
    return (
        seated(r)
        if r.random() < 0.25
        else quadruped(
            r,
            u(0.3, 0.6),
            u(0.2, 0.3),
            u(0.25, 0.36),
            thick=u(0.14, 0.2),
            lift=0.8,
            tail=0.45,
            tail_lift=u(-0.5, 0.9),
            ears=0.08,
        )
    )


def cat(r):
    return (
        seated(r)
        if r.random() < 0.35
        else quadruped(
            r, 0.4, 0.18, 0.2, thick=0.16, lift=0.8, tail=0.7, tail_lift=r.uniform(-0.6, 0.9), ears=0.07
        )
    )


KINDS = {
    "horse": lambda r: quadruped(
        r, 0.75, 0.5, 0.36, thick=0.2, lift=0.85, tail=0.5, tail_lift=-0.9, ears=0.05, extra=mane
    ),
    "dog": dog,
    "cat": cat,
    "cow": lambda r: quadruped(
        r, 0.5, 0.25, 0.36, thick=0.28, lift=0.35, tail=0.5, tail_lift=-1.2, ears=0.03, extra=horns
    ),
    "bull": lambda r: quadruped(
        r, 0.5, 0.25, 0.34, thick=0.32, lift=0.3, tail=0.5, tail_lift=-1.2, ears=0.03, extra=horns
    ),
    "pig": lambda r: quadruped(r, 0.28, 0.1, 0.3, thick=0.28, lift=0.2, tail=0.15, tail_lift=0.4, ears=0.06),
    "sheep": lambda r: quadruped(
        r, 0.36, 0.2, 0.25, thick=0.3, lift=0.6, tail=0.1, ears=0.02, extra=pick(r, None, curled_horns)
    ),
    "goat": lambda r: quadruped(
        r, 0.5, 0.3, 0.26, thick=0.2, lift=0.9, tail=0.1, tail_lift=0.5, ears=0.05, extra=curled_horns
    ),
    "deer": lambda r: quadruped(
        r, 0.75, 0.42, 0.28, thick=0.16, lift=1.0, tail=0.12, tail_lift=0.3, ears=0.1, extra=antlers
    ),
    "giraffe": lambda r: quadruped(
        r, 0.95, 1.2, 0.28, thick=0.2, lift=1.15, tail=0.35, tail_lift=-1.0, ears=0.05
    ),
    "elephant": lambda r: quadruped(
        r, 0.55, 0.15, 0.25, thick=0.36, lift=0.5, tail=0.35, tail_lift=-1.1, ears=0, extra=trunk
    ),
    "camel": lambda r: quadruped(
        r, 0.8, 0.6, 0.3, thick=0.22, lift=0.9, tail=0.3, tail_lift=-1.0, ears=0.03, extra=humps
    ),
    "llama": lambda r: quadruped(
        r, 0.6, 0.6, 0.24, thick=0.22, lift=1.25, tail=0.12, tail_lift=0.2, ears=0.12
    ),
    "bear": lambda r: quadruped(r, 0.4, 0.16, 0.3, thick=0.3, lift=0.2, tail=0.05, ears=0.04),
    "wolf": lambda r: quadruped(
        r, 0.55, 0.26, 0.34, thick=0.17, lift=0.55, tail=0.5, tail_lift=-0.6, ears=0.1
    ),
    "fox": lambda r: quadruped(r, 0.42, 0.2, 0.3, thick=0.14, lift=0.6, tail=0.6, tail_lift=-0.2, ears=0.12),
    "lion": lambda r: quadruped(
        r, 0.5, 0.2, 0.28, thick=0.22, lift=0.5, tail=0.7, tail_lift=-0.4, ears=0.03, extra=lion_mane
    ),
    "zebra": lambda r: quadruped(
        r, 0.65, 0.42, 0.34, thick=0.22, lift=0.8, tail=0.4, tail_lift=-1.1, ears=0.08, extra=mane
    ),
    "donkey": lambda r: quadruped(
        r, 0.58, 0.38, 0.34, thick=0.2, lift=0.7, tail=0.4, tail_lift=-1.1, ears=0.2, extra=mane
    ),
    "rhinoceros": lambda r: quadruped(
        r, 0.4, 0.2, 0.4, thick=0.32, lift=0.1, tail=0.25, tail_lift=-1.1, ears=0.06, extra=nose_horn
    ),
    "hippopotamus": lambda r: quadruped(
        r, 0.28, 0.1, 0.42, thick=0.38, lift=0.1, tail=0.12, tail_lift=-1.0, ears=0.02
    ),
    "rat": lambda r: quadruped(r, 0.2, 0.06, 0.28, thick=0.2, lift=0.1, tail=0.9, tail_lift=-0.1, ears=0.04),
    "rabbit": rabbit,
    "squirrel": squirrel,
    "kangaroo": kangaroo,
    "armadillo": plated,
    "four-legged animal": four_legged,
}

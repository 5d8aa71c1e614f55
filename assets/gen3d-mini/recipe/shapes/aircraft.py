"""Things that fly."""

import numpy as np

from shapes.parts import (
    around,
    fuselage,
    moved,
    pick,
    posts,
    rod,
    tail_fins,
    wheel_pair,
    wing,
)
from solids import ball, both, box, lathe, limb, merge, placed, slab, tube


def jet_or_propeller(r):
    u = r.uniform
    long, radius = u(1.6, 2.4), u(0.08, 0.15)
    jet = r.random() < 0.6
    span, sweep = u(0.7, 1.2), u(0.2, 0.6) if jet else u(-0.05, 0.1)
    height = u(-radius * 0.7, radius * 0.7)
    parts = [fuselage(radius, long)]
    parts += both(wing((0, height, u(0.1, 0.4)), span, u(0.3, 0.5), sweep, u(0.3, 0.8), u(0, 0.12)))
    parts += tail_fins(r, long, u(0, radius))
    for x in np.linspace(0.3, 0.65, int(r.integers(1, 3))) * span if r.random() < 0.7 else []:
        z = 0.2 - sweep * x / span
        parts += both(limb((x, height - 0.08, z + 0.12), (x, height - 0.08, z - 0.15), u(0.05, 0.07)))
    if not jet:
        parts.append(box((0, 0, long / 2 + 0.02), (0.5, 0.05, 0.02), turn=0))
    return parts


def biplane(r):
    u = r.uniform
    long, radius = u(1.3, 1.7), u(0.11, 0.16)
    span, chord, gap = u(0.8, 1.1), u(0.25, 0.36), u(0.3, 0.42)
    parts = [fuselage(radius, long, nose=0.12, tail=0.7)]
    for y, shift in ((-radius * 0.7, 0), (-radius * 0.7 + gap, u(0, 0.12))):
        parts += both(wing((0, y, 0.4 + shift), span, chord, u(0, 0.05), u(0.85, 1)))
    for x in (0.35, 0.8):
        for z in (0.35, 0.2):
            parts += both(
                limb((x * span, -radius * 0.7, z), (x * span, gap - radius * 0.7, z + 0.03), 0.012, sides=5)
            )
    parts += tail_fins(r, long)
    parts += wheel_pair(0.2, -0.35, 0.4, 0.1, 0.05) + both(
        limb((0.05, -radius, 0.35), (0.17, -0.35, 0.4), 0.015, sides=5)
    )
    parts.append(box((0, 0, long / 2 + 0.03), (0.07, u(0.5, 0.7), 0.02)))
    return parts


def helicopter(r):
    u = r.uniform
    body = (u(0.18, 0.26), u(0.2, 0.3), u(0.35, 0.5))
    parts = [ball((0, 0, 0), body), limb((0, 0.05, -body[2] * 0.7), (0, 0.12, -1.2), 0.09, 0.04)]
    mast = body[1] + 0.1
    parts.append(limb((0, body[1] * 0.8, 0), (0, mast, 0), 0.03))
    blades = int(r.integers(2, 6))
    phase = u(0, 3)
    for i in range(blades):
        a = phase + 2 * np.pi * i / blades
        parts.append(placed(box((0.55, 0, 0), (1.1, 0.02, 0.07)), (0, mast, 0), turn=a))
    parts += [
        box((0.05, 0.15, -1.2), (0.02, u(0.3, 0.4), 0.04)),
        placed(wing((0, 0, -1.1), 0.25, 0.2, 0.1, 0.6), roll=np.pi / 2, move=(0, 0.1, 0)),
    ]
    low = -body[1] - 0.12
    parts += both(
        limb((0.2, low, 0.4), (0.2, low, -0.4), 0.02, sides=6),
        limb((0.2, low, 0.15), (0.1, -0.1, 0.15), 0.015, sides=5),
        limb((0.2, low, -0.15), (0.1, -0.1, -0.15), 0.015, sides=5),
    )
    return parts


def rocket(r):
    u = r.uniform
    w, high = u(0.12, 0.22), u(1.2, 1.8)
    parts = [
        lathe(
            [(0, 0), (w, 0), (w * u(1, 1.2), high * 0.4), (w, high * 0.7), (w * 0.5, high * 0.9), (0, high)]
        )
    ]
    for a in np.linspace(0, 2 * np.pi, int(r.integers(3, 5)), endpoint=False):
        fin = slab([(0, 0.35), (0.25, 0.05), (0.28, -0.12), (0, 0.05)], 0.025)
        parts.append(placed((fin[0] + [w, 0, 0], fin[1]), turn=a))
    return parts


def airliner(r):
    u = r.uniform
    long, radius = u(1.9, 2.3), u(0.1, 0.14)
    span, sweep = u(0.85, 1.1), u(0.35, 0.55)
    parts = [fuselage(radius, long, u(0.2, 0.3), u(0.5, 0.7))]
    parts += both(
        wing((0, -radius * 0.5, u(0.2, 0.4)), span, u(0.35, 0.45), sweep, u(0.25, 0.4), u(0.05, 0.15))
    )
    parts += tail_fins(r, long, radius * 0.4)
    for x in (0.35, 0.6)[: int(r.integers(1, 3))]:
        parts += both(
            rod((x * span, -radius * 0.5 - 0.08, 0.35 - sweep * x), u(0.05, 0.07), 0.24, "z", sides=10)
        )
    return parts


def fighter(r):
    u = r.uniform
    long, radius = u(1.8, 2.2), u(0.09, 0.13)
    nose = tube(
        [(0, 0, 1.1), (0, 0, 0.9), (0, 0.01, 0.5), (0, 0, 0), (0, 0, -0.9)],
        [0.005, 0.04, radius * 0.9, radius * 1.15, radius],
        10,
    )
    parts = [nose, ball((0, radius * 0.9, 0.45), (0.06, 0.08, 0.22), 10)]
    parts += both(box((radius * 1.2, -0.02, 0.0), (radius, radius * 1.4, 0.8)))
    parts += both(
        wing((radius, 0, 0.25), u(0.5, 0.8), u(0.6, 0.9), u(0.35, 0.7), u(0.1, 0.3), u(-0.05, 0.03), 0.02)
    )
    if r.random() < 0.75:
        parts += both(wing((radius, 0, -0.65), u(0.25, 0.4), 0.25, u(0.1, 0.25), u(0.3, 0.6), 0, 0.02))
    lean = u(0, 0.4)
    fin = wing((0, 0, -0.55), u(0.3, 0.45), u(0.25, 0.35), u(0.15, 0.3), u(0.3, 0.6), 0, 0.02)
    if r.random() < 0.5:
        parts += both(placed(fin, (radius * 1.2, 0.05, 0), roll=np.pi / 2 - lean))
    else:
        parts.append(placed(fin, (0, 0.08, 0), roll=np.pi / 2))
    if r.random() < 0.5:
        parts += both(rod((0.45, -0.06, -0.2), 0.025, 0.5, "z", sides=6))
    return moved(parts, scale=(1, 1, long / 2))


def glider(r):
    u = r.uniform
    long = u(1.0, 1.4)
    parts = [
        tube(
            [
                (0, 0, long / 2),
                (0, 0, long * 0.4),
                (0, 0.02, long * 0.2),
                (0, 0.03, -0.1),
                (0, 0.03, -long / 2),
            ],
            [0.01, 0.06, u(0.07, 0.1), 0.04, 0.02],
            10,
        )
    ]
    parts += both(
        wing((0, 0.06, 0.2), u(1.2, 1.7), u(0.13, 0.2), u(0, 0.06), u(0.3, 0.6), u(0.02, 0.15), 0.02)
    )
    fin = wing((0, 0, -long / 2 + 0.1), 0.22, 0.13, 0.06, 0.7, thick=0.015)
    high = pick(r, 0.03, 0.24)
    return (
        parts
        + [placed(fin, roll=np.pi / 2)]
        + both(wing((0, high, -long / 2 + 0.08), 0.25, 0.1, 0.03, 0.7, thick=0.015))
    )


def propeller_plane(r):
    u = r.uniform
    long, radius = u(1.3, 1.7), u(0.1, 0.14)
    parts = [fuselage(radius, long, u(0.1, 0.2), u(0.6, 0.8))]
    high = pick(r, radius * 0.9, -radius * 0.7)
    parts += both(wing((0, high, 0.35), u(0.8, 1.0), u(0.25, 0.35), u(0, 0.08), u(0.6, 1), u(0, 0.1)))
    parts += tail_fins(r, long, 0.03) + [ball((0, radius * 0.8, 0.2), (0.08, 0.09, 0.22), 10)]
    hubs = [(0, 0, long / 2)] if r.random() < 0.6 else [(0.35, high, 0.45), (-0.35, high, 0.45)]
    for hub in hubs:
        parts += [rod(np.array(hub) - [0, 0, 0.08], 0.06, 0.28, "z", sides=8)]
        parts += [
            placed(
                box((0, 0.15, 0), (0.04, 0.3, 0.015)),
                np.array(hub) + [0, 0, 0.06],
                roll=2 * np.pi * i / 3 + 0.3,
            )
            for i in range(int(r.integers(2, 4)))
        ]
    if r.random() < 0.6:
        parts += both(
            limb((0.06, -radius, 0.3), (0.2, -0.3, 0.32), 0.015, sides=5),
            rod((0.2, -0.3, 0.32), 0.07, 0.05, "x", sides=10),
        )
    return parts


def airplane(r):
    return pick(r, jet_or_propeller, airliner, fighter, glider, propeller_plane)(r)


def balloon(r):
    u = r.uniform
    profile = [
        (0, 1.0),
        (0.4, 0.92),
        (0.7, 0.7),
        (0.85, 0.4),
        (0.8, 0.1),
        (u(0.5, 0.62), -0.3),
        (0.2, -0.65),
        (0.17, -0.65),
    ]
    low, w = -u(1.0, 1.3), u(0.12, 0.2)
    basket = pick(r, box((0, low, 0), (2 * w, 0.25, 2 * w)), rod((0, low, 0), w, 0.25))
    return [lathe(profile, int(r.integers(10, 25))), basket, *posts(w * 0.9, w * 0.9, low, -0.65, 0.01)]


def blimp(r):
    u = r.uniform
    w = u(0.25, 0.38)
    parts = [ball((0, 0, 0), (w, w, 1), 16), box((0, -w - 0.04, u(0, 0.3)), (0.12, 0.12, u(0.25, 0.5)))]
    return parts + [
        placed(
            placed(
                slab([(0, -0.6), (0, -0.95), (u(0.25, 0.4) + 0.1, -1.0), (w + 0.05, -0.7)], 0.02),
                tilt=np.pi / 2,
            ),
            roll=np.pi / 2 * i + pick(r, 0, 0.785),
        )
        for i in range(4)
    ]


def satellite(r):
    u = r.uniform
    w = u(0.15, 0.28)
    parts = [pick(r, box((0, 0, 0), (2 * w, 2 * w * u(1, 1.6), 2 * w)), rod((0, 0, 0), w, u(0.4, 0.8)))]
    count, long, high = int(r.integers(1, 4)), u(0.2, 0.4), u(0.25, 0.45)
    for i in range(count):
        parts += both(box((w + 0.2 + i * (long + 0.03), 0, 0), (long, high, 0.02), tilt=0.0))
    parts.append(limb((-w - 0.2, 0, 0), (w + 0.2, 0, 0), 0.02, sides=6))
    if r.random() < 0.75:
        dish = lathe([(0, 0), (0.15, 0.03), (u(0.22, 0.32), 0.12), (0.15, 0.02), (0, -0.02)], 14)
        parts += [
            placed(dish, (0, w * 1.3, w * 0.3), tilt=u(-0.2, 1.2)),
            limb((0, w * 1.3, w * 0.3), (0, w * 1.6, w * 0.5), 0.012, sides=5),
        ]
    return parts + [limb((0, 0, 0), (u(-0.3, 0.3), -u(0.5, 0.7), 0.1), 0.01, sides=5)]


def drone(r):
    u = r.uniform
    arms, reach = int(pick(r, 4, 4, 6, 8)), u(0.5, 0.8)
    parts = [placed(ball((0, 0, 0), 1, 10), scale=(u(0.2, 0.3), 0.1, u(0.2, 0.35)))]
    arm = merge(
        [
            limb((0, 0, 0), (reach, 0.03, 0), 0.03, sides=6),
            rod((reach, 0.06, 0), 0.05, 0.1, sides=8),
            box((reach, 0.12, 0), (0.5, 0.01, 0.05), turn=u(0, 3)),
        ]
    )
    parts += around(arm, arms, np.pi / arms)
    return parts + both(
        tube(
            [(0.12, -0.05, 0.15), (0.18, -0.25, 0.15), (0.18, -0.25, -0.15), (0.12, -0.05, -0.15)], 0.015, 5
        )
    )


def saucer(r):
    u = r.uniform
    parts = [
        lathe([(0, -0.15), (0.5, -0.1), (1, 0), (0.5, u(0.1, 0.18)), (0, 0.2)], 20),
        ball((0, 0.15, 0), (u(0.25, 0.4), u(0.2, 0.35), 0.3)),
    ]
    return parts + (around(limb((0.5, -0.1, 0), (0.65, -0.4, 0), 0.03), 3) if r.random() < 0.5 else [])


def spaceship(r):
    u = r.uniform
    form = r.random()
    if form < 0.25:
        return saucer(r)
    parts = [
        tube(
            [(0, 0, 1), (0, 0, 0.7), (0, 0, 0), (0, 0, -0.8)],
            [0.02, u(0.06, 0.15), u(0.15, 0.3), u(0.12, 0.25)],
            pick(r, 4, 6, 10),
        )
    ]
    parts += both(
        wing(
            (0.1, u(-0.1, 0.1), 0.2),
            u(0.3, 0.9),
            u(0.4, 0.9),
            u(-0.4, 0.6),
            u(0.2, 0.8),
            u(-0.3, 0.3),
            u(0.03, 0.1),
        )
    )
    parts += both(rod((u(0.15, 0.5), 0, -0.6), u(0.07, 0.14), u(0.3, 0.7), "z", taper=0.8, sides=8))
    return parts + ([ball((0, 0.15, 0.4), (0.09, 0.12, 0.22), 8)] if r.random() < 0.6 else [])


KINDS = {
    "airplane": airplane,
    "airliner": airliner,
    "fighter jet": fighter,
    "glider": glider,
    "biplane": biplane,
    "helicopter": helicopter,
    "hot air balloon": balloon,
    "blimp": blimp,
    "rocket": rocket,
    "satellite": satellite,
    "drone": drone,
    "spaceship": spaceship,
}

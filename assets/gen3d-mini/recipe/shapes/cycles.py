"""Cycles, carts and what else is pushed or pedalled."""

import numpy as np

from shapes.parts import moved, rod
from solids import ball, both, box, grid, limb, placed, ring, tube


def bicycle(r):
    u = r.uniform
    radius, base = u(0.32, 0.36), u(0.95, 1.1)
    back, front = np.array([0, radius, -base / 2]), np.array([0, radius, base / 2])
    parts = []
    for hub in (back, front):
        parts.append(ring(hub, radius, u(0.015, 0.03), (1, 0, 0), 24))
        for a in np.linspace(0, np.pi, 5, endpoint=False):
            d = np.array([0, np.cos(a), np.sin(a)]) * radius
            parts.append(limb(hub - d, hub + d, 0.006, sides=4))
    crank, seat, head = (
        np.array([0, radius * 0.95, -0.1]),
        np.array([0, radius + 0.5, -0.25]),
        np.array([0, radius + 0.5, base / 2 - 0.2]),
    )
    for a, b in ((crank, seat), (seat, head), (head, crank), (back, crank), (back, seat), (head, front)):
        parts.append(limb(a, b, 0.02, sides=6))
    parts += [box(seat + [0, 0.12, 0], (0.12, 0.05, 0.26)), limb(seat, seat + [0, 0.1, 0], 0.018)]
    bar = head + [0, u(0.08, 0.18), 0.02]
    parts += [limb(head, bar, 0.02)] + both(
        tube([bar, bar + [0.25, 0.02, 0], bar + [0.28, -0.02, -u(0.05, 0.15)]], 0.017, 6)
    )
    return parts


def motorcycle(r):
    u = r.uniform
    radius, base = u(0.3, 0.36), u(1.2, 1.45)
    back, front = np.array([0, radius, -base / 2]), np.array([0, radius, base / 2])
    parts = [ring(h, radius * 0.8, radius * 0.22, (1, 0, 0)) for h in (back, front)]
    parts += [limb(h - [0.05, 0, 0], h + [0.05, 0, 0], radius * 0.4, sides=12) for h in (back, front)]
    parts += [
        box((0, radius + 0.08, 0), (0.26, 0.36, 0.5)),
        ball((0, radius + 0.4, 0.15), (0.16, 0.14, 0.3)),
        ball((0, radius + 0.36, -0.35), (0.14, 0.07, 0.35)),
    ]
    head = np.array([0, radius + 0.55, base / 2 - 0.3])
    parts += both(
        limb(head + [0.06, 0, 0], front + [0.06, 0, 0], 0.025),
        tube([head, head + [0.3, 0.08, -0.05], head + [0.36, 0.02, -0.2]], 0.02, 6),
        limb(back + [0.12, -0.05, -0.2], (0.12, radius * 0.8, 0.1), 0.05, 0.035),
    )
    return parts + [ball(head + [0, 0, 0.12], 0.09)]


def scooter(r):
    u = r.uniform
    radius, base = u(0.16, 0.22), u(0.9, 1.1)
    parts = [rod((0, radius, z), radius, 0.12, "x") for z in (-base / 2, base / 2)]
    parts += [
        box((0, radius + 0.02, 0.05), (0.26, 0.06, 0.5)),
        ball((0, radius + 0.2, -0.4), (0.15, 0.2, 0.32)),
        ball((0, radius + 0.42, -0.35), (0.14, 0.07, 0.34)),
    ]
    parts += [
        box((0, radius + 0.3, base / 2 - 0.12), (0.36, 0.55, 0.05), tilt=-0.2),
        limb((0, radius, base / 2), (0, radius + 0.75, base / 2 - 0.2), 0.04),
    ]
    return parts + [
        rod((0, radius + 0.75, base / 2 - 0.2), 0.03, 0.6, "x"),
        ball((0, radius + 0.72, base / 2 - 0.12), 0.1, 8),
    ]


def kick_scooter(r):
    u = r.uniform
    high = u(0.75, 1.0)
    parts = [box((0, 0.1, 0), (0.13, 0.03, u(0.5, 0.7)))] + [
        rod((0, 0.07, z), u(0.06, 0.09), 0.04, "x") for z in (-0.38, 0.42)
    ]
    return parts + [limb((0, 0.08, 0.42), (0, high, 0.3), 0.022), rod((0, high, 0.3), 0.025, 0.42, "x")]


def tricycle(r):
    u = r.uniform
    front, back = u(0.22, 0.3), u(0.12, 0.18)
    parts = [
        ring((0, front, 0.4), front - 0.03, 0.035, (1, 0, 0)),
        rod((0, front, 0.4), 0.05, 0.25, "x"),
    ] + both(ring((0.24, back, -0.35), back - 0.03, 0.035, (1, 0, 0)))
    parts += [
        rod((0, back, -0.35), 0.02, 0.48, "x"),
        tube([(0, back, -0.35), (0, 0.3, -0.1), (0, 0.5, 0.3)], 0.03, 6),
        box((0, 0.42, -0.15), (0.2, 0.05, 0.24)),
    ]
    parts += [limb((0, front, 0.4), (0, 0.65, 0.28), 0.025), rod((0, 0.66, 0.27), 0.022, 0.45, "x")]
    return parts + moved(spokes(front, 4), (0, front, 0.4))


def spokes(radius, count, thick=0.008):
    """Spokes of a wheel about the x axis."""
    ends = [
        np.array([0, np.cos(a), np.sin(a)]) * radius for a in np.linspace(0, np.pi, count, endpoint=False)
    ]
    return [limb(-d, d, thick, sides=4) for d in ends]


def stroller(r):
    u = r.uniform
    rad, high = u(0.1, 0.15), u(0.8, 1.0)
    parts = both(*(rod((0.25, rad, z), rad, 0.05, "x") for z in (0.35, -0.35)))
    parts += both(
        limb((0.25, rad, 0.35), (0.24, high, -u(0.35, 0.5)), 0.02, sides=6),
        limb((0.25, rad, -0.35), (0.24, 0.5, 0.1), 0.02, sides=6),
    )
    parts += [
        rod((0, high, -0.42), 0.025, 0.5, "x"),
        box((0, 0.4, 0.05), (0.42, 0.05, 0.4)),
        box((0, 0.6, -0.2), (0.42, 0.45, 0.05), tilt=-0.4),
    ]
    if r.random() < 0.7:
        t = np.linspace(0.2, u(1.6, 2.4), 6)
        rows = [[(x, 0.6 + 0.33 * np.sin(a), -0.05 - 0.33 * np.cos(a)) for x in (-0.22, 0, 0.22)] for a in t]
        parts.append(grid(np.array(rows), wrap=False))
    return parts


def wheelchair(r):
    u = r.uniform
    big = u(0.28, 0.33)
    parts = both(
        ring((0.28, big, -0.1), big - 0.02, 0.02, (1, 0, 0), 24),
        *(placed(s, (0.28, big, -0.1)) for s in spokes(big - 0.02, 4)),
        rod((0.22, 0.08, 0.4), 0.08, 0.04, "x"),
    )
    parts += [box((0, 0.45, 0.08), (0.44, 0.05, 0.42)), box((0, 0.7, -0.15), (0.44, 0.42, 0.04), tilt=-0.1)]
    parts += both(
        limb((0.22, 0.1, 0.4), (0.22, 0.65, 0.2), 0.018, sides=6),
        limb((0.22, 0.3, -0.15), (0.22, 0.95, -0.2), 0.018, sides=6),
        box((0.24, 0.65, 0.05), (0.06, 0.04, 0.34)),
    )
    parts += both(
        limb((0.22, 0.95, -0.2), (0.22, 0.95, -0.35), 0.022, sides=6),
        tube([(0.15, 0.43, 0.28), (0.15, 0.12, 0.5)], 0.015, 5),
        box((0.12, 0.12, 0.54), (0.15, 0.02, 0.16)),
    )
    return parts


def wheelbarrow(r):
    u = r.uniform
    rad = u(0.13, 0.18)
    low, top, high = u(0.14, 0.2), u(0.26, 0.34), u(0.2, 0.3)
    ring_at = lambda w, y, back, front: [
        (-w, y, back),
        (w, y, back),
        (w * 0.85, y, front),
        (-w * 0.85, y, front),
    ]
    rows = [
        ring_at(0.01, 0.35, -0.05, 0.05),
        ring_at(low, 0.35, -0.2, 0.2),
        ring_at(top, 0.35 + high, -0.38, 0.45),
        ring_at(top * 0.93, 0.35 + high, -0.34, 0.4),
        ring_at(low * 0.9, 0.38, -0.17, 0.17),
    ]
    parts = [grid(np.array(rows)), rod((0, rad, 0.55), rad, 0.08, "x")]
    parts += both(
        tube([(0.05, rad, 0.55), (0.17, 0.34, 0.1), (0.25, 0.42, -0.5), (0.27, 0.48, -0.85)], 0.022, 6),
        tube([(0.18, 0.35, -0.2), (0.2, 0, -0.28)], 0.022, 6),
    )
    return parts


def shopping_cart(r):
    u = r.uniform
    high = u(0.4, 0.5)
    rings = [
        [(-w, y, -0.4), (w, y, -0.4), (w * 0.8, y, 0.45), (-w * 0.8, y, 0.45), (-w, y, -0.4)]
        for w, y in ((0.2, 0.45), (0.25, 0.45 + high))
    ]
    parts = [tube(np.array(line), 0.015, 5) for line in rings]
    for i in range(4):
        for t in np.linspace(0, 1, 6):
            a, b = (np.array(line[i]) * (1 - t) + np.array(line[i + 1]) * t for line in rings)
            parts.append(limb(a, b, 0.008, sides=4))
    parts += [
        box((0, 0.45, 0), (0.36, 0.01, 0.8)),
        rod((0, 0.95, -0.55), 0.025, 0.5, "x"),
        box((0, 0.2, 0), (0.4, 0.02, 0.7)),
    ]
    return parts + both(
        limb((0.22, 0.15, -0.4), (0.24, 0.95, -0.5), 0.018, sides=5),
        *(rod((0.2, 0.07, z), 0.07, 0.03, "x", sides=10) for z in (-0.38, 0.38)),
    )


def cart(r):
    u = r.uniform
    rad = u(0.25, 0.4)
    parts = [box((0, rad + 0.08, 0), (0.7, 0.05, 1.1))] + both(
        box((0.34, rad + 0.2, 0), (0.03, 0.25, 1.1)),
        limb((0.2, rad, 0.5), (0.25, rad * u(0.3, 1), 1.3), 0.03, sides=6),
    )
    for z in (0,) if r.random() < 0.6 else (-0.4, 0.4):
        parts += both(
            ring((0.42, rad, z), rad - 0.03, 0.035, (1, 0, 0)),
            *(placed(s, (0.42, rad, z)) for s in spokes(rad, 4, 0.02)),
        )
    if r.random() < 0.25:
        t = np.linspace(0, np.pi, 9)
        parts.append(
            grid(
                np.array(
                    [
                        [(0.36 * np.cos(a), rad + 0.3 + 0.5 * np.sin(a), z) for a in t]
                        for z in (-0.55, 0, 0.55)
                    ]
                ),
                wrap=False,
            )
        )
    return parts


def skateboard(r):
    u = r.uniform
    z = np.linspace(-1, 1, 11)
    y = u(0.05, 0.2) * np.clip(np.abs(z) - 0.65, 0, 1) / 0.35
    w = u(0.2, 0.28) * np.sqrt(np.clip(1.02 - np.abs(z) ** 6, 0.05, 1))
    rows = [[(-a, b, c), (-a, b + 0.03, c), (a, b + 0.03, c), (a, b, c)] for a, b, c in zip(w, y, z)]
    parts = [grid(np.array(rows))]
    for side in (-0.6, 0.6):
        parts += [
            rod((0, -0.08, side), 0.025, 0.4, "x", sides=6),
            box((0, -0.04, side), (0.12, 0.08, 0.16)),
        ] + both(rod((0.19, -0.09, side), u(0.06, 0.08), 0.08, "x", sides=12))
    return parts


def sled(r):
    u = r.uniform
    t = np.linspace(0, u(1.5, 2.8), 6)
    runner = np.concatenate(
        [
            [(0.2, 0, -0.6), (0.2, 0, 0.45)],
            np.stack([0 * t[1:] + 0.2, 0.13 * (1 - np.cos(t[1:])), 0.45 + 0.2 * np.sin(t[1:])], 1),
        ]
    )
    parts = both(
        tube(runner, 0.025, 6), *(limb((0.2, 0, z), (0.18, 0.2, z), 0.02, sides=5) for z in (-0.45, 0, 0.35))
    )
    return parts + [box((x, 0.21, -0.05), (0.07, 0.02, u(0.95, 1.1))) for x in np.linspace(-0.18, 0.18, 4)]


KINDS = {
    "bicycle": bicycle,
    "motorcycle": motorcycle,
    "motor scooter": scooter,
    "kick scooter": kick_scooter,
    "tricycle": tricycle,
    "stroller": stroller,
    "wheelchair": wheelchair,
    "wheelbarrow": wheelbarrow,
    "shopping cart": shopping_cart,
    "cart": cart,
    "skateboard": skateboard,
    "sled": sled,
}

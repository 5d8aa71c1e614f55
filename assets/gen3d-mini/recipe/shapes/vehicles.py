"""Motor vehicles and trains."""

import numpy as np

from shapes.parts import moved, pick, posts, rod, wheel_pair
from solids import ball, both, box, limb, placed, ring, slab, tube


def semi_trailer(r):
    """A tractor with a long box behind it that rests on its axles at the end."""
    u = r.uniform
    wide, radius = u(0.4, 0.48), u(0.13, 0.2)
    cab_long, cab_high, nose = u(0.45, 0.9), u(0.75, 1.05), u(0.4, 0.75) if r.random() < 0.65 else 0
    frame = radius * 1.1
    parts = [box((0, frame + cab_high / 2, 0), (2 * wide * u(0.8, 0.98), cab_high, cab_long))]
    front = cab_long / 2 + nose
    if nose:
        parts.append(
            box((0, frame + cab_high * 0.27, front - nose / 2), (wide * u(1.2, 1.7), cab_high * u(0.45, 0.6), nose))
        )
    if r.random() < 0.6:
        stack = cab_high * u(1.1, 1.4)
        parts += both(
            limb((wide * 0.95, frame, -cab_long / 2), (wide * 0.95, frame + stack, -cab_long / 2), 0.035)
        )
    long, high, floor = u(2.6, 6.5), u(0.9, 1.25), frame + u(0.1, 0.35)
    start = -cab_long / 2 - u(0.1, 0.35)
    back = start - long
    parts.append(box((0, floor + high / 2, start - long / 2), (2 * wide * u(0.98, 1.1), high, long)))
    # The tractor's frame under the trailer's front, and the trailer's legs.
    reach = u(0.7, 1.1)
    parts.append(box((0, frame, front / 2 - reach / 2), (wide, 0.1, front + reach + cab_long / 2)))
    parts += both(box((wide * 0.6, floor / 2, start - reach - 0.3), (0.06, floor, 0.08)))
    rear = back + u(0.3, 0.7)
    for z in (front - radius * 1.2, -reach, -reach - 2.3 * radius, rear, rear + 2.3 * radius):
        parts += wheel_pair(wide, radius, z, radius, 0.14)
    return parts


def truck(r):
    if r.random() < 0.55:
        return semi_trailer(r)
    u = r.uniform
    wide, radius = u(0.36, 0.44), u(0.13, 0.18)
    floor = radius * 1.2
    cab_long, cab_high = u(0.5, 0.8), u(0.7, 0.95)
    parts = [box((0, floor + cab_high / 2, 0), (2 * wide * 0.95, cab_high, cab_long))]
    if r.random() < 0.5:
        nose = u(0.3, 0.5)
        parts.append(
            box((0, floor + cab_high * 0.27, cab_long / 2 + nose / 2), (wide * 1.6, cab_high * 0.55, nose))
        )
        front = cab_long / 2 + nose * 0.5
    else:
        front = cab_long * 0.2
    long = u(0.9, 3.2)
    high = u(0.7, 1.15)
    start = -cab_long / 2 - u(0.05, 0.15)
    kind = r.random()
    if kind < 0.6:
        parts.append(box((0, floor + 0.1 + high / 2, start - long / 2), (2 * wide, high, long)))
    elif kind < 0.75:
        tank = limb(
            (0, floor + wide + 0.08, start), (0, floor + wide + 0.08, start - long), wide * 0.9, sides=14
        )
        parts.append(tank)
    else:
        parts.append(box((0, floor + 0.12, start - long / 2), (2 * wide, 0.08, long)))
        parts += both(box((wide, floor + 0.3, start - long / 2), (0.05, u(0.2, 0.4), long)))
        parts.append(box((0, floor + 0.3, start - long), (2 * wide, 0.35, 0.05)))
    parts.append(box((0, floor, start - long / 2 + 0.2), (wide, 0.08, long + cab_long)))
    if r.random() < 0.4:
        parts += both(
            limb(
                (wide * 0.9, floor, start + 0.05), (wide * 0.9, floor + cab_high * 1.25, start + 0.05), 0.035
            )
        )
    axles = [front, start - long * u(0.8, 0.95)]
    axles += [axles[1] + 2.3 * radius] if long > 1.2 else []
    axles += [start - 0.1, start - 0.1 - 2.3 * radius] if long > 1.8 else []
    for z in axles:
        parts += wheel_pair(wide, radius, z, radius, 0.14)
    return parts


def side_view(outline, wide):
    """A car's body from its outline [(z, y)], `wide` across."""
    return placed(slab(outline, wide), turn=-np.pi / 2, scale=(-1, 1, 1))


def car(r, style=None):
    u = r.uniform
    style = style or pick(r, "sedan", "hatch", "sport", "van", "pickup", "jeep")
    long, wide, radius = u(0.9, 1.15), u(0.38, 0.45), u(0.14, 0.18)
    sill, hood = radius * u(0.8, 1.1), u(0.4, 0.5) * (0.85 if style == "sport" else 1)
    roof = {"sport": u(0.55, 0.64), "van": u(0.85, 1.0), "jeep": u(0.8, 0.95)}.get(style, u(0.68, 0.78))
    a, b, c, d = {
        "sedan": (0.42, 0.15, -0.45, -0.72),
        "hatch": (0.5, 0.22, -0.75, -0.92),
        "sport": (0.38, 0.0, -0.4, -0.85),
        "van": (0.8, 0.6, -0.93, -0.97),
        "pickup": (0.45, 0.2, -0.15, -0.2),
        "jeep": (0.4, 0.3, -0.9, -0.95),
    }[style]
    lower = [
        (-long, sill),
        (long, sill),
        (long, hood * 0.8),
        (a * long, hood),
        (d * long, hood),
        (-long, hood * 0.92),
    ]
    cabin = [(a * long, hood - 0.02), (b * long, roof), (c * long, roof), (d * long, hood - 0.02)]
    parts = [side_view(lower, 2 * wide), side_view(cabin, 2 * wide * u(0.8, 0.92))]
    for z in (u(0.58, 0.66), -u(0.55, 0.66)):
        parts += wheel_pair(wide, radius, z * long, radius, 0.13)
    if r.random() < 0.5:
        parts += both(box((wide + 0.04, hood + 0.06, a * long - 0.1), (0.08, 0.06, 0.05)))
    if style == "sport" and r.random() < 0.5:
        parts += [box((0, hood + 0.12, -long * 0.92), (2 * wide * 0.9, 0.02, 0.14))] + both(
            box((0.25, hood + 0.06, -long * 0.92), (0.03, 0.12, 0.05))
        )
    if style == "jeep":
        parts.append(rod((0, hood * 0.9, -long - 0.06), radius, 0.1, "z"))
    return parts


def racing_car(r):
    u = r.uniform
    parts = [
        tube(
            [(0, 0.12, 1.1), (0, 0.15, 0.8), (0, 0.2, 0.1), (0, 0.22, -0.4), (0, 0.2, -0.9)],
            [0.04, 0.07, 0.15, 0.2, 0.1],
            8,
        )
    ]
    parts += [
        box((0, 0.08, 1.05), (u(0.7, 0.9), 0.02, 0.16)),
        box((0, u(0.4, 0.5), -0.95), (0.65, 0.03, 0.18)),
        ball((0, 0.38, 0.05), 0.09, 8),
    ]
    parts += both(box((0.3, 0.15, -0.2), (0.2, 0.2, 0.7)), box((0.32, 0.3, -0.95), (0.02, 0.3, 0.25)))
    for z, rad in ((0.72, 0.17), (-0.72, 0.2)):
        parts += both(
            rod((0.45, rad, z), rad, u(0.16, 0.24), "x"), limb((0, 0.18, z), (0.42, rad, z), 0.02, sides=5)
        )
    return parts


def bus(r):
    u = r.uniform
    long, wide, high = u(1.2, 1.8), 0.4, u(0.7, 0.9) * pick(r, 1, 1, 1.5)
    radius = 0.17
    parts = [box((0, radius + high / 2, 0), (2 * wide, high, 2 * long))]
    if r.random() < 0.3:
        parts.append(box((0, radius + 0.22, long + 0.18), (2 * wide * 0.9, 0.4, 0.4)))
    for z in [long * 0.65, -long * 0.55] + ([-long * 0.8] if r.random() < 0.3 else []):
        parts += wheel_pair(wide + 0.01, radius, z, radius, 0.14)
    parts += both(
        *(
            box((wide, radius + high * 0.65, z), (0.02, high * 0.3, 0.22))
            for z in np.linspace(-0.8, 0.8, 6) * long
        )
    )
    return parts + ([box((0, radius + high + 0.04, 0), (wide, 0.1, long))] if r.random() < 0.4 else [])


def tractor(r):
    u = r.uniform
    big, small = u(0.38, 0.5), u(0.18, 0.28)
    parts = [
        box((0, big, 0.35), (0.32, u(0.28, 0.36), u(0.7, 0.9))),
        box((0, big * 0.8, -0.2), (0.3, 0.25, 0.5)),
    ]
    if r.random() < 0.7:
        roof = big + u(0.55, 0.7)
        parts += [
            box((0, roof, -0.3), (0.62, 0.06, 0.6)),
            *moved(posts(0.27, 0.25, big, roof, 0.025), (0, 0, -0.3)),
        ]
    else:
        parts += [
            box((0, big + 0.15, -0.35), (0.3, 0.06, 0.25)),
            ring((0, big + 0.3, 0.0), 0.12, 0.015, (0, 0.8, -0.5)),
            box((0, big + 0.28, -0.47), (0.3, 0.25, 0.05)),
        ]
    parts.append(limb((0.08, big + 0.1, 0.5), (0.08, big + u(0.45, 0.6), 0.5), 0.03))
    wide = u(0.16, 0.24)
    for x, rad, z, w in ((0.38, big, -0.35, wide), (0.32, small, 0.62, wide * 0.7)):
        parts += both(
            rod((x, rad, z), rad, w, "x"), rod((x + w * 0.4, rad, z), rad * 0.5, w * 0.5, "x", sides=10)
        )
    return parts


def tank(r):
    u = r.uniform
    long, wide, high = u(0.7, 0.9), u(0.36, 0.46), u(0.28, 0.38)
    parts = [
        side_view(
            [
                (-long, high * 0.5),
                (-long * 0.9, high),
                (long * 0.75, high),
                (long, high * 0.6),
                (long * 0.8, 0.12),
                (-long * 0.85, 0.12),
            ],
            wide * 1.4,
        )
    ]
    track = [
        (-long * 1.02, high * 0.5),
        (-long * 0.9, high * 0.85),
        (long * 0.9, high * 0.85),
        (long * 1.02, high * 0.5),
        (long * 0.75, 0),
        (-long * 0.75, 0),
    ]
    parts += both(placed(side_view(track, 0.2), (wide, 0, 0)))
    turret = pick(
        r,
        ball((0, high + 0.08, 0), (0.34, 0.16, 0.4)),
        rod((0, high + 0.1, 0), 0.34, 0.2, taper=0.75),
        box((0, high + 0.1, -0.05), (0.55, 0.2, 0.65)),
    )
    gun = [
        limb((0, 0, 0.2), (0, u(0, 0.15), u(0.8, 1.3)), u(0.03, 0.05), sides=8),
        rod((0.12, 0.14, -0.08), 0.08, 0.08),
    ]
    spin = u(-0.6, 0.6) if r.random() < 0.5 else 0
    return (
        parts + [placed(turret, turn=spin)] + [placed(placed(p, (0, high + 0.1, 0)), turn=spin) for p in gun]
    )


def locomotive(r):
    u = r.uniform
    if r.random() < 0.45:
        long, high = u(0.9, 1.4), u(0.55, 0.7)
        nose = u(0.05, 0.5)
        parts = [
            side_view(
                [
                    (-long, 0.15),
                    (long, 0.15),
                    (long, high * 0.5),
                    (long - nose, high + 0.15),
                    (-long, high + 0.15),
                ],
                0.6,
            )
        ]
        wheels = [(z * long, 0.11) for z in (-0.8, -0.55, 0.55, 0.8)]
    else:
        long = u(0.8, 1.0)
        parts = [
            rod((0, 0.45, 0.25), u(0.2, 0.26), 1.2, "z"),
            box((0, 0.55, -0.6), (0.55, u(0.7, 0.85), 0.5)),
            box((0, 0.2, 0), (0.5, 0.1, 1.8)),
        ]
        parts += [
            rod((0, 0.8, 0.65), u(0.06, 0.1), u(0.3, 0.45), taper=u(0.8, 1.6)),
            ball((0, 0.68, 0.2), (0.09, 0.1, 0.09), 8),
            box((0, 0.95, -0.6), (0.65, 0.05, 0.65)),
        ]
        parts.append(side_view([(0.85, 0.02), (1.15, 0.02), (0.9, 0.25)], 0.45))
        wheels = [(z, 0.2) for z in (-0.6, -0.15, 0.3)] + [(0.7, 0.12)]
    for z, rad in wheels:
        parts += both(rod((0.27, rad, z), rad, 0.06, "x"))
    return parts


def train_car(r):
    u = r.uniform
    long, kind = u(0.9, 1.3), r.random()
    if kind < 0.4:
        parts = [box((0, 0.55, 0), (0.6, u(0.55, 0.75), 2 * long))]
    elif kind < 0.6:
        parts = [rod((0, 0.5, 0), 0.28, 2 * long, "z"), rod((0, 0.8, 0), 0.08, 0.12)]
    else:
        parts = [box((0, 0.25, 0), (0.6, 0.06, 2 * long))] + both(
            box((0.28, 0.42, 0), (0.04, 0.35, 2 * long))
        )
        parts += [box((0, 0.42, s * long), (0.6, 0.35, 0.04)) for s in (-1, 1)]
    parts.append(box((0, 0.2, 0), (0.5, 0.08, 2 * long)))
    for z in (-0.8, -0.6, 0.6, 0.8):
        parts += both(rod((0.25, 0.11, z * long), 0.11, 0.05, "x", sides=10))
    return parts + [box((0, 0.2, s * (long + 0.05)), (0.06, 0.06, 0.15)) for s in (-1, 1)]


def train(r):
    parts, z = locomotive(r), -1.3
    for _ in range(int(r.integers(1, 3))):
        parts += moved(train_car(r), (0, 0, z - 1.0), (1, 1, 0.8))
        z -= 2.1
    return parts


def tram(r):
    u = r.uniform
    long, high = u(1.1, 1.7), u(0.65, 0.85)
    parts = [
        side_view(
            [
                (-long, 0.12),
                (long, 0.12),
                (long, high * 0.6),
                (long * 0.93, high + 0.12),
                (-long * 0.93, high + 0.12),
                (-long, high * 0.6),
            ],
            0.6,
        )
    ]
    return parts + [
        tube([(0, high + 0.1, 0), (0, high + 0.3, -0.25), (0, high + 0.5, 0.05)], 0.015, 5),
        box((0, high + 0.5, 0.05), (0.5, 0.02, 0.03)),
    ]


def forklift(r):
    u = r.uniform
    high = u(1.0, 1.4)
    parts = [
        box((0, 0.35, -0.2), (0.55, 0.35, 0.8)),
        box((0, 0.55, -0.5), (0.55, 0.3, 0.25)),
        box((0, 1.05, -0.2), (0.55, 0.04, 0.6)),
        *moved(posts(0.25, 0.27, 0.5, 1.05, 0.02), (0, 0, -0.2)),
    ]
    lift = u(0.1, 0.7)
    parts += both(
        box((0.18, high / 2 + 0.05, 0.3), (0.06, high, 0.06)),
        box((0.14, lift, 0.6), (0.08, 0.03, 0.6)),
        box((0.14, lift + 0.15, 0.34), (0.08, 0.3, 0.03)),
    )
    return parts + both(rod((0.27, 0.15, 0.1), 0.15, 0.12, "x"), rod((0.27, 0.13, -0.5), 0.13, 0.12, "x"))


def excavator(r):
    u = r.uniform
    parts = both(
        placed(
            side_view([(-0.5, 0.1), (-0.4, 0.22), (0.4, 0.22), (0.5, 0.1), (0.4, 0), (-0.4, 0)], 0.18),
            (0.25, 0, 0),
        )
    )
    elbow = np.array([0.1, u(0.9, 1.3), u(0.5, 0.8)])
    tip = np.array([0.1, u(0.1, 0.6), u(0.9, 1.3)])
    house = [
        rod((0, 0.25, 0), 0.2, 0.1),
        box((0, 0.45, -0.15), (0.55, 0.3, 0.7)),
        box((-0.15, 0.65, 0.15), (0.24, 0.45, 0.3)),
    ]
    house += [
        tube([(0.1, 0.45, 0.2), (0.1, elbow[1] * 0.85, 0.35), elbow], [0.07, 0.09, 0.06], 4),
        limb(elbow, tip, 0.06, 0.05, 4),
    ]
    house.append(
        placed(slab([(-0.12, 0.05), (0.1, 0.1), (0.12, -0.15), (-0.1, -0.2)], 0.26), tip, turn=np.pi / 2)
    )
    return parts + house


KINDS = {
    "car": car,
    "sports car": lambda r: car(r, "sport"),
    "van": lambda r: car(r, "van"),
    "pickup truck": lambda r: car(r, "pickup"),
    "race car": racing_car,
    "bus": bus,
    "truck": truck,
    "tractor": tractor,
    "tank": tank,
    "locomotive": locomotive,
    "train car": train_car,
    "train": train,
    "tram": tram,
    "forklift": forklift,
    "excavator": excavator,
}

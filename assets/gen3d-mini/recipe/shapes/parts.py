"""Parts that several kinds share."""

import numpy as np

from solids import ball, both, grid, lathe, limb, placed, tube


def wing(root, span, chord, sweep, tip, rise=0.0, thick=0.03):
    """One wing to +x from `root`."""
    x, y, z = root
    row = lambda x, y, z, c: [
        (x, y - thick / 2, z),
        (x, y + thick / 2, z),
        (x, y + thick / 2, z - c),
        (x, y - thick / 2, z - c),
    ]
    rows = [
        row(x, y, z - chord / 2, 0),
        row(x, y, z, chord),
        row(x + span, y + rise, z - sweep, chord * tip),
        row(x + span, y + rise, z - sweep - chord * tip / 2, 0),
    ]
    v = np.array(rows, float)
    return grid(v)


def fuselage(radius, long, nose=0.25, tail=0.35):
    profile = [
        (0, long / 2),
        (radius * 0.6, long / 2 - nose * 0.3),
        (radius, long / 2 - nose),
        (radius, -long / 2 + tail),
        (radius * 0.3, -long / 2),
        (0, -long / 2),
    ]
    return placed(lathe(profile, 14), tilt=np.pi / 2)


def tail_fins(r, long, at=0.0):
    u = r.uniform
    parts = both(wing((0, at, -long / 2 + 0.25), u(0.25, 0.4), u(0.15, 0.25), u(0.05, 0.2), u(0.5, 0.9)))
    fin = wing((0, 0, -long / 2 + 0.25), u(0.25, 0.4), u(0.18, 0.3), u(0.1, 0.25), u(0.4, 0.8))
    return parts + [placed(fin, (0, at, 0), roll=np.pi / 2)]


def wheel_pair(x, y, z, radius, width):
    return both(limb((x, y, z), (x - width, y, z), radius, sides=14))


def hull(long, wide, deep):
    rows = []
    for z in np.linspace(-1, 1, 9):
        w = wide * (1 - max(z, 0) ** 2.2) * (0.85 if z < -0.9 else 1)
        w = max(w, 0.01)
        d = deep * (1 - 0.5 * max(z, 0) ** 2)
        rows.append(
            [
                (-w, 0.05 * z * z, z * long),
                (-w * 0.8, -d * 0.6, z * long),
                (0, -d, z * long),
                (w * 0.8, -d * 0.6, z * long),
                (w, 0.05 * z * z, z * long),
                (0, 0, z * long),
            ]
        )
    return grid(np.array(rows, float))


def handled(r, head, handle=(0.7, 1.1), thick=(0.03, 0.05)):
    """A tool: a handle up to the origin, and what is on it."""
    u = r.uniform
    return [limb((0, -u(*handle), 0), (0, 0.03, 0), u(*thick), u(*thick))] + head


def pick(r, *options):
    """One of the options."""
    return options[int(r.integers(len(options)))]


def rod(center, radius, length, axis="y", taper=1.0, sides=14):
    """A cylinder or cone frustum centred on `center` along an axis."""
    half = np.eye(3)["xyz".index(axis)] * length / 2
    return limb(np.array(center) - half, np.array(center) + half, radius, radius * taper, sides)


def around(part, count, phase=0.0):
    """Copies of a part spread about the y axis."""
    return [placed(part, turn=phase + 2 * np.pi * i / count) for i in range(count)]


def posts(wide, long, low, high, thick, splay=0.0, sides=6):
    """Four legs at the corners of a rectangle, from `low` to `high`."""
    out = 1 + splay
    return [
        limb((x * wide * out, low, z * long * out), (x * wide, high, z * long), thick, sides=sides)
        for x in (-1, 1)
        for z in (-1, 1)
    ]


def grip(x, y, reach, high, thick, low=-1.4, top=1.4):
    """A bent handle that sticks out to +x from (x, y)."""
    t = np.linspace(low, top, 8)
    return tube(np.stack([x + reach * np.cos(t), y + high * np.sin(t), 0 * t], 1), thick, 6)


def lump(r, radii, rough=0.1, sides=10):
    """An ellipsoid with dents."""
    vertices, triangles = ball((0, 0, 0), 1.0, sides)
    waves = r.normal(size=(3, 3)) * 2
    dents = np.sin(vertices @ waves + r.uniform(0, 6, 3)).sum(1, keepdims=True) * rough
    return vertices * (1 + dents) * np.broadcast_to(radii, 3), triangles


def leaf(long, wide, droop=0.0, thick=0.01):
    """A leaf from the origin along +z, its tip lower by `droop`."""
    t = np.linspace(0, 1, 6)
    w = wide * np.sin(np.pi * t**0.8) / 2 + 0.004
    y = -droop * t**2
    rows = [
        [(-a, b, c * long), (0, b + thick + a * 0.2, c * long), (a, b, c * long)] for a, b, c in zip(w, y, t)
    ]
    return grid(np.array(rows))


def gable(w, d, low, rise, over=0.08, hip=0.0):
    """A roof over a rectangle 2 w by 2 d, its ridge along z."""
    w, d = w + over, d + over
    e, top = d * (1 - hip), low + rise
    corners = [(-w, low, -d), (w, low, -d), (w, low, d), (-w, low, d), (0, top, -e), (0, top, e)]
    faces = [(0, 1, 4), (2, 3, 5), (1, 2, 5), (1, 5, 4), (3, 0, 4), (3, 4, 5), (0, 1, 2), (0, 2, 3)]
    return np.array(corners, float), np.array(faces)


def moved(parts, *args, **kwargs):
    """All parts `placed` alike."""
    return [placed(part, *args, **kwargs) for part in parts]

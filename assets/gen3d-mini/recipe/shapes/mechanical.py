"""Machine parts and small hardware."""

import numpy as np

from shapes.parts import around, moved, pick, rod
from solids import ball, both, box, grid, lathe, limb, merge, placed, ring, slab, tube


def gear(r):
    u = r.uniform
    teeth = int(r.integers(8, 25))
    deep = u(0.1, 0.2)
    outline = []
    for i in range(teeth):
        for part, rad in ((0, 1 - deep), (0.25, 1 - deep), (0.4, 1), (0.7, 1)):
            a = 2 * np.pi * (i + part) / teeth
            outline.append((rad * np.cos(a), rad * np.sin(a)))
    inner = u(0.15, 0.45)
    outline = np.array(outline)
    a = np.arctan2(outline[:, 1], outline[:, 0])
    hole = inner * np.stack([np.cos(a), np.sin(a)], 1)
    h = u(0.1, 0.3) / 2
    at = lambda flat, z: np.concatenate([flat, np.full((len(flat), 1), z)], 1)
    part = grid(np.stack([at(hole, -h), at(outline, -h), at(outline, h), at(hole, h), at(hole, -h)]))
    return [placed(part, tilt=np.pi / 2)] if r.random() < 0.5 else [part]


def wheel(r):
    u = r.uniform
    rim = u(0.08, 0.25)
    parts = [
        ring((0, 0, 0), 1 - rim, rim, (1, 0, 0), 28),
        limb((-0.1, 0, 0), (0.1, 0, 0), u(0.1, 0.25), sides=14),
    ]
    for a in np.linspace(0, 2 * np.pi, int(r.integers(4, 13)), endpoint=False):
        parts.append(
            limb((0, 0, 0), (0, np.cos(a) * (1 - rim), np.sin(a) * (1 - rim)), u(0.02, 0.06), sides=6)
        )
    return parts


def bearing(r):
    u = r.uniform
    hole, deep = u(0.35, 0.65), u(0.12, 0.4)
    gap = (1 - hole) * 0.3
    race = lambda a, b: lathe([(a, -deep), (b, -deep), (b, deep), (a, deep), (a, -deep)], 26)
    parts = [race(hole, hole + gap), race(1 - gap, 1)]
    size = (1 - hole - 2 * gap) * 0.62
    roller = pick(
        r,
        ball((hole + (1 - hole) / 2, 0, 0), size, 8),
        rod((hole + (1 - hole) / 2, 0, 0), size, deep * 1.5, sides=8),
    )
    if r.random() < 0.75:
        parts += around(roller, int(r.integers(8, 15)))
    else:
        parts.append(race(hole, 1))
    return moved(parts, tilt=pick(r, 0, np.pi / 2)) if r.random() < 0.5 else parts


def nut(r):
    u = r.uniform
    hole, high, sides = u(0.4, 0.62), u(0.3, 0.6), pick(r, 6, 6, 6, 4)
    return [
        placed(
            lathe([(hole, -high), (1, -high * 0.9), (1, high * 0.9), (hole, high), (hole, -high)], sides),
            tilt=pick(r, 0, np.pi / 2),
        )
    ]


def bolt(r):
    u = r.uniform
    w, long = u(0.12, 0.2), u(0.7, 1.3)
    y = np.linspace(-long, -long * u(0, 0.5), 21)
    thread = w * np.where(np.arange(21) % 2, 1.12, 0.95)
    head = rod((0, 0.1, 0), w * u(1.6, 2), 0.2, sides=pick(r, 6, 6, 14))
    parts = [lathe([(0, -long), *zip(thread, y), (w, 0), (0, 0)], 12), head]
    return parts + ([rod((0, -long * u(0.5, 0.8), 0), w * 1.8, 0.16, sides=6)] if r.random() < 0.4 else [])


def spring(r):
    u = r.uniform
    turns = u(4, 8)
    t = np.linspace(0, 2 * np.pi * turns, int(14 * turns))
    rad = np.linspace(0.4, 0.4 * u(0.6, 1.2), len(t))
    return [
        tube(
            np.stack([rad * np.cos(t), np.linspace(-1, 1, len(t)) * u(0.5, 1), rad * np.sin(t)], 1),
            u(0.03, 0.08),
            6,
        )
    ]


def flange(r):
    """A plate with bosses, ribs and holes."""
    u = r.uniform
    rad, thick, hole = u(0.6, 1), u(0.1, 0.2), u(0.2, 0.35)
    parts = [
        lathe(
            [
                (hole, 0),
                (rad, 0),
                (rad, thick),
                (hole * 1.6, thick),
                (hole * 1.6, u(0.4, 1.0)),
                (hole, u(0.4, 1.0)),
                (hole, 0),
            ],
            20,
        )
    ]
    return parts + around(rod((rad * 0.8, thick, 0), 0.08, 0.12, sides=8), int(r.integers(3, 9)))


def bracket(r):
    u = r.uniform
    w, a, b, t = u(0.3, 0.6), u(0.6, 1), u(0.6, 1), u(0.07, 0.15)
    parts = [box((0, t / 2, a / 2), (w, t, a)), box((0, b / 2, t / 2), (w, b, t))]
    for s in (-1, 1) if r.random() < 0.5 else (0,):
        parts.append(
            placed(
                slab([(0, 0), (a * 0.8, 0), (0, b * 0.8)], t),
                (s * w * 0.4, t, t),
                turn=-np.pi / 2,
                scale=(1, 1, 1),
            )
        )
    return parts + [rod((0, t, a * 0.7), u(0.08, 0.14), 0.15), rod((0, b * 0.75, t), 0.1, 0.15, "z")]


def shaft(r):
    """Turned steps on one axis, some with teeth or a flat."""
    u = r.uniform
    y, profile = 0.0, [(0, 0)]
    for _ in range(int(r.integers(3, 8))):
        rad, step = u(0.1, 0.5), u(0.1, 0.5)
        profile += [(rad, y), (rad, y + step)]
        y += step
    return [placed(lathe([*profile, (0, y)], pick(r, 6, 18, 18, 18)), tilt=pick(r, 0, np.pi / 2))]


def housing(r):
    u = r.uniform
    w, h, d = u(0.4, 0.8), u(0.3, 0.7), u(0.3, 0.6)
    parts = [
        box((0, h / 2, 0), (w, h, d)),
        box((0, 0.04, 0), (w * 1.5, 0.08, d * 1.1)),
        rod((0, h * u(0.5, 1), 0), u(0.15, 0.3), d * u(1.2, 1.8), "z"),
    ]
    if r.random() < 0.6:
        parts += [rod((0, h + 0.1, 0), u(0.08, 0.2), 0.3), rod((0, h + 0.25, 0), 0.22, 0.05)]
    return parts + both(*(rod((w * 0.65, 0.1, z), 0.05, 0.08, sides=6) for z in (-d * 0.4, d * 0.4)))


def crank(r):
    u = r.uniform
    long = u(0.6, 1)
    web = slab([(-0.15, -0.12), (0, -0.17), (0.15, -0.12), (0.1, long), (0, long + 0.08), (-0.1, long)], 0.1)
    return [web, rod((0, 0, -0.2), 0.1, 0.5, "z"), rod((0, long - 0.02, 0.2), 0.07, 0.4, "z")]


def mechanical_part(r):
    return pick(r, flange, bracket, shaft, housing, crank, gear, bearing, nut, bolt, pipe)(r)


def pipe(r):
    u = r.uniform
    rad = u(0.15, 0.3)
    t = np.linspace(0, u(0.5, 1.6), 8)
    bend = np.stack([1 - np.cos(t), np.sin(t), 0 * t], 1) * u(0.5, 0.9)
    parts = [tube([(0, -0.5, 0), *bend], rad, 14), rod((0, -0.5, 0), rad * 1.4, 0.1)]
    ahead = (bend[-1] - bend[-2]) / np.linalg.norm(bend[-1] - bend[-2])
    parts.append(limb(bend[-1], bend[-1] + ahead * 0.12, rad * 1.4, sides=14))
    return parts + ([rod((0, -0.2, 0.2), rad * 0.8, 0.5, "z")] if r.random() < 0.3 else [])


def propeller(r):
    u = r.uniform
    rows = [
        [(-w, a, -w * t), (0, a, 0.02), (w, a, w * t)]
        for a, w, t in zip(
            np.linspace(0.1, 1, 5), u(0.1, 0.3) * np.array([0.5, 0.9, 1, 0.9, 0.3]), np.linspace(1, 0.3, 5)
        )
    ]
    blade = grid(np.array(rows), wrap=False)
    n = int(r.integers(2, 6))
    return [rod((0, 0, 0), u(0.1, 0.18), 0.25, "z")] + [
        placed(blade, roll=2 * np.pi * i / n) for i in range(n)
    ]


def chain(r):
    u = r.uniform
    links, bend = int(r.integers(4, 9)), u(-0.25, 0.25)
    parts, at, angle = [], np.zeros(2), 0.0
    link = placed(ring((0, 0, 0), 0.14, u(0.03, 0.05), sides=14), scale=(1.4, 1, 1))
    for i in range(links):
        flat = placed(link, turn=0, tilt=np.pi / 2 * (i % 2))
        parts.append(placed(flat, (at[0], at[1], 0), roll=angle))
        at = at + 0.3 * np.array([np.cos(angle), np.sin(angle)])
        angle += bend
    return parts


def padlock(r):
    u = r.uniform
    w, h = u(0.35, 0.45), u(0.5, 0.7)
    body = pick(
        r,
        box((0, 0, 0), (2 * w, h, u(0.2, 0.35))),
        placed(rod((0, 0, 0), w, u(0.2, 0.35), "z", sides=20), scale=(1, h / w / 2, 1)),
    )
    raised, open_ = u(0.1, 0.35), r.random() < 0.25
    t = np.linspace(0, np.pi, 9)
    bow = np.stack([w * 0.6 * np.cos(t), h / 2 + raised + w * 0.6 * np.sin(t), 0 * t], 1)
    left = [] if open_ else [(-w * 0.6, h * 0.4, 0)]
    return [
        body,
        tube([(w * 0.6, h * 0.4, 0), *bow, *left], u(0.05, 0.08), 8),
        rod((0, -h * 0.1, 0.15), 0.05, 0.1, "z", sides=8),
    ]


def key(r):
    u = r.uniform
    t, long = u(0.02, 0.06), u(0.6, 1.0)
    bow = pick(
        r,
        ring((0, 0, 0), 0.2, 0.05),
        placed(rod((0, 0, 0), 0.24, t, "z", sides=8)),
        merge(both(ring((0.12, 0, 0), 0.1, 0.03), ring((0.0, 0.12, 0), 0.1, 0.03))),
    )
    parts = [
        bow,
        limb((0, -0.2, 0), (0, -long, 0), 0.045)
        if r.random() < 0.5
        else box((0, -0.1 - long / 2, 0), (0.14, long, t)),
    ]
    return parts + [
        box((0.09, -long + 0.08 * i, 0), (u(0.06, 0.2), 0.05, t)) for i in range(int(r.integers(2, 6)))
    ]


def tire(r):
    u = r.uniform
    hole, high = u(0.5, 0.7), u(0.2, 0.4)
    profile = [
        (hole, -high),
        (0.9, -high),
        (1, -high * 0.6),
        (1, high * 0.6),
        (0.9, high),
        (hole, high),
        (hole + 0.08, 0),
        (hole, -high),
    ]
    parts = [lathe(profile, 26)]
    parts += around(box((1, 0, 0), (0.05, high * 1.3, 0.08)), 20) if r.random() < 0.4 else []
    if r.random() < 0.5:
        parts += [lathe([(0, -0.05), (hole, -0.1), (hole, 0.05), (0.1, 0.12), (0, 0.12)], 20)]
    return moved(parts, roll=np.pi / 2)


def valve(r):
    u = r.uniform
    parts = [
        rod((0, 0, 0), 0.2, u(0.9, 1.3), "x"),
        ball((0, 0, 0), 0.3, 12),
        limb((0, 0.2, 0), (0, 0.7, 0), 0.06),
    ]
    parts += both(rod((0.5, 0, 0), 0.32, 0.1, "x")) + [ring((0, 0.7, 0), 0.3, 0.04, (0, 1, 0))]
    return parts + around(limb((0, 0.7, 0), (0.3, 0.7, 0), 0.025, sides=5), int(r.integers(3, 6)))


KINDS = {
    "gear": gear,
    "wheel": lambda r: pick(r, wheel, tire)(r),
    "tire": tire,
    "bearing": bearing,
    "nut": nut,
    "bolt": bolt,
    "spring": spring,
    "mechanical part": mechanical_part,
    "bracket": bracket,
    "pipe": pipe,
    "valve": valve,
    "propeller": propeller,
    "chain": chain,
    "padlock": padlock,
    "key": key,
}

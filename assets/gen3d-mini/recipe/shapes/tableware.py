"""What one eats and drinks from and cooks in."""

import numpy as np

from shapes.parts import grip, pick, rod
from solids import ball, both, box, grid, lathe, limb, placed, slab, tube


def bottle(r):
    u = r.uniform
    w, neck = u(0.14, 0.24), u(0.05, 0.08)
    shoulder = u(0.45, 0.65)
    return [
        lathe(
            [
                (0, 0),
                (w, 0),
                (w, shoulder),
                (w * u(0.7, 0.95), shoulder + 0.08),
                (neck, shoulder + u(0.15, 0.25)),
                (neck, 0.98),
                (neck * 1.2, 0.98),
                (neck * 1.2, 1.03),
                (0, 1.03),
            ]
        )
    ]


def vase(r):
    u = r.uniform
    t = np.linspace(0, 1, 9)
    base, belly, lip = u(0.12, 0.22), u(0.22, 0.42), u(0.12, 0.3)
    peak = u(0.3, 0.65)
    radius = base + (lip - base) * t + (belly - 0.15) * np.exp(-((t - peak) ** 2) / u(0.03, 0.09))
    outer = list(zip(radius, t))
    inner = [(x * 0.88, y) for x, y in outer[:1:-1]]
    parts = [lathe([(0, 0)] + outer + inner + [(0, 0.15)])]
    if r.random() < 0.25:
        parts += both(
            tube(
                [(radius[7], 0.88, 0), (radius.max() + 0.12, 0.8, 0), (radius[5] * 0.95, 0.55, 0)], 0.025, 6
            )
        )
    return parts


def cup(r):
    """Tea cups with a handle, and more often beakers and drinking cups without one."""
    u = r.uniform
    handle = r.random() < 0.4
    low, high = u(0.18, 0.34), u(0.35, 0.8) if handle else u(0.45, 1.0)
    top, wall, belly = low * u(1.0, 1.55), u(0.02, 0.045), u(-0.06, 0.08)
    heights = np.linspace(0, 1, 6)
    # Straight, bellied, or opening towards the rim.
    radius = low + (top - low) * heights ** u(0.6, 1.6) + belly * np.sin(np.pi * heights) * low / 0.3
    outer = list(zip(radius, high * heights))
    inner = [(x - wall, y) for x, y in outer[:0:-1]] + [(low - wall, wall), (0, wall)]
    if not handle and r.random() < 0.35:
        lip = u(0.015, 0.035)
        outer = outer[:-1] + [(top, high - 2 * lip), (top + lip, high - 1.5 * lip), (top + lip, high)]
    foot = [(0, 0), (low * 0.8, 0), (low * 0.8, 0.05)] if r.random() < 0.3 else [(0, 0)]
    lifted = [(x, y + foot[-1][1]) for x, y in outer + inner]
    parts = [lathe(foot + lifted, 24)]
    if handle:
        t = np.linspace(-1.3, 1.3, 8)
        out, up = (low + top) / 2 - 0.03 + u(0.13, 0.22) * np.cos(t), high * (0.55 + 0.3 * np.sin(t))
        parts.append(tube(np.stack([out, up, 0 * t], 1), u(0.02, 0.045), 6))
    return parts


def wine_glass(r):
    u = r.uniform
    stem, wide, high = u(0.35, 0.55), u(0.2, 0.3), u(0.35, 0.5)
    return [
        lathe(
            [
                (0, 0),
                (u(0.18, 0.24), 0),
                (0.03, 0.04),
                (0.025, stem),
                (wide * 0.8, stem + high * 0.25),
                (wide, stem + high * 0.5),
                (wide * u(0.7, 1), stem + high),
                (wide * 0.65, stem + high),
                (wide * 0.85, stem + high * 0.5),
                (0, stem + high * 0.15),
            ]
        )
    ]


def teapot(r):
    u = r.uniform
    w, h = u(0.36, 0.46), u(0.3, 0.42)
    parts = [
        ball((0, h, 0), (w, h, w), 14),
        lathe([(0, 2 * h), (0.14, 2 * h - 0.04), (0.06, 2 * h + 0.04), (0, 2 * h + 0.1)]),
    ]
    parts.append(
        tube([(w * 0.8, h * 0.8, 0), (w + 0.15, h, 0), (w + u(0.25, 0.35), h * 1.7, 0)], [0.11, 0.07, 0.04])
    )
    t = np.linspace(-1.4, 1.4, 8)
    parts.append(tube(np.stack([-w * 0.85 - 0.25 * np.cos(t), h + h * 0.6 * np.sin(t), 0 * t], 1), 0.035, 6))
    return parts


def lofted(r, outline, thin=0.94, sides=20):
    """A vessel with an inside from (radius, height) pairs, bottom first."""
    inner = [(x * thin - 0.004, y) for x, y in outline[::-1] if y > outline[0][1] + 0.03]
    return lathe([(0, outline[0][1]), *outline, *inner, (0, outline[0][1] + 0.04)], sides)


def plain_bottle(r):
    """Wine, water, soap and sauce bottles, some square, some with a pump or handle."""
    u = r.uniform
    w, neck, high = u(0.15, 0.32), u(0.05, 0.11), u(0.5, 0.85)
    waist = u(0.75, 1.0)
    profile = [
        (0, 0),
        (w * 0.95, 0),
        (w, 0.05),
        (w * waist, high * 0.5),
        (w, high * 0.8),
        (w * u(0.6, 1), high),
        (neck, high + u(0.02, 0.25)),
        (neck, high + 0.3),
        (0, high + 0.3),
    ]
    parts = [placed(lathe(profile, pick(r, 4, 16, 20, 20)), scale=(1, 1, u(0.5, 1)))]
    top = high + 0.3
    form = r.random()
    if form < 0.5:
        parts.append(rod((0, top, 0), neck * u(1.1, 1.5), u(0.08, 0.2)))
    elif form < 0.75:
        parts += [
            limb((0, top, 0), (0, top + 0.12, 0), 0.03),
            tube(
                [(0, top + 0.12, -0.05), (0, top + 0.14, 0.1), (0, top + 0.1, 0.22)], [0.05, 0.04, 0.02], 6
            ),
        ]
    return parts + ([grip(w * 0.9, high * 0.6, 0.2, 0.2, 0.04)] if form > 0.9 else [])


def bowl(r):
    u = r.uniform
    wide, high, foot, bulge = u(0.5, 0.8), u(0.2, 0.55), u(0.2, 0.45), u(0.6, 1.4)
    t = np.linspace(0, 1, 7)
    outline = list(zip(foot + (wide - foot) * np.sin(t * np.pi / 2) ** bulge, high * t))
    return [lofted(r, outline, 0.93)]


def plate(r):
    u = r.uniform
    rim, high = u(0.55, 0.8), u(0.04, 0.14)
    return [
        placed(
            lathe(
                [(0, 0), (rim, 0), (1, high), (1, high + 0.02), (rim, 0.03), (0, 0.03)],
                pick(r, 4, 8, 24, 24, 24),
            ),
            scale=(1, 1, u(0.6, 1) if r.random() < 0.3 else 1),
        )
    ]


def pitcher(r):
    u = r.uniform
    a, b, c, high = u(0.2, 0.35), u(0.25, 0.42), u(0.16, 0.3), u(0.8, 1.2)
    t = np.linspace(0, 1, 8)
    radius = np.interp(t, [0, u(0.25, 0.45), 0.8, 1], [a, b, c, c * u(1, 1.25)])
    body = lofted(r, list(zip(radius, high * t)))
    spout = body[0][:, 1] > high * 0.85
    body[0][:, 0] -= np.where(spout & (body[0][:, 0] < -0.6 * c), u(0.06, 0.16), 0)
    parts = [body, grip(radius[5] * 0.95, high * 0.58, u(0.15, 0.28), high * u(0.25, 0.36), u(0.025, 0.045))]
    return parts + (
        [rod((0, high + 0.03, 0), c, 0.06), ball((0, high + 0.1, 0), 0.06, 8)] if r.random() < 0.3 else []
    )


def can(r):
    u = r.uniform
    w, high = u(0.22, 0.4), u(0.4, 0.9)
    lip = w * u(0.85, 1)
    return [
        lathe(
            [
                (0, 0.02),
                (lip, 0),
                (w, 0.04),
                (w, high - 0.04),
                (lip, high),
                (lip * 0.95, high),
                (lip * 0.93, high - 0.02),
                (0, high - 0.02),
            ],
            24,
        )
    ] + ([box((0, high, 0.06), (0.08, 0.012, 0.14))] if r.random() < 0.4 else [])


def jar(r):
    u = r.uniform
    w, high = u(0.25, 0.38), u(0.45, 0.8)
    lid = w * u(0.75, 1.0)
    parts = [
        lathe(
            [(0, 0), (w * 0.95, 0), (w, 0.05), (w, high * 0.8), (lid * 0.95, high), (0, high)],
            pick(r, 6, 20, 20),
        ),
        rod((0, high + 0.06, 0), lid, u(0.08, 0.16), sides=20),
    ]
    return parts + ([ball((0, high + 0.18, 0), 0.07, 8)] if r.random() < 0.3 else [])


def utensil(r, kind):
    """Cutlery with a curved handle that widens to its end, lying on its back."""
    u = r.uniform
    arch, neck, end, thick = u(0.02, 0.09), u(0.03, 0.05), u(0.06, 0.11), u(0.015, 0.035)
    z = np.linspace(-1, 0.2, 8)
    w = np.interp(z, [-1, -0.9, -0.4, 0.2], [end * 0.6, end, neck, neck])
    y = arch * np.sin((z + 1) * 2.6)
    rows = [[(-a, b, c), (0, b + thick, c), (a, b, c), (0, b - thick * 0.3, c)] for a, b, c in zip(w, y, z)]
    parts = [grid(np.array(rows))]
    if kind == "spoon":
        wide, long, deep = u(0.13, 0.19), u(0.2, 0.28), u(0.05, 0.12)
        dish = lathe(
            [
                (0, -deep),
                (0.5, -deep * 0.85),
                (0.85, -deep * 0.4),
                (1, 0),
                (0.9, 0),
                (0.5, -deep * 0.7),
                (0, -deep * 0.85),
            ],
            16,
        )
        return parts + [placed(dish, (0, y[-1] + 0.02, 0.2 + long * 0.9), (wide, 1, long))]
    if kind == "spatula":
        wide, long, tilt = u(0.15, 0.25), u(0.4, 0.6), u(-0.3, 0.3)
        return parts + [placed(box((0, 0, long / 2), (2 * wide, 0.02, long)), (0, y[-1], 0.2), tilt=tilt)]
    if kind == "ladle":
        bowl_ = ball((0, 0, 0), 0.22, 14)
        low = bowl_[0][:, 1] > 0
        bowl_[0][low, 1] *= -0.85
        return parts + [placed(bowl_, (0, u(-0.2, 0.1), 0.4))]
    wide, long = u(0.09, 0.14), u(0.3, 0.45)
    tines = [
        tube(
            [(x, y[-1], 0.32), (x, y[-1] - 0.05, 0.32 + long / 2), (x, y[-1] + 0.01, 0.32 + long)],
            [0.02, 0.018, 0.006],
            5,
        )
        for x in np.linspace(-wide, wide, pick(r, 2, 3, 4, 4))
    ]
    return parts + [ball((0, y[-1], 0.28), (wide * 1.15, 0.02, 0.1), 10)] + tines


def knife(r):
    """Table, kitchen and hunting knives."""
    u = r.uniform
    long, wide, belly = u(0.7, 1.2), u(0.08, 0.22), u(0.5, 0.9)
    blade = slab(
        [
            (0, 0),
            (long * belly, -wide * 0.05),
            (long, pick(r, 0.9, 0.4, 0.1) * wide),
            (long * 0.7, wide * 0.95),
            (0, wide),
        ],
        u(0.012, 0.03),
    )
    haft = tube(
        [
            (0.02, wide * 0.5, 0),
            (-0.15, wide * 0.55, 0),
            (-0.4, wide * 0.45, 0),
            (-u(0.5, 0.65), wide * u(0.2, 0.5), 0),
        ],
        [0.04, 0.055, 0.05, 0.06],
        6,
    )
    return [blade, haft] + ([box((0, wide * 0.5, 0), (0.03, wide * 1.5, 0.08))] if r.random() < 0.3 else [])


def mug(r):
    u = r.uniform
    w, high, taper = u(0.28, 0.4), u(0.55, 0.9), u(0.85, 1.15)
    parts = [
        lofted(
            r,
            [(w * 0.95, 0), (w, 0.04), (w * (1 + taper) / 2 * u(0.92, 1.12), high / 2), (w * taper, high)],
            0.92,
        )
    ]
    return parts + [grip(w * 0.95, high * 0.5, u(0.16, 0.26), high * u(0.24, 0.36), u(0.03, 0.055))]


def kettle(r):
    u = r.uniform
    w, high = u(0.38, 0.48), u(0.45, 0.7)
    parts = [
        lathe([(0, 0), (w * 0.9, 0), (w, high * 0.25), (w * 0.7, high * 0.85), (0.2, high), (0, high)], 18),
        ball((0, high + 0.04, 0), 0.06, 8),
    ]
    parts.append(
        tube(
            [(-w * 0.8, high * 0.45, 0), (-w - 0.12, high * 0.6, 0), (-w - u(0.15, 0.25), high * 0.95, 0)],
            [0.1, 0.06, 0.045],
        )
    )
    t = np.linspace(0.2, np.pi - 0.2, 9)
    if r.random() < 0.6:
        return parts + [
            tube(np.stack([w * 0.75 * np.cos(t), high * 0.8 + u(0.35, 0.5) * np.sin(t), 0 * t], 1), 0.035, 6)
        ]
    return parts + [grip(w * 0.8, high * 0.55, 0.25, high * 0.4, 0.04)]


def pan(r):
    u = r.uniform
    w, high = u(0.4, 0.55), u(0.08, 0.2)
    parts = [
        lofted(r, [(w * 0.85, 0), (w, high)], 0.95),
        tube(
            [
                (w * 0.95, high * 0.7, 0),
                (w + 0.2, high + 0.05, 0),
                (w + u(0.5, 0.8), high + u(0.05, 0.15), 0),
            ],
            [0.03, 0.03, 0.045],
            6,
        ),
    ]
    return parts


def pot(r):
    u = r.uniform
    w, high = u(0.4, 0.5), u(0.3, 0.7)
    ear = placed(grip(w * 0.97, 0, 0.14, 0.12, 0.03), (0, high * 0.8, 0), tilt=np.pi / 2)
    parts = [lofted(r, [(w * u(0.8, 1), 0), (w, high * 0.3), (w, high)], 0.95), *both(ear)]
    return parts + (
        [lathe([(w, high), (w * 0.6, high + 0.1), (0, high + 0.13)], 20), ball((0, high + 0.17, 0), 0.06, 8)]
        if r.random() < 0.55
        else []
    )


def whisk(r):
    u = r.uniform
    t = np.linspace(0, 2 * np.pi, 15)
    loop = tube(
        np.stack([u(0.16, 0.24) * np.sin(t) * np.sin(t / 2) ** 1.0, 0.35 - 0.35 * np.cos(t), 0 * t], 1),
        0.012,
        4,
    )
    return [limb((0, -0.7, 0), (0, 0.03, 0), 0.05, 0.04)] + [
        placed(loop, turn=a) for a in np.linspace(0, np.pi, 4, endpoint=False)
    ]


def rolling_pin(r):
    u = r.uniform
    return [rod((0, 0, 0), u(0.12, 0.2), u(0.9, 1.2), "x")] + both(
        tube([(0.5, 0, 0), (0.65, 0, 0), (0.75, 0, 0), (0.85, 0, 0)], [0.04, 0.05, 0.06, 0.03], 8)
    )


def goblet(r):
    u = r.uniform
    stem, w, high = u(0.2, 0.6), u(0.15, 0.36), u(0.2, 0.5)
    return [
        lathe(
            [
                (0, 0),
                (w * 0.9, 0),
                (0.04, 0.05),
                (0.03, stem * 0.5),
                (u(0.03, 0.08), stem * 0.6),
                (0.03, stem),
                (w * u(0.2, 0.9), stem + 0.08),
                (w, stem + high),
                (w * 0.93, stem + high),
                (0, stem + 0.12),
            ]
        )
    ]


KINDS = {
    "bottle": lambda r: pick(r, bottle, plain_bottle, plain_bottle)(r),
    "vase": vase,
    "cup": cup,
    "mug": mug,
    "wine glass": lambda r: pick(r, wine_glass, goblet)(r),
    "teapot": teapot,
    "bowl": bowl,
    "plate": plate,
    "pitcher": pitcher,
    "can": can,
    "jar": jar,
    "fork": lambda r: utensil(r, "fork"),
    "spoon": lambda r: utensil(r, "spoon"),
    "spatula": lambda r: utensil(r, "spatula"),
    "ladle": lambda r: utensil(r, "ladle"),
    "knife": knife,
    "kettle": kettle,
    "pan": pan,
    "pot": pot,
    "whisk": whisk,
    "rolling pin": rolling_pin,
}

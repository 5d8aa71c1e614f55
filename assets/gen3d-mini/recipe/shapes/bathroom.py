"""Bathroom things."""

import numpy as np

from shapes.parts import moved, pick, posts, rod
from solids import both, box, grid, lathe, limb, placed, ring, tube


def toilet(r):
    u = r.uniform
    long, wide, high = u(0.26, 0.34), u(0.2, 0.26), u(0.38, 0.46)
    foot = u(0.45, 0.75)
    bowl = lathe(
        [
            (0, 0),
            (foot, 0),
            (foot * 0.9, 0.35),
            (u(0.75, 0.95), 0.75),
            (1, 0.95),
            (1, 1),
            (0.7, 1),
            (0.45, 0.55),
            (0, 0.5),
        ]
    )
    parts = [placed(bowl, scale=(wide, high, long))]
    seat = ring((0, 0, 0), 0.84, 0.14, (0, 1, 0))
    parts.append(placed(seat, (0, high + 0.02, 0), (wide, 0.15, long)))
    tank = (u(0.36, 0.48), u(0.3, 0.45), u(0.15, 0.22))
    parts.append(box((0, high + tank[1] / 2, -long - tank[2] * 0.4), tank))
    parts.append(
        box((0, high + tank[1] + 0.015, -long - tank[2] * 0.4), (tank[0] + 0.03, 0.03, tank[2] + 0.03))
    )
    parts.append(box((0, high * 0.5, -long * 0.9), (wide * 1.1, high, long * 0.6)))
    if r.random() < 0.6:
        lid = lathe([(0, 0), (1, 0), (1, 0.03), (0, 0.04)])
        up = r.random() < 0.4
        lid = placed(lid, scale=(wide, 1, long))
        parts.append(
            placed(lid, (0, high + long, -long * 0.95), tilt=np.pi / 2 - 0.15)
            if up
            else placed(lid, (0, high + 0.05, 0))
        )
    return parts


def bathtub(r):
    u = r.uniform
    w, d, high = u(0.35, 0.45), u(0.75, 0.95), u(0.4, 0.55)
    power = u(2, 6)
    a = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    x, z = (np.sign(f(a)) * np.abs(f(a)) ** (2 / power) for f in (np.cos, np.sin))
    row = lambda k, y: np.stack([w * k * x, 0 * a + y, d * k * z], 1)
    parts = [
        grid(
            np.array(
                [
                    row(0.01, 0),
                    row(u(0.7, 1), 0),
                    row(1, high),
                    row(1.06, high + 0.02),
                    row(0.9, high),
                    row(0.75, 0.12),
                    row(0.01, 0.1),
                ]
            )
        )
    ]
    if r.random() < 0.4:
        parts += moved(posts(w * 0.7, d * 0.7, 0, 0.2, 0.05), (0, -0.12, 0))
    return parts + [
        tube([(0, high, -d * 0.95), (0, high + 0.2, -d * 0.95), (0, high + 0.2, -d * 0.75)], 0.03, 6)
    ]


def sink(r):
    u = r.uniform
    w, d, high = u(0.35, 0.5), u(0.25, 0.38), u(0.7, 0.85)
    basin = placed(
        lathe(
            [(0, -0.2), (0.6, -0.16), (0.95, 0), (1, 0.02), (0.85, 0), (0.5, -0.12), (0, -0.14)],
            pick(r, 4, 22),
        ),
        (0, high, 0),
        (w, 1, d),
    )
    foot = pick(
        r,
        [limb((0, 0, -0.05), (0, high - 0.1, -0.05), u(0.12, 0.18), 0.1)],
        [box((0, high / 2 - 0.06, 0), (1.8 * w, high - 0.1, 1.8 * d))],
        [],
    )
    return [
        basin,
        *foot,
        box((0, high, -d * 0.9), (2 * w, 0.08, 0.12)),
        tube(
            [
                (0, high, -d * 0.8),
                (0, high + u(0.15, 0.3), -d * 0.8),
                (0, high + 0.18, -d * 0.3),
                (0, high + 0.12, -d * 0.28),
            ],
            0.025,
            6,
        ),
    ] + both(rod((0.14, high + 0.08, -d * 0.85), 0.035, 0.1, sides=8))


def faucet(r):
    u = r.uniform
    rise, reach = u(0.3, 0.8), u(0.4, 0.7)
    t = np.linspace(np.pi, 0, 8)
    spout = np.stack([0 * t, rise + 0.2 * np.sin(t), reach / 2 + reach / 2 * np.cos(t)], 1)
    handle = pick(
        r,
        both(limb((0.2, 0, 0), (0.2, 0.15, 0), 0.04), rod((0.2, 0.18, 0), 0.025, 0.2, "x")),
        [limb((0.05, 0.15, 0), (u(0.2, 0.3), 0.35, 0), 0.03)],
    )
    return [
        tube([(0, 0, 0), *spout, (0, rise - 0.1, reach)], u(0.04, 0.07), 8),
        rod((0, 0, 0), 0.1, 0.08),
        *handle,
    ]


def toothbrush(r):
    u = r.uniform
    return [
        tube([(0, 0, -1), (0, 0.03, -0.5), (0, 0, 0.2), (0, 0, 0.9)], [0.06, u(0.05, 0.09), 0.035, 0.05], 8),
        box((0, 0.08, 0.7), (u(0.08, 0.14), 0.14, u(0.3, 0.45))),
    ]


def comb(r):
    u = r.uniform
    n, deep = int(r.integers(14, 30)), u(0.2, 0.35)
    return [box((0, 0.1, 0), (2.05, u(0.1, 0.2), 0.06))] + [
        box((x, -deep / 2 + 0.03, 0), (1.1 / n, deep, 0.03)) for x in np.linspace(-0.9, 0.9, n)
    ]


def toilet_paper(r):
    u = r.uniform
    hole, high = u(0.3, 0.45), u(0.6, 1.0)
    sheet = grid(np.array([[(1.0, y, z) for y in (-high, high)] for z in (0, u(0.3, 0.9))]), wrap=False)
    return moved(
        [lathe([(hole, -high), (1, -high), (1, high), (hole, high), (hole, -high)], 24), sheet],
        roll=pick(r, 0, np.pi / 2),
    )


KINDS = {
    "toilet": toilet,
    "bathtub": bathtub,
    "sink": sink,
    "faucet": faucet,
    "toothbrush": toothbrush,
    "comb": comb,
    "toilet paper": toilet_paper,
}

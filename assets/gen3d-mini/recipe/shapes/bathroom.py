"""Bathroom things."""

import numpy as np

from solids import box, lathe, placed, ring


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


KINDS = {
    "toilet": toilet,
}

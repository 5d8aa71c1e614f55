"""Lamps."""

import numpy as np

from shapes.parts import around, grip, moved, pick, rod
from solids import ball, both, lathe, limb, merge, placed, ring, tube


def lamp(r):
    u = r.uniform
    tall = r.random() < 0.5
    stem = u(1.1, 1.7) if tall else u(0.35, 0.6)
    wide, top, high = u(0.22, 0.36), u(0.1, 0.24), u(0.22, 0.36)
    shade = lathe(
        [
            (wide, stem - 0.05),
            (top, stem - 0.05 + high),
            (top * 0.95, stem - 0.05 + high),
            (wide * 0.96, stem - 0.05),
        ]
    )
    base = u(0.14, 0.24)
    foot = lathe([(0, 0), (base, 0), (base, 0.03), (0.04, 0.06), (0, 0.06)])
    body = [limb((0, 0, 0), (0, stem + 0.1, 0), u(0.015, 0.03))]
    if not tall and r.random() < 0.6:
        body.append(ball((0, stem * 0.4, 0), (u(0.08, 0.16), stem * 0.35, u(0.08, 0.16))))
    return [shade, foot] + body


def desk_lamp(r):
    u = r.uniform
    elbow = np.array([u(-0.3, 0.05), u(0.4, 0.65), 0])
    head = elbow + [u(0.3, 0.55), u(0.0, 0.35), 0]
    parts = [
        lathe([(0, 0), (u(0.18, 0.28), 0), (0.2, 0.05), (0, 0.06)], 18),
        limb((0, 0.05, 0), elbow, 0.022),
        limb(elbow, head, 0.02),
        ball(elbow, 0.035, 8),
    ]
    w = u(0.13, 0.22)
    shade = placed(
        lathe([(w, -u(0.15, 0.3)), (w * 0.5, -0.02), (0.05, 0.05), (0, 0.05)], 16), head, roll=u(0.0, 0.7)
    )
    if r.random() < 0.25:
        t = np.linspace(0, 2.2, 9)
        neck = tube(np.stack([0.3 - 0.3 * np.cos(t), 0.5 + 0.3 * np.sin(t), 0 * t], 1), 0.02, 6)
        return [
            parts[0],
            limb((0, 0, 0), (0, 0.5, 0), 0.02),
            neck,
            placed(
                lathe([(w, -0.2), (w * 0.4, 0), (0, 0.03)], 16),
                (0.3 - 0.3 * np.cos(2.2), 0.5 + 0.3 * np.sin(2.2), 0),
                roll=u(-0.2, 0.4),
            ),
        ]
    return [*parts, shade]


def floor_lamp(r):
    u = r.uniform
    high, w = u(1.4, 1.9), u(0.18, 0.32)
    foot = (
        [lathe([(0, 0), (u(0.18, 0.28), 0), (0.15, 0.03), (0, 0.05)], 18)]
        if r.random() < 0.7
        else around(limb((0, 0.5, 0), (0.3, 0, 0), 0.02), 3)
    )
    form = r.random()
    if form < 0.6:
        shade = [
            lathe(
                [(w, high - u(0.25, 0.4)), (w * u(0.4, 1), high), (w * 0.4, high), (w * 0.95, high - 0.25)],
                18,
            )
        ]
    elif form < 0.8:
        shade = [
            lathe(
                [
                    (0, high),
                    (w * 0.4, high + 0.02),
                    (w, high + u(0.1, 0.2)),
                    (w * 0.95, high + 0.12),
                    (0, high + 0.04),
                ],
                18,
            )
        ]
    else:
        shade = [
            tube([(0, high, 0), (u(0.3, 0.5), high + 0.2, 0), (0.7, high, 0)], 0.02, 6),
            lathe([(w, high - 0.2), (0.05, high), (0, high)], 14),
        ]
        shade[1] = placed(shade[1], (0.7, 0, 0))
    return [*foot, limb((0, 0, 0), (0, high, 0), u(0.015, 0.03)), *shade]


def street_light(r):
    u = r.uniform
    high = u(1.5, 2.2)
    pole = lathe([(0, 0), (u(0.08, 0.14), 0), (0.07, 0.15), (0.035, 0.3), (0.025, high), (0, high)], 8)
    form = r.random()
    if form < 0.5:
        reach = u(0.4, 0.8)
        t = np.linspace(0, np.pi / 2, 6)
        arm = tube(np.stack([reach * (1 - np.cos(t)), high + 0.25 * np.sin(t) - 0.02, 0 * t], 1), 0.022, 6)
        one = [arm, placed(ball((0, 0, 0), (0.2, 0.05, 0.09), 10), (reach + 0.1, high + 0.22, 0))]
        return [pole, *(both(*one) if r.random() < 0.3 else one)]
    globe = pick(
        r,
        [ball((0, high + 0.12, 0), 0.15)],
        [lathe([(0.08, high), (0.15, high + 0.25), (0.2, high + 0.27), (0, high + 0.42)], 6)],
    )
    if form > 0.8:
        side = moved(globe, (0.3, -0.2, 0)) + [
            tube([(0, high - 0.35, 0), (0.2, high - 0.38, 0), (0.3, high - 0.2, 0)], 0.02, 5)
        ]
        return [pole, *globe, *both(*side)]
    return [pole, *globe]


def candle(r):
    u = r.uniform
    w, high = u(0.08, 0.3), u(0.4, 0.9)
    parts = [rod((0, high / 2, 0), w, high), limb((0, high, 0), (0.01, high + 0.08, 0), 0.012, sides=5)]
    parts += (
        [lathe([(0, high + 0.05), (0.04, high + 0.1), (0, high + u(0.2, 0.3))], 8)]
        if r.random() < 0.5
        else []
    )
    return parts + (
        [
            lathe([(0, 0), (w * u(1.5, 2.5), 0.02), (w * 2, 0.06), (w, 0.04), (0, 0.04)], 18),
            *([grip(w * 1.7, 0.1, 0.1, 0.1, 0.02)] if r.random() < 0.5 else []),
        ]
        if r.random() < 0.6
        else []
    )


def chandelier(r):
    u = r.uniform
    n, reach = int(r.integers(4, 9)), u(0.5, 0.8)
    arm = merge(
        [
            tube([(0, 0, 0), (reach * 0.5, -u(0.1, 0.3), 0), (reach, 0, 0)], 0.022, 5),
            placed(lathe([(0, 0), (0.09, 0.02), (0.04, 0.03), (0.035, 0.2), (0, 0.3)], 8), (reach, 0, 0)),
        ]
    )
    return around(arm, n) + [
        lathe(
            [(0, -0.2), (0.06, -0.12), (0.12, 0), (0.05, 0.15), (0.03, u(0.5, 0.9)), (0.1, 0.92), (0, 0.95)],
            10,
        )
    ]


def lantern(r):
    u = r.uniform
    w, high, sides = u(0.2, 0.32), u(0.4, 0.6), pick(r, 4, 6, 14)
    parts = [
        rod((0, 0.03, 0), w * 1.1, 0.07, sides=sides),
        lathe([(w * 1.15, high), (w * 0.5, high + u(0.1, 0.25)), (0, high + 0.2)], sides),
        ring((0, high + 0.32, 0), u(0.09, 0.16), 0.02),
    ]
    parts += around(limb((w, 0, 0), (w, high, 0), 0.02, sides=4), max(4, min(sides, 6)))
    return parts + [rod((0, high * 0.4, 0), w * 0.4, high * 0.5, sides=10)]


KINDS = {
    "lamp": lambda r: pick(r, lamp, desk_lamp, floor_lamp)(r),
    "desk lamp": desk_lamp,
    "floor lamp": floor_lamp,
    "street light": street_light,
    "candle": candle,
    "chandelier": chandelier,
    "lantern": lantern,
}

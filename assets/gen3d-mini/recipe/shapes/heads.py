"""Heads, busts, faces and skulls."""

import numpy as np

from solids import ball, both, box, lathe, limb, placed, ring, tube


def skull_shape(r, face):
    """Vertices of a head about the origin, chin at -y, face to +z; `face` deepens its features."""
    u = r.uniform
    vertices, triangles = ball((0, 0, 0), 1.0, 30)
    x, y, z = vertices.T.copy()
    front = np.clip(z, 0, 1)
    jaw = np.clip(-y, 0, 1)
    x = x * (1 - u(0.2, 0.4) * jaw**1.5)
    z = z * (1 - 0.12 * jaw) + u(0, 0.12) * jaw
    z = np.where(z < 0, z * (1 - 0.35 * jaw), z)
    bump = lambda cx, cy, sx, sy: np.exp(-(((x - cx) / sx) ** 2) - ((y - cy) / sy) ** 2) * front
    z += face * (
        u(0.2, 0.36) * bump(0, -0.15, 0.13, 0.22)
        + 0.07 * bump(0, -0.5, 0.25, 0.12)
        + u(0.03, 0.12) * bump(0, -0.85, 0.25, 0.16)
    )
    z -= face * u(0.12, 0.2) * (bump(0.32, 0.08, 0.17, 0.12) + bump(-0.32, 0.08, 0.17, 0.12))
    return np.stack([x, y, z], 1) * [u(0.7, 0.8), 1, u(0.82, 0.95)], triangles


def features(r):
    """Nose, brows, eyes and lips of `skull_shape`."""
    u = r.uniform
    nose, tip, wide = u(0.12, 0.28), u(-0.3, -0.15), u(0.08, 0.14)
    parts = [
        tube(
            [(0, 0.16, 0.8), (0, 0, 0.9 + nose * 0.3), (0, tip, 0.9 + nose), (0, tip - 0.09, 0.85)],
            [0.05, 0.07, wide, 0.06],
            8,
        )
    ]
    parts += both(
        ball((0.28, 0.05, 0.72), (0.12, u(0.06, 0.1), 0.08), 8),
        tube([(0.1, 0.18, 0.86), (0.28, u(0.2, 0.26), 0.84), (0.46, 0.16, 0.68)], [0.04, 0.06, 0.03], 6),
    )
    parts += both(ball((wide * 0.8, tip - 0.03, 0.9), (0.06, 0.05, 0.08), 6))
    parts += [ball((0, y, 0.78), (u(0.16, 0.24), 0.045, 0.1), 10) for y in (-0.43, -0.43 - u(0.06, 0.12))]
    return parts + [ball((0, -0.78, 0.55), (u(0.15, 0.25), 0.14, u(0.12, 0.2)), 10)]


def human_head(r):
    u = r.uniform
    parts = [skull_shape(r, u(0.7, 1.3)), *features(r)]
    if r.random() < 0.85:
        parts += both(ball((0.76, -0.08, -0.05), (0.07, u(0.18, 0.26), 0.13), 8))
    if r.random() < 0.7:
        w = u(0.38, 0.5)
        parts.append(
            tube([(0, -0.5, -0.15), (0, -1.1, -0.2), (0, -u(1.3, 1.6), -0.25)], [w, w, w * u(1, 1.3)], 12)
        )
    hair = r.random()
    if hair < 0.35:
        parts.append(ball((0, 0.18, -0.16), (0.85, u(0.88, 1.0), 0.88), 14))
    elif hair < 0.55:
        low = u(0.7, 1.4)
        parts.append(
            tube(
                [(0, 1.0, -0.2), (0, 0.6, -0.25), (0, 0, -0.35), (0, -low, -0.35)],
                [0.3, 0.82, 0.84, u(0.5, 0.8)],
                14,
            )
        )
    return parts


def bust(r):
    u = r.uniform
    wide = u(1.0, 1.6)
    chest = tube(
        [(0, -1.0, -0.2), (0, -1.25, -0.2), (0, -1.5, -0.2), (0, -u(2.0, 2.4), -0.15)],
        [0.42, 0.6, 1, u(0.6, 0.95)],
        16,
    )
    chest[0][:, 0] *= wide
    parts = human_head(r) + [placed(chest, scale=(1, 1, 0.7))]
    return parts + (
        [lathe([(0, -3.1), (0.7, -3.1), (0.6, -2.9), (0.35, -2.7), (0.4, -2.2), (0, -2.1)], 14)]
        if r.random() < 0.6
        else []
    )


def face(r):
    """The front of a head only: a mask or a scanned face."""
    vertices, triangles = skull_shape(r, r.uniform(0.8, 1.3))
    keep = (vertices[triangles, 2] > r.uniform(-0.2, 0.2)).all(1)
    used = np.unique(triangles[keep])
    number = np.zeros(len(vertices), int)
    number[used] = np.arange(len(used))
    return [(vertices[used], number[triangles[keep]]), *features(r)]


def skull(r):
    u = r.uniform
    parts = [
        ball((0, 0.25, -0.15), (u(0.62, 0.74), u(0.6, 0.74), u(0.78, 0.95)), 16),
        tube([(0, 0.1, 0.3), (0, -0.3, 0.45), (0, -0.5, 0.5)], [0.45, 0.36, 0.3], 10),
    ]
    parts += both(
        ring((0.28, 0.05, 0.62), 0.17, 0.07, (0.25, 0, 1)), limb((0.5, -0.12, 0.5), (0.62, -0.1, -0.1), 0.07)
    )
    parts += [tube([(0, 0.12, 0.68), (0, -0.08, 0.8)], [0.05, 0.07], 6)]
    parts += [box((0.07 * i, -0.52, 0.72 - 0.012 * i * i), (0.06, 0.12, 0.06)) for i in range(-3, 4)]
    if r.random() < 0.75:
        gap = u(0, 0.25)
        jaw = tube(
            [
                (-0.52, -0.2, 0),
                (-0.42, -0.72 - gap, 0.3),
                (0, -0.8 - gap, 0.68),
                (0.42, -0.72 - gap, 0.3),
                (0.52, -0.2, 0),
            ],
            [0.06, 0.1, 0.11, 0.1, 0.06],
            7,
        )
        parts += [jaw] + [
            box((0.07 * i, -0.66 - gap, 0.68 - 0.012 * i * i), (0.06, 0.1, 0.05)) for i in range(-3, 4)
        ]
    return parts


KINDS = {
    "human head": human_head,
    "bust": bust,
    "face": face,
    "skull": skull,
}

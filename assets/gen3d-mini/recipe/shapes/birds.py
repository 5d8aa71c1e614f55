"""Birds."""

import numpy as np

from shapes.parts import pick, rod, wing
from solids import ball, both, box, lathe, limb, placed, slab, tube


def bird(r):
    u = r.uniform
    body = (u(0.12, 0.18), u(0.13, 0.2), u(0.28, 0.4))
    head = np.array([0, u(0.15, 0.35), body[2] + u(0, 0.1)])
    parts = [
        ball((0, 0, 0), body),
        limb((0, 0.05, body[2] * 0.6), head, 0.09, 0.06),
        ball(head, u(0.08, 0.11)),
    ]
    parts.append(limb(head + [0, 0, 0.07], head + [0, -0.02, 0.12 + u(0.08, 0.25)], 0.035, 0.003, 6))
    parts.append(slab([(-0.06, 0), (0.06, 0), (u(0.08, 0.18), -0.4), (-0.15, -0.4)], 0.02))
    parts[-1] = placed(parts[-1], (0, 0.02, -body[2] * 0.8), tilt=-np.pi / 2 + u(-0.3, 0.2), turn=0)
    if r.random() < 0.55:
        parts += both(
            wing((0.05, 0.08, 0.2), u(0.6, 1.0), u(0.25, 0.35), u(0.05, 0.3), u(0.4, 0.8), u(-0.15, 0.4))
        )
    else:
        parts += both(ball((body[0] * 0.85, 0.03, -0.06), (0.05, 0.12, body[2] * 0.85)))
        for s in (-1, 1):
            parts.append(
                limb((s * 0.07, -0.1, 0), (s * 0.07, -body[1] - u(0.12, 0.3), 0.02), 0.018, sides=5)
            )
            parts.append(box((s * 0.07, -body[1] - 0.2, 0.05), (0.06, 0.02, 0.14)))
    return parts


def fowl(r, neck, long_leg, bill, plump, crest=False, flat_bill=False):
    """A standing or swimming bird by lengths against a body of about 0.6."""
    u = r.uniform
    vary = lambda x: x * u(0.85, 1.15)
    neck, long_leg, bill, plump = map(vary, (neck, long_leg, bill, plump))
    nape = np.array([0, plump * 0.6, 0.25])
    head = nape + neck * np.array([0, u(0.85, 1), u(0.05, 0.4)])
    mid = (nape + head) / 2 + [0, 0, u(-0.02, 0.12)]
    parts = [
        ball((0, 0, 0), (plump * 0.8, plump, 0.38)),
        tube([nape - [0, 0.1, 0.05], mid, head], [0.12, 0.07, 0.06]),
    ]
    parts.append(ball(head, (0.09, 0.1, 0.11), 10))
    beak = limb(head, head + [0, -0.03, 0.08 + bill], 0.05, 0.02 if flat_bill else 0.004, 6)
    parts.append(placed(beak, scale=(1.3, 1, 1)) if flat_bill else beak)
    parts.append(
        placed(
            slab([(-0.08, 0), (0.08, 0), (u(0.05, 0.16), -0.3), (-0.12, -0.3)], 0.03),
            (0, 0.05, -0.3),
            tilt=-np.pi / 2 - u(-0.2, 0.7),
        )
    )
    parts += both(ball((plump * 0.75, 0.03, -0.05), (0.04, plump * 0.65, 0.3), 10))
    if crest:
        parts.append(
            placed(
                slab([(-0.08, 0), (0.09, 0), (0.08, 0.09), (0, 0.12), (-0.1, 0.07)], 0.02),
                head + [0, 0.07, 0],
                turn=np.pi / 2,
            )
        )
    if long_leg > 0.05:
        low = -plump - long_leg
        parts += both(
            limb((0.09, -plump * 0.6, 0), (0.09, low, 0), 0.022, sides=6),
            box((0.09, low, 0.06), (0.09, 0.025, 0.17)),
        )
    return parts


def owl(r):
    u = r.uniform
    wide, high = u(0.26, 0.34), u(0.42, 0.52)
    head = np.array([0, high + 0.1, 0.03])
    parts = [ball((0, 0, 0), (wide, high, wide * 0.85)), ball(head, (wide * 0.85, 0.22, 0.22))]
    parts += (
        both(limb(head + [0.13, 0.12, 0], head + [0.19, u(0.24, 0.34), 0], 0.06, 0.005, 6))
        if r.random() < 0.7
        else []
    )
    parts += both(
        rod(head + [0.1, 0.02, 0.2], 0.08, 0.06, "z"),
        ball((wide * 0.9, -0.05, -0.05), (0.06, high * 0.8, wide * 0.6), 10),
    )
    parts += both(ball((0.12, -high, 0.08), (0.07, 0.05, 0.12), 8))
    return parts + [
        limb(head + [0, -0.02, 0.2], head + [0, -0.1, 0.28], 0.03, 0.004, 6),
        box((0, -high, -0.2), (0.2, 0.2, 0.05), tilt=-0.5),
    ]


def penguin(r):
    u = r.uniform
    body = lathe(
        [
            (0, 0),
            (0.2, 0.02),
            (u(0.25, 0.32), 0.3),
            (0.22, 0.6),
            (0.13, 0.78),
            (0.15, 0.9),
            (0.1, 1.02),
            (0, 1.05),
        ],
        14,
    )
    flap = u(0.05, 0.6)
    arm = placed(ball((0, -0.22, 0), (0.03, 0.25, 0.09), 8), (0.24, 0.68, 0), roll=flap)
    return [body, limb((0, 0.92, 0.1), (0, 0.9, u(0.25, 0.34)), 0.04, 0.005, 6)] + both(
        arm, box((0.1, 0.0, 0.14), (0.13, 0.03, 0.22))
    )


def eagle(r):
    """Wings spread: soaring, or raised."""
    u = r.uniform
    body = tube([(0, 0, 0.4), (0, 0, 0.25), (0, 0, 0), (0, 0, -0.4)], [0.07, 0.12, 0.15, 0.06], 10)
    head, rise = np.array([0, 0.06, 0.48]), u(-0.1, 0.6)
    fan = slab([(-0.05, 0), (0.05, 0), (u(0.14, 0.24), -0.32), (0, -0.38), (-0.19, -0.32)], 0.02)
    parts = [body, ball(head, (0.08, 0.08, 0.1), 10), placed(fan, (0, 0, -0.3), tilt=np.pi / 2)]
    parts.append(
        tube([head + [0, 0, 0.06], head + [0, 0, 0.16], head + [0, -0.06, 0.18]], [0.04, 0.03, 0.004], 6)
    )
    parts += both(wing((0.08, 0.05, 0.25), u(0.4, 0.5), 0.38, -0.08, 0.9, rise * 0.5))
    tip = (0.5, 0.05 + rise * 0.5, 0.33)
    return parts + both(wing(tip, u(0.4, 0.7), 0.34, u(0.1, 0.35), 0.4, rise * u(0, 0.8)))


KINDS = {
    "bird": bird,
    "duck": lambda r: fowl(r, 0.28, pick(r, 0, 0.15), 0.12, 0.24, flat_bill=True),
    "goose": lambda r: fowl(r, 0.55, pick(r, 0, 0.2), 0.12, 0.26, flat_bill=True),
    "swan": lambda r: fowl(r, 0.75, 0, 0.12, 0.25, flat_bill=True),
    "chicken": lambda r: fowl(r, 0.25, 0.22, 0.06, 0.27, crest=True),
    "flamingo": lambda r: fowl(r, 0.8, 0.85, 0.12, 0.2),
    "ostrich": lambda r: fowl(r, 0.85, 0.8, 0.1, 0.32),
    "eagle": eagle,
    "owl": owl,
    "penguin": penguin,
}

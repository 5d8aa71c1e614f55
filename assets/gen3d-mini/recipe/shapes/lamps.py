"""Lamps."""

from solids import ball, lathe, limb


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


KINDS = {
    "lamp": lamp,
}

"""Parametric shapes of kinds that the mesh pool lacks or has too few of, many variants each.

Every function takes a random generator `r` and returns parts; +y is up, +z forward.
"""

import numpy as np

from solids import ball, both, box, grid, lathe, limb, merge, placed, ring, slab, tube

VARIANTS = 24


def teddy_bear(r):
    u = r.uniform
    body, head = u(0.30, 0.40), u(0.26, 0.36)
    top = body * u(1.1, 1.3) + head * 0.75
    parts = [
        ball((0, 0, 0), (body, body * u(1.05, 1.3), body * u(0.8, 1.0))),
        ball((0, top, 0.02), (head, head * u(0.85, 1), head * u(0.85, 1))),
        ball((0, top - head * 0.2, head * 0.85), head * u(0.3, 0.42)),
    ]
    ear = u(0.3, 0.42) * head
    parts += both(ball((head * 0.72, top + head * 0.72, 0), (ear, ear, ear * u(0.4, 0.9))))
    arm = u(0.09, 0.13)
    hand = (body + u(0.1, 0.3), u(-0.2, 0.35), u(0.0, 0.3))
    parts += both(limb((body * 0.75, body * 0.6, 0), hand, arm, arm * u(0.9, 1.2)), ball(hand, arm * 1.15))
    sits = r.random() < 0.65
    foot = (body * u(0.6, 1), -body * 0.9, u(0.4, 0.6)) if sits else (body * 0.55, -body * 2.1, 0.05)
    leg = u(0.11, 0.16)
    parts += both(
        limb((body * 0.5, -body * 0.7, 0), foot, leg),
        ball(foot, (leg, leg * 1.3, leg * 0.8) if sits else (leg, leg * 0.8, leg * 1.4)),
    )
    return parts


def umbrella(r):
    u = r.uniform
    sides = int(r.integers(6, 13))
    if r.random() < 0.15:
        return [lathe([(0, -1), (0.03, -0.95), (u(0.08, 0.14), 0.0), (0.02, 0.8), (0, 0.95)], sides)]
    height, reach = u(0.25, 0.6), u(0.8, 1.1)
    bulge = u(0, 0.12)
    profile = [(0, height), (reach * 0.3, height * 0.88 + bulge), (reach * 0.7, height * 0.5 + bulge), (reach, 0)]
    canopy = lathe(profile + ([(reach, -u(0.04, 0.12))] if r.random() < 0.4 else []), sides)
    pole = u(1.1, 1.9)
    thick = u(0.015, 0.03)
    parts = [canopy, limb((0, height + 0.08, 0), (0, -pole, 0), thick)]
    kind = r.random()
    if kind < 0.5:
        wide = u(0.15, 0.4)
        parts.append(lathe([(0, -pole), (wide, -pole), (wide, 0.06 - pole), (0.05, 0.1 - pole), (0, 0.1 - pole)]))
    else:
        t = np.linspace(0, np.pi, 8)
        hook = u(0.07, 0.12)
        points = np.stack([hook * (1 - np.cos(t)), -pole - hook * np.sin(t), 0 * t], 1)
        parts.append(tube(points, thick * 1.6, 6))
    if kind > 0.8:
        tilt = u(0.2, 0.7)
        parts = [placed(p, tilt=tilt) for p in parts]
    return parts


def quadruped(r, leg, neck, head, *, thick=0.2, lift=0.8, tail=0.4, tail_lift=-0.5, ears=0.1, extra=None):
    """Length of leg, neck and head against a body of length 1; `lift` is the neck's steepness."""
    u = lambda a, b: r.uniform(a, b)
    vary = lambda x: x * r.uniform(0.85, 1.15)
    leg, neck, head, thick = map(vary, (leg, neck, head, thick))
    back, chest = np.array([0, 0, -0.45]), np.array([0, u(-0.03, 0.05), 0.45])
    parts = [tube([back - [0, 0, 0.12], back, chest, chest + [0, 0, 0.1]], [thick * 0.6, thick, thick * u(1, 1.15), thick * 0.6], 10)]
    swing = u(0.02, 0.35) if r.random() < 0.6 else 0.03
    for end, side in ((back, 1), (back, -1), (chest, 1), (chest, -1)):
        step = u(-swing, swing)
        hip = end + [side * thick * 0.6, -thick * 0.4, 0]
        knee = hip + [0, -leg * 0.5, step * 0.5 + u(-0.03, 0.03)]
        foot = hip + [0, -leg * u(0.95, 1), step]
        w = thick * u(0.24, 0.34)
        parts.append(tube([hip, knee, foot], [w * 1.4, w, w * 0.8], 8))
        parts.append(ball(foot + [0, 0, w * 0.4], (w, w * 0.6, w * 1.4), 8))
    rise = np.clip(lift + u(-0.2, 0.2), -0.3, 1.4)
    nape = chest + [0, thick * 0.5, 0]
    crown = nape + neck * np.array([0, np.sin(rise), np.cos(rise)])
    nod = u(-0.6, -0.1)
    nose = crown + head * np.array([0, np.sin(nod), np.cos(nod)])
    parts.append(limb(nape, crown, thick * 0.62, thick * 0.42))
    parts.append(tube([crown - (nose - crown) * 0.15, crown, nose], [thick * 0.3, thick * 0.48, thick * 0.28]))
    if ears:
        tip = crown + [thick * 0.42, thick * 0.5 + ears, -0.02]
        parts += both(limb(crown + [thick * 0.25, thick * 0.3, 0], tip, thick * 0.14, 0.005, 6))
    if tail:
        end = back + tail * np.array([u(-0.2, 0.2), np.sin(tail_lift), -np.cos(tail_lift)]) - [0, 0, 0.1]
        parts.append(tube([back - [0, -thick * 0.3, 0.1], (back + end) / 2 - [0, 0, 0.08], end], [thick * 0.2, thick * 0.16, thick * 0.1], 6))
    return parts + (extra(r, dict(crown=crown, nose=nose, back=back, chest=chest, thick=thick)) if extra else [])


def mane(r, at):
    return [tube([at["crown"] + [0, 0.05, 0], at["chest"] + [0, at["thick"] * 1.05, -0.08]], [0.03, 0.05], 6)] if r.random() < 0.6 else []


def horns(r, at):
    out, up = r.uniform(0.1, 0.25), r.uniform(0.05, 0.25)
    base = at["crown"] + [0.05, 0.07, 0]
    return both(tube([base, base + [out * 0.7, up * 0.3, 0], base + [out, up, 0.03]], [0.03, 0.025, 0.005], 6))


def antlers(r, at):
    base = at["crown"] + [0.04, 0.08, 0]
    tip = base + [r.uniform(0.1, 0.25), r.uniform(0.3, 0.5), -0.05]
    fork = (base + tip) / 2
    return both(limb(base, tip, 0.02, 0.008, 6), limb(fork, fork + [0.12, 0.15, 0.1], 0.015, 0.006, 6))


def trunk(r, at):
    n = at["nose"]
    points = [n, n + [0, -0.2, 0.08], n + [0, -0.45, 0.06], n + [0, -0.6, r.uniform(0.05, 0.25)]]
    ear = ball(at["crown"] + [0.22, -0.02, -0.04], (0.14, 0.2, 0.03), 10)
    tusk = limb(n + [0.07, -0.05, 0], n + [0.1, -0.12, 0.25], 0.025, 0.008, 6)
    return [tube(points, [0.09, 0.07, 0.05, 0.035])] + both(ear, tusk)


def humps(r, at):
    t = at["thick"]
    two = r.random() < 0.5
    return [ball((0, t * 1.05, z), (t * 0.6, t * r.uniform(0.6, 0.9), t * 0.7), 10) for z in ((-0.2, 0.2) if two else (0.0,))]


horse = lambda r: quadruped(r, 0.75, 0.5, 0.36, thick=0.2, lift=0.85, tail=0.5, tail_lift=-0.9, ears=0.05, extra=mane)
dog = lambda r: quadruped(r, r.uniform(0.35, 0.6), 0.25, 0.32, thick=0.17, lift=0.8, tail=0.45, tail_lift=0.6, ears=0.08)
cat = lambda r: quadruped(r, 0.4, 0.18, 0.2, thick=0.16, lift=0.8, tail=0.7, tail_lift=0.7, ears=0.07)
cow = lambda r: quadruped(r, 0.5, 0.25, 0.36, thick=0.28, lift=0.35, tail=0.5, tail_lift=-1.2, ears=0.03, extra=horns)
pig = lambda r: quadruped(r, 0.28, 0.1, 0.3, thick=0.28, lift=0.2, tail=0.15, tail_lift=0.4, ears=0.06)
sheep = lambda r: quadruped(r, 0.36, 0.2, 0.25, thick=0.3, lift=0.6, tail=0.1, ears=0.02)
deer = lambda r: quadruped(r, 0.75, 0.42, 0.28, thick=0.16, lift=1.0, tail=0.12, tail_lift=0.3, ears=0.1, extra=antlers)
giraffe = lambda r: quadruped(r, 0.95, 1.2, 0.28, thick=0.2, lift=1.15, tail=0.35, tail_lift=-1.0, ears=0.05)
elephant = lambda r: quadruped(r, 0.55, 0.15, 0.25, thick=0.36, lift=0.5, tail=0.35, tail_lift=-1.1, ears=0, extra=trunk)
camel = lambda r: quadruped(r, 0.8, 0.6, 0.3, thick=0.22, lift=0.9, tail=0.3, tail_lift=-1.0, ears=0.03, extra=humps)
bear = lambda r: quadruped(r, 0.4, 0.16, 0.3, thick=0.3, lift=0.2, tail=0.05, ears=0.04)
wolf = lambda r: quadruped(r, 0.55, 0.26, 0.34, thick=0.17, lift=0.55, tail=0.5, tail_lift=-0.6, ears=0.1)


def person(r):
    u = r.uniform
    wide, thick = u(0.15, 0.22), u(0.09, 0.14)
    hip, neck = np.array([0, 0.9, 0]), np.array([0, u(1.4, 1.5), u(-0.03, 0.05)])
    parts = [tube([hip - [0, 0.05, 0], hip, (hip + neck) / 2, neck - [0, 0.06, 0], neck], [wide * 0.5, wide * 0.8, wide * 0.75, wide, 0.06], 10)]
    parts.append(ball(neck + [0, u(0.14, 0.18), 0.02], (0.09, 0.12, 0.1)))
    sits = r.random() < 0.15
    for side in (-1, 1):
        out, ahead = u(0.02, 1.3), u(-0.6, 0.9)
        shoulder = neck + [side * wide, -0.07, 0]
        d = np.array([side * np.sin(out), -np.cos(out), ahead])
        elbow = shoulder + 0.28 * d / np.linalg.norm(d)
        d = d + [0, u(0, 1.2), u(0, 0.8)]
        hand = elbow + 0.26 * d / np.linalg.norm(d)
        parts += [tube([shoulder, elbow, hand], [0.055, 0.045, 0.035]), ball(hand, 0.05, 8)]
        stride = u(-0.5, 0.5)
        socket = hip + [side * wide * 0.5, 0, 0]
        knee = socket + ([side * u(0, 0.1), -0.05, 0.42] if sits else [side * u(0, 0.1), -0.42, stride * 0.4])
        foot = knee + ([0, -0.43, 0.02] if sits else [0, -0.43, min(stride, 0) * 0.5])
        parts += [tube([socket, knee, foot], [0.085, 0.065, 0.045]), box(foot + [0, -0.02, 0.07], (0.09, 0.07, 0.24))]
    return parts


def toilet(r):
    u = r.uniform
    long, wide, high = u(0.26, 0.34), u(0.2, 0.26), u(0.38, 0.46)
    foot = u(0.45, 0.75)
    bowl = lathe([(0, 0), (foot, 0), (foot * 0.9, 0.35), (u(0.75, 0.95), 0.75), (1, 0.95), (1, 1), (0.7, 1), (0.45, 0.55), (0, 0.5)])
    parts = [placed(bowl, scale=(wide, high, long))]
    seat = ring((0, 0, 0), 0.84, 0.14, (0, 1, 0))
    parts.append(placed(seat, (0, high + 0.02, 0), (wide, 0.15, long)))
    tank = (u(0.36, 0.48), u(0.3, 0.45), u(0.15, 0.22))
    parts.append(box((0, high + tank[1] / 2, -long - tank[2] * 0.4), tank))
    parts.append(box((0, high + tank[1] + 0.015, -long - tank[2] * 0.4), (tank[0] + 0.03, 0.03, tank[2] + 0.03)))
    parts.append(box((0, high * 0.5, -long * 0.9), (wide * 1.1, high, long * 0.6)))
    if r.random() < 0.6:
        lid = lathe([(0, 0), (1, 0), (1, 0.03), (0, 0.04)])
        up = r.random() < 0.4
        lid = placed(lid, scale=(wide, 1, long))
        parts.append(placed(lid, (0, high + long, -long * 0.95), tilt=np.pi / 2 - 0.15) if up else placed(lid, (0, high + 0.05, 0)))
    return parts


def wheel_pair(x, y, z, radius, width):
    return both(limb((x, y, z), (x - width, y, z), radius, sides=14))


def truck(r):
    u = r.uniform
    wide, radius = u(0.36, 0.44), u(0.13, 0.18)
    floor = radius * 1.2
    cab_long, cab_high = u(0.5, 0.8), u(0.7, 0.95)
    parts = [box((0, floor + cab_high / 2, 0), (2 * wide * 0.95, cab_high, cab_long))]
    if r.random() < 0.5:
        nose = u(0.3, 0.5)
        parts.append(box((0, floor + cab_high * 0.27, cab_long / 2 + nose / 2), (wide * 1.6, cab_high * 0.55, nose)))
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
        tank = limb((0, floor + wide + 0.08, start), (0, floor + wide + 0.08, start - long), wide * 0.9, sides=14)
        parts.append(tank)
    else:
        parts.append(box((0, floor + 0.12, start - long / 2), (2 * wide, 0.08, long)))
        parts += both(box((wide, floor + 0.3, start - long / 2), (0.05, u(0.2, 0.4), long)))
        parts.append(box((0, floor + 0.3, start - long), (2 * wide, 0.35, 0.05)))
    parts.append(box((0, floor, start - long / 2 + 0.2), (wide, 0.08, long + cab_long)))
    if r.random() < 0.4:
        parts += both(limb((wide * 0.9, floor, start + 0.05), (wide * 0.9, floor + cab_high * 1.25, start + 0.05), 0.035))
    axles = [front, start - long * u(0.8, 0.95)]
    axles += [axles[1] + 2.3 * radius] if long > 1.2 else []
    axles += [start - 0.1, start - 0.1 - 2.3 * radius] if long > 1.8 else []
    for z in axles:
        parts += wheel_pair(wide, radius, z, radius, 0.14)
    return parts


def stringed(r, body, neck, waist, depth, curve):
    """A guitar or violin lying against the wall: body, neck and head, face to +z."""
    u = r.uniform
    t = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    half = body * (u(0.3, 0.38) + 0.06 * np.sin(t)) * 1.0
    pinch = 1 - waist * np.exp(-((np.sin(t) - 0.15) ** 2) / 0.12)
    outline = np.stack([half * np.cos(t) * pinch, -body / 2 * np.sin(t)], 1)
    parts = [slab(outline, depth)]
    top = body / 2
    wide = body * u(0.08, 0.11)
    parts.append(box((0, top + neck / 2 - body * 0.15, depth * 0.5), (wide, neck + body * 0.3, depth * 0.35)))
    head = u(0.14, 0.2)
    parts.append(box((0, top + neck + head / 2, depth * 0.35), (wide * u(1.3, 2), head, depth * 0.35), tilt=-0.2))
    for i in range(3):
        y = top + neck + head * (0.25 + 0.25 * i)
        parts += both(limb((wide * 0.7, y, depth * 0.3), (wide * 1.5, y, depth * 0.3), 0.012, sides=6))
    parts.append(box((0, -body * u(0.1, 0.25), depth * 0.6), (wide * 2, 0.03, depth * 0.3)))
    if curve:
        parts.append(limb((0, top, depth * 0.9), (0, -body * 0.2, depth * 1.3), 0.01))
    return parts


def stand(r, low):
    top = np.array([0, low + r.uniform(0.35, 0.7), -0.1])
    feet = [np.array([np.cos(a) * 0.3, low - 0.2, np.sin(a) * 0.3 - 0.05]) for a in (0.5, 2.6, 4.7)]
    return [limb(top - [0, 0.3, 0], f, 0.015, sides=6) for f in feet] + [limb(top, top - [0, 0.5, 0], 0.018, sides=6)]


def guitar(r):
    electric = r.random() < 0.5
    body = r.uniform(0.45, 0.62)
    parts = stringed(r, body, r.uniform(0.5, 0.65), r.uniform(0.1, 0.3), r.uniform(0.04, 0.06) if electric else r.uniform(0.1, 0.15), False)
    if electric:
        parts += [limb((s * body * 0.22, body * 0.3, 0), (s * body * r.uniform(0.25, 0.4), body * r.uniform(0.5, 0.68), 0), 0.05, 0.02) for s in (-1, 1)]
    return parts + (stand(r, -body / 2) if r.random() < 0.35 else [])


violin = lambda r: stringed(r, r.uniform(0.5, 0.6), r.uniform(0.28, 0.36), r.uniform(0.3, 0.42), r.uniform(0.07, 0.1), True)


def piano(r):
    u = r.uniform
    wide, long, high, deep = u(0.7, 0.8), u(0.8, 1.5), u(0.6, 0.7), u(0.2, 0.28)
    t = np.linspace(0, 1, 10)
    curve = np.stack([wide * (1 - 1.2 * t**1.5 * 0.8), -long * t**0.9], 1)
    outline = [(-wide, 0.2), (-wide, -long), *curve[::-1].tolist(), (wide, 0.2)]
    case = slab(outline, deep)
    flat = lambda part, y: placed(part, (0, y, 0), tilt=-np.pi / 2)
    parts = [flat(case, high + deep / 2), box((0, high + 0.02, 0.28), (2 * wide * 0.95, 0.06, 0.25))]
    if r.random() < 0.8:
        lid = slab(outline, 0.02)
        lid = (lid[0] + [wide, 0, 0], lid[1])
        raised = u(0.3, 0.7)
        lid = placed(placed(lid, tilt=-np.pi / 2), (-wide, high + deep, 0), roll=raised)
        parts += [lid, limb((wide * 0.6, high + deep, -0.3), (wide * 0.5, high + deep + np.sin(raised) * wide * 1.4, -0.3), 0.012)]
    for x, z in ((-wide * 0.85, 0.1), (wide * 0.85, 0.1), (-wide * 0.6, -long * 0.8)):
        parts.append(limb((x, high, z), (x, 0, z), u(0.05, 0.08), u(0.03, 0.05)))
    parts.append(box((0, high * 0.3, 0), (0.12, high * 0.6, 0.06)))
    if r.random() < 0.3:
        parts += [box((0, 0.4, 0.8), (0.6, 0.08, 0.3))] + both(limb((0.25, 0.4, 0.8), (0.25, 0, 0.8), 0.03))
    return parts


def wing(root, span, chord, sweep, tip, rise=0.0, thick=0.03):
    """One wing to +x from `root`."""
    x, y, z = root
    row = lambda x, y, z, c: [(x, y - thick / 2, z), (x, y + thick / 2, z), (x, y + thick / 2, z - c), (x, y - thick / 2, z - c)]
    rows = [row(x, y, z - chord / 2, 0), row(x, y, z, chord), row(x + span, y + rise, z - sweep, chord * tip), row(x + span, y + rise, z - sweep - chord * tip / 2, 0)]
    v = np.array(rows, float)
    return grid(v)


def fuselage(radius, long, nose=0.25, tail=0.35):
    profile = [(0, long / 2), (radius * 0.6, long / 2 - nose * 0.3), (radius, long / 2 - nose), (radius, -long / 2 + tail), (radius * 0.3, -long / 2), (0, -long / 2)]
    return placed(lathe(profile, 14), tilt=np.pi / 2)


def tail_fins(r, long, at=0.0):
    u = r.uniform
    parts = both(wing((0, at, -long / 2 + 0.25), u(0.25, 0.4), u(0.15, 0.25), u(0.05, 0.2), u(0.5, 0.9)))
    fin = wing((0, 0, -long / 2 + 0.25), u(0.25, 0.4), u(0.18, 0.3), u(0.1, 0.25), u(0.4, 0.8))
    return parts + [placed(fin, (0, at, 0), roll=np.pi / 2)]


def airplane(r):
    u = r.uniform
    long, radius = u(1.6, 2.4), u(0.08, 0.15)
    jet = r.random() < 0.6
    span, sweep = u(0.7, 1.2), u(0.2, 0.6) if jet else u(-0.05, 0.1)
    height = u(-radius * 0.7, radius * 0.7)
    parts = [fuselage(radius, long)]
    parts += both(wing((0, height, u(0.1, 0.4)), span, u(0.3, 0.5), sweep, u(0.3, 0.8), u(0, 0.12)))
    parts += tail_fins(r, long, u(0, radius))
    for x in np.linspace(0.3, 0.65, int(r.integers(1, 3))) * span if r.random() < 0.7 else []:
        z = 0.2 - sweep * x / span
        parts += both(limb((x, height - 0.08, z + 0.12), (x, height - 0.08, z - 0.15), u(0.05, 0.07)))
    if not jet:
        parts.append(box((0, 0, long / 2 + 0.02), (0.5, 0.05, 0.02), turn=0))
    return parts


def biplane(r):
    u = r.uniform
    long, radius = u(1.3, 1.7), u(0.11, 0.16)
    span, chord, gap = u(0.8, 1.1), u(0.25, 0.36), u(0.3, 0.42)
    parts = [fuselage(radius, long, nose=0.12, tail=0.7)]
    for y, shift in ((-radius * 0.7, 0), (-radius * 0.7 + gap, u(0, 0.12))):
        parts += both(wing((0, y, 0.4 + shift), span, chord, u(0, 0.05), u(0.85, 1)))
    for x in (0.35, 0.8):
        for z in (0.35, 0.2):
            parts += both(limb((x * span, -radius * 0.7, z), (x * span, gap - radius * 0.7, z + 0.03), 0.012, sides=5))
    parts += tail_fins(r, long)
    parts += wheel_pair(0.2, -0.35, 0.4, 0.1, 0.05) + both(limb((0.05, -radius, 0.35), (0.17, -0.35, 0.4), 0.015, sides=5))
    parts.append(box((0, 0, long / 2 + 0.03), (0.07, u(0.5, 0.7), 0.02)))
    return parts


def helicopter(r):
    u = r.uniform
    body = (u(0.18, 0.26), u(0.2, 0.3), u(0.35, 0.5))
    parts = [ball((0, 0, 0), body), limb((0, 0.05, -body[2] * 0.7), (0, 0.12, -1.2), 0.09, 0.04)]
    mast = body[1] + 0.1
    parts.append(limb((0, body[1] * 0.8, 0), (0, mast, 0), 0.03))
    blades = int(r.integers(2, 6))
    phase = u(0, 3)
    for i in range(blades):
        a = phase + 2 * np.pi * i / blades
        parts.append(placed(box((0.55, 0, 0), (1.1, 0.02, 0.07)), (0, mast, 0), turn=a))
    parts += [box((0.05, 0.15, -1.2), (0.02, u(0.3, 0.4), 0.04)), placed(wing((0, 0, -1.1), 0.25, 0.2, 0.1, 0.6), roll=np.pi / 2, move=(0, 0.1, 0))]
    low = -body[1] - 0.12
    parts += both(limb((0.2, low, 0.4), (0.2, low, -0.4), 0.02, sides=6), limb((0.2, low, 0.15), (0.1, -0.1, 0.15), 0.015, sides=5), limb((0.2, low, -0.15), (0.1, -0.1, -0.15), 0.015, sides=5))
    return parts


def bird(r):
    u = r.uniform
    body = (u(0.12, 0.18), u(0.13, 0.2), u(0.28, 0.4))
    head = np.array([0, u(0.15, 0.35), body[2] + u(0, 0.1)])
    parts = [ball((0, 0, 0), body), limb((0, 0.05, body[2] * 0.6), head, 0.09, 0.06), ball(head, u(0.08, 0.11))]
    parts.append(limb(head + [0, 0, 0.07], head + [0, -0.02, 0.12 + u(0.08, 0.25)], 0.035, 0.003, 6))
    parts.append(slab([(-0.06, 0), (0.06, 0), (u(0.08, 0.18), -0.4), (-0.15, -0.4)], 0.02))
    parts[-1] = placed(parts[-1], (0, 0.02, -body[2] * 0.8), tilt=-np.pi / 2 + u(-0.3, 0.2), turn=0)
    if r.random() < 0.55:
        parts += both(wing((0.05, 0.08, 0.2), u(0.6, 1.0), u(0.25, 0.35), u(0.05, 0.3), u(0.4, 0.8), u(-0.15, 0.4)))
    else:
        parts += both(ball((body[0] * 0.85, 0.03, -0.06), (0.05, 0.12, body[2] * 0.85)))
        for s in (-1, 1):
            parts.append(limb((s * 0.07, -0.1, 0), (s * 0.07, -body[1] - u(0.12, 0.3), 0.02), 0.018, sides=5))
            parts.append(box((s * 0.07, -body[1] - 0.2, 0.05), (0.06, 0.02, 0.14)))
    return parts


def fish(r):
    u = r.uniform
    long, high, wide = u(0.5, 0.7), u(0.18, 0.38), u(0.08, 0.16)
    parts = [ball((0, 0, 0), (wide, high, long), 14)]
    tail, spread = u(0.2, 0.35), u(0.18, 0.35)
    side = lambda outline, thick=0.02: placed(slab(outline, thick), turn=np.pi / 2)
    parts.append(side([(long * 0.85, 0.03), (long + tail, spread), (long + tail * 0.6, 0), (long + tail, -spread), (long * 0.85, -0.03)]))
    parts.append(side([(-0.2, high * 0.8), (0.1, high + u(0.08, 0.25)), (0.3, high * 0.75)]))
    parts.append(side([(0.0, -high * 0.85), (0.2, -high - u(0.05, 0.15)), (0.3, -high * 0.75)]))
    parts += both(wing((wide * 0.8, -0.05, 0.2), u(0.12, 0.25), 0.15, 0.12, 0.4, -0.08, 0.015))
    return parts


def insect(r, legs, parts_of_body):
    u = r.uniform
    parts, z = [], 0.0
    centers = []
    for size in parts_of_body:
        rad = size * u(0.85, 1.15)
        z -= rad
        parts.append(ball((0, 0, z), (rad * 0.75, rad * 0.7, rad), 10))
        centers.append((z, rad))
        z -= rad * 0.9
    mid, rad = centers[0 if legs == 8 else 1]
    reach = u(0.4, 0.7)
    for i in range(legs // 2):
        a = (i - (legs // 2 - 1) / 2) * u(0.45, 0.6)
        d = np.array([np.cos(a), 0, np.sin(a)])
        knee = np.array([0, u(0.15, 0.35), mid]) + d * reach * 0.5
        foot = np.array([0, -u(0.2, 0.3), mid]) + d * reach
        parts += both(tube([np.array([0.05, 0, mid]), knee, foot], [0.03, 0.022, 0.012], 6))
    if legs == 6:
        head = np.array([0.04, 0.06, centers[0][0] + centers[0][1] * 0.6])
        parts += both(tube([head, head + [0.1, 0.12, 0.12], head + [0.18, 0.05, 0.25]], [0.012, 0.01, 0.006], 5))
    return parts


def octopus(r):
    u = r.uniform
    parts = [ball((0, 0.3, 0), (0.22, u(0.28, 0.42), 0.22))]
    for i in range(8):
        a = 2 * np.pi * i / 8 + u(-0.15, 0.15)
        d = np.array([np.cos(a), 0, np.sin(a)])
        side = np.array([-np.sin(a), 0, np.cos(a)])
        points = [d * 0.12, d * 0.35 + [0, u(-0.2, 0.05), 0], d * u(0.55, 0.7) + side * u(-0.15, 0.15) + [0, u(-0.2, 0.05), 0], d * u(0.8, 1.0) + side * u(-0.3, 0.3) + [0, u(-0.15, 0.2), 0]]
        parts.append(tube(points, [0.09, 0.07, 0.05, 0.015]))
    return parts


def hand(r):
    u = r.uniform
    parts = [box((0, 0, 0), (0.42, 0.45, 0.13)), limb((0, -0.2, 0), (0, -u(0.4, 0.7), 0), 0.15)]
    curl = u(0, 1.0)
    for i, x in enumerate((-0.16, -0.05, 0.06, 0.16)):
        long = (0.34, 0.42, 0.4, 0.3)[i] * u(0.9, 1.1)
        bend = np.clip(curl + u(-0.2, 0.2), 0, 1.4)
        root = np.array([x, 0.22, 0])
        mid = root + long * 0.5 * np.array([x * 0.5, np.cos(bend * 0.5), np.sin(bend * 0.5)])
        tip = mid + long * 0.5 * np.array([x * 0.4, np.cos(bend), np.sin(bend)])
        parts.append(tube([root, mid, tip], [0.06, 0.055, 0.045]))
    parts.append(tube([(0.2, -0.1, 0), (0.34, 0.08, 0.05), (0.38, 0.22, u(0.05, 0.2))], [0.075, 0.06, 0.045]))
    return parts


def glasses(r):
    u = r.uniform
    lens, gap = u(0.18, 0.24), u(0.03, 0.08)
    x = lens + gap
    squash = (u(0.9, 1.2), u(0.6, 1.0), 1)
    rim = placed(ring((0, 0, 0), lens, u(0.012, 0.03)), scale=squash)
    parts = both(placed(rim, (x, 0, 0)))
    edge = x + lens * squash[0]
    parts += both(tube([(edge, 0.03, 0), (edge, 0.03, -0.7), (edge, -0.1, -0.85)], 0.018, 6))
    parts.append(limb((-gap * 1.3, 0.04, 0), (gap * 1.3, 0.04, 0), 0.015, sides=6))
    return parts


def bicycle(r):
    u = r.uniform
    radius, base = u(0.32, 0.36), u(0.95, 1.1)
    back, front = np.array([0, radius, -base / 2]), np.array([0, radius, base / 2])
    parts = []
    for hub in (back, front):
        parts.append(ring(hub, radius, u(0.015, 0.03), (1, 0, 0), 24))
        for a in np.linspace(0, np.pi, 5, endpoint=False):
            d = np.array([0, np.cos(a), np.sin(a)]) * radius
            parts.append(limb(hub - d, hub + d, 0.006, sides=4))
    crank, seat, head = np.array([0, radius * 0.95, -0.1]), np.array([0, radius + 0.5, -0.25]), np.array([0, radius + 0.5, base / 2 - 0.2])
    for a, b in ((crank, seat), (seat, head), (head, crank), (back, crank), (back, seat), (head, front)):
        parts.append(limb(a, b, 0.02, sides=6))
    parts += [box(seat + [0, 0.12, 0], (0.12, 0.05, 0.26)), limb(seat, seat + [0, 0.1, 0], 0.018)]
    bar = head + [0, u(0.08, 0.18), 0.02]
    parts += [limb(head, bar, 0.02)] + both(tube([bar, bar + [0.25, 0.02, 0], bar + [0.28, -0.02, -u(0.05, 0.15)]], 0.017, 6))
    return parts


def motorcycle(r):
    u = r.uniform
    radius, base = u(0.3, 0.36), u(1.2, 1.45)
    back, front = np.array([0, radius, -base / 2]), np.array([0, radius, base / 2])
    parts = [ring(h, radius * 0.8, radius * 0.22, (1, 0, 0)) for h in (back, front)]
    parts += [limb(h - [0.05, 0, 0], h + [0.05, 0, 0], radius * 0.4, sides=12) for h in (back, front)]
    parts += [box((0, radius + 0.08, 0), (0.26, 0.36, 0.5)), ball((0, radius + 0.4, 0.15), (0.16, 0.14, 0.3)), ball((0, radius + 0.36, -0.35), (0.14, 0.07, 0.35))]
    head = np.array([0, radius + 0.55, base / 2 - 0.3])
    parts += both(limb(head + [0.06, 0, 0], front + [0.06, 0, 0], 0.025), tube([head, head + [0.3, 0.08, -0.05], head + [0.36, 0.02, -0.2]], 0.02, 6), limb(back + [0.12, -0.05, -0.2], (0.12, radius * 0.8, 0.1), 0.05, 0.035))
    return parts + [ball(head + [0, 0, 0.12], 0.09)]


def sailboat(r):
    u = r.uniform
    long, wide, deep = u(0.8, 1.1), u(0.18, 0.28), u(0.15, 0.25)
    parts = [hull(long, wide, deep)]
    mast = u(1.4, 2.0)
    parts.append(limb((0, 0, 0.1), (0, mast, 0.1), 0.02, 0.012))
    flat = lambda o: placed(slab(o, 0.015), turn=-np.pi / 2)
    parts.append(flat([(0.08, 0.15), (0.08, mast * 0.97), (-long * 0.75, 0.2)]))
    if r.random() < 0.7:
        parts.append(flat([(0.14, 0.1), (0.12, mast * u(0.7, 0.9)), (long * 0.95, 0.08)]))
    return parts


def hull(long, wide, deep):
    rows = []
    for z in np.linspace(-1, 1, 9):
        w = wide * (1 - max(z, 0) ** 2.2) * (0.85 if z < -0.9 else 1)
        w = max(w, 0.01)
        d = deep * (1 - 0.5 * max(z, 0) ** 2)
        rows.append([(-w, 0.05 * z * z, z * long), (-w * 0.8, -d * 0.6, z * long), (0, -d, z * long), (w * 0.8, -d * 0.6, z * long), (w, 0.05 * z * z, z * long), (0, 0, z * long)])
    return grid(np.array(rows, float))


def ship(r):
    u = r.uniform
    long, wide = u(1.2, 1.8), u(0.2, 0.3)
    parts = [hull(long, wide, u(0.2, 0.35))]
    z, y = u(-0.6, 0.2), 0.0
    for level in range(int(r.integers(1, 4))):
        size = (wide * u(1.0, 1.5), u(0.12, 0.2), long * u(0.3, 0.7) * (0.75**level))
        parts.append(box((0, y + size[1] / 2, z), size))
        y += size[1]
    for i in range(int(r.integers(1, 4))):
        parts.append(limb((0, y - 0.1, z - 0.25 + 0.25 * i), (0, y + u(0.15, 0.4), z - 0.28 + 0.25 * i), u(0.03, 0.08)))
    return parts


def handled(r, head, handle=(0.7, 1.1), thick=(0.03, 0.05)):
    """A tool: a handle up to the origin, and what is on it."""
    u = r.uniform
    return [limb((0, -u(*handle), 0), (0, 0.03, 0), u(*thick), u(*thick))] + head


def hammer(r):
    u = r.uniform
    w = u(0.06, 0.1)
    head = [box((0, 0, 0), (0.24, w * 1.5, w * 1.5)), limb((0.1, 0, 0), (u(0.2, 0.28), 0, 0), w)]
    claw = tube([(-0.1, 0.02, 0.0), (-0.22, 0.0, 0.0), (-0.3, -0.1, 0.0)], [w * 0.7, w * 0.5, w * 0.2], 6)
    return handled(r, head + ([claw] if r.random() < 0.6 else [limb((-0.1, 0, 0), (-0.25, 0, 0), w)]))


def axe(r):
    u = r.uniform
    blade = slab([(0, 0.1), (u(0.25, 0.35), u(0.18, 0.28)), (u(0.33, 0.4), 0), (u(0.25, 0.35), -u(0.18, 0.3)), (0, -0.1), (-0.08, 0)], 0.05)
    return handled(r, [blade])


def wrench(r):
    u = r.uniform
    jaw = lambda s: [placed(slab([(-0.06, -0.12), (0.06, -0.12), (0.15, 0.03), (0.13, 0.17), (0.06, 0.18), (0.05, 0.03), (-0.05, 0.03), (-0.06, 0.18), (-0.13, 0.17), (-0.15, 0.03)], 0.06), (0, s * u(0.5, 0.55), 0), roll=0 if s > 0 else np.pi)]
    other = jaw(-1) if r.random() < 0.5 else [ring((0, -0.55, 0), 0.11, 0.035)]
    return [box((0, 0, 0), (u(0.09, 0.13), 0.95, 0.05))] + jaw(1) + other


def screwdriver(r):
    u = r.uniform
    grip = lathe([(0, -0.5), (0.09, -0.48), (0.08, -0.3), (u(0.08, 0.1), -0.05), (0.05, 0), (0, 0)], 10)
    return [grip, limb((0, 0, 0), (0, u(0.5, 0.8), 0), 0.025), box((0, u(0.6, 0.8), 0), (0.06, 0.1, 0.015))]


def pliers(r):
    u = r.uniform
    spread = u(0.1, 0.3)
    arm = tube([(0.02, 0, 0), (spread * 0.7, -0.3, 0), (spread, -0.8, 0)], [0.05, 0.05, 0.04])
    jaw = limb((0.02, 0, 0), (0.03, u(0.25, 0.45), 0), 0.07, 0.025)
    return both(arm, jaw) + [limb((0, 0, -0.05), (0, 0, 0.05), 0.08)]


def scissors(r):
    u = r.uniform
    open_ = u(0.05, 0.5)
    half = [box((0, 0.35, 0), (0.07, 0.8, 0.02)), limb((0, 0, 0), (0.03, -0.35, 0), 0.025), ring((0.06, -0.5, 0), 0.13, 0.03)]
    one = [placed(p, roll=open_) for p in half]
    return one + [(v * [-1, 1, 1] + [0, 0, 0.025], t[:, ::-1]) for v, t in one]


def cutlery(r, kind):
    u = r.uniform
    handle = box((0, -0.45, 0), (u(0.06, 0.1), 0.8, 0.03))
    neck = box((0, 0.0, 0), (0.04, 0.2, 0.03))
    if kind == "spoon":
        bowl = lathe([(0, 0), (0.5, 0.05), (0.9, 0.2), (1, 0.35), (0.85, 0.28), (0, 0.1)], 14)
        return [handle, neck, placed(bowl, (0, 0.28, -0.02), (u(0.11, 0.15), 0.12, u(0.18, 0.24)), tilt=np.pi / 2)]
    if kind == "knife":
        blade = slab([(-0.05, 0), (0.05, 0), (u(0.06, 0.1), 0.5), (0.0, u(0.75, 0.95)), (-0.05, 0.5)], 0.015)
        return [handle, blade]
    tines = [limb((x, 0.15, 0), (x, u(0.38, 0.45), 0.02), 0.018, 0.01, 6) for x in np.linspace(-0.1, 0.1, int(r.integers(3, 5)))]
    return [handle, neck, box((0, 0.13, 0), (0.25, 0.08, 0.03))] + tines


def sword(r):
    u = r.uniform
    blade = slab([(-0.06, 0), (0.06, 0), (0.05, u(1.0, 1.4)), (0, u(1.45, 1.6)), (-0.05, u(1.0, 1.4))], 0.025)
    return [blade, box((0, 0, 0), (u(0.3, 0.5), 0.06, 0.08)), limb((0, 0, 0), (0, -u(0.25, 0.4), 0), 0.035), ball((0, -0.38, 0), 0.06, 8)]


def bottle(r):
    u = r.uniform
    w, neck = u(0.14, 0.24), u(0.05, 0.08)
    shoulder = u(0.45, 0.65)
    return [lathe([(0, 0), (w, 0), (w, shoulder), (w * u(0.7, 0.95), shoulder + 0.08), (neck, shoulder + u(0.15, 0.25)), (neck, 0.98), (neck * 1.2, 0.98), (neck * 1.2, 1.03), (0, 1.03)])]


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
        parts += both(tube([(radius[7], 0.88, 0), (radius.max() + 0.12, 0.8, 0), (radius[5] * 0.95, 0.55, 0)], 0.025, 6))
    return parts


def cup(r, handle=None):
    u = r.uniform
    low, top, high = u(0.2, 0.32), u(0.28, 0.36), u(0.5, 0.8)
    body = lathe([(0, 0), (low, 0), (top, high), (top * 0.9, high), (low * 0.85, 0.06), (0, 0.06)])
    if handle or (handle is None and r.random() < 0.6):
        edge = (low + top) / 2
        t = np.linspace(-1.3, 1.3, 8)
        points = np.stack([edge - 0.03 + u(0.16, 0.22) * np.cos(t), high / 2 + high * 0.3 * np.sin(t), 0 * t], 1)
        return [body, tube(points, u(0.025, 0.045), 6)]
    return [body]


def wine_glass(r):
    u = r.uniform
    stem, wide, high = u(0.35, 0.55), u(0.2, 0.3), u(0.35, 0.5)
    return [lathe([(0, 0), (u(0.18, 0.24), 0), (0.03, 0.04), (0.025, stem), (wide * 0.8, stem + high * 0.25), (wide, stem + high * 0.5), (wide * u(0.7, 1), stem + high), (wide * 0.65, stem + high), (wide * 0.85, stem + high * 0.5), (0, stem + high * 0.15)])]


def teapot(r):
    u = r.uniform
    w, h = u(0.36, 0.46), u(0.3, 0.42)
    parts = [ball((0, h, 0), (w, h, w), 14), lathe([(0, 2 * h), (0.14, 2 * h - 0.04), (0.06, 2 * h + 0.04), (0, 2 * h + 0.1)])]
    parts.append(tube([(w * 0.8, h * 0.8, 0), (w + 0.15, h, 0), (w + u(0.25, 0.35), h * 1.7, 0)], [0.11, 0.07, 0.04]))
    t = np.linspace(-1.4, 1.4, 8)
    parts.append(tube(np.stack([-w * 0.85 - 0.25 * np.cos(t), h + h * 0.6 * np.sin(t), 0 * t], 1), 0.035, 6))
    return parts


def chess_piece(r):
    u = r.uniform
    base, high = u(0.2, 0.26), u(0.4, 0.7)
    parts = [lathe([(0, 0), (base, 0), (base, 0.07), (base * 0.75, 0.14), (base * 0.4, 0.25), (base * 0.32, high), (base * 0.65, high + 0.03), (base * 0.35, high + 0.07), (0, high + 0.07)])]
    kind = int(r.integers(4))
    if kind == 0:
        parts.append(ball((0, high + 0.17, 0), base * 0.55))
    elif kind == 1:
        parts.append(lathe([(0, high + 0.05), (base * 0.5, high + 0.05), (base * 0.6, high + 0.28), (base * 0.4, high + 0.28), (base * 0.4, high + 0.22), (0, high + 0.22)], 12))
    elif kind == 2:
        parts += [lathe([(base * 0.3, high + 0.05), (base * 0.6, high + 0.3), (base * 0.35, high + 0.36), (0, high + 0.36)]), box((0, high + 0.44, 0), (0.03, 0.16, 0.03)), box((0, high + 0.45, 0), (0.11, 0.03, 0.03))]
    else:
        parts.append(ball((0, high + 0.2, 0), (base * 0.45, base * 0.8, base * 0.45)))
    return parts


def lamp(r):
    u = r.uniform
    tall = r.random() < 0.5
    stem = u(1.1, 1.7) if tall else u(0.35, 0.6)
    wide, top, high = u(0.22, 0.36), u(0.1, 0.24), u(0.22, 0.36)
    shade = lathe([(wide, stem - 0.05), (top, stem - 0.05 + high), (top * 0.95, stem - 0.05 + high), (wide * 0.96, stem - 0.05)])
    base = u(0.14, 0.24)
    foot = lathe([(0, 0), (base, 0), (base, 0.03), (0.04, 0.06), (0, 0.06)])
    body = [limb((0, 0, 0), (0, stem + 0.1, 0), u(0.015, 0.03))]
    if not tall and r.random() < 0.6:
        body.append(ball((0, stem * 0.4, 0), (u(0.08, 0.16), stem * 0.35, u(0.08, 0.16))))
    return [shade, foot] + body


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
    parts = [ring((0, 0, 0), 1 - rim, rim, (1, 0, 0), 28), limb((-0.1, 0, 0), (0.1, 0, 0), u(0.1, 0.25), sides=14)]
    for a in np.linspace(0, 2 * np.pi, int(r.integers(4, 13)), endpoint=False):
        parts.append(limb((0, 0, 0), (0, np.cos(a) * (1 - rim), np.sin(a) * (1 - rim)), u(0.02, 0.06), sides=6))
    return parts


def hat(r):
    u = r.uniform
    brim, crown, high = u(0.6, 1.0), u(0.35, 0.5), u(0.3, 0.9)
    curl = u(-0.05, 0.15)
    top = crown * u(0.6, 1.05)
    return [placed(lathe([(brim, curl), (crown, 0), (top, high), (0, high * u(0.85, 1.02)), (top * 0.95, high - 0.04), (crown * 0.95, -0.02), (brim, curl - 0.02)]), scale=(1, 1, u(1, 1.25)))]


def rocket(r):
    u = r.uniform
    w, high = u(0.12, 0.22), u(1.2, 1.8)
    parts = [lathe([(0, 0), (w, 0), (w * u(1, 1.2), high * 0.4), (w, high * 0.7), (w * 0.5, high * 0.9), (0, high)])]
    for a in np.linspace(0, 2 * np.pi, int(r.integers(3, 5)), endpoint=False):
        fin = slab([(0, 0.35), (0.25, 0.05), (0.28, -0.12), (0, 0.05)], 0.025)
        parts.append(placed((fin[0] + [w, 0, 0], fin[1]), turn=a))
    return parts


def windmill(r):
    u = r.uniform
    high = u(1.0, 1.5)
    w = u(0.05, 0.35)
    parts = [lathe([(0, 0), (w * 1.3, 0), (w * 0.8, high), (w * 0.5, high + w * 0.7), (0, high + w * 0.8)], 12)]
    hub = np.array([0, high, w + 0.06])
    parts.append(limb(hub - [0, 0, w], hub + [0, 0, 0.06], 0.06))
    blades = int(r.integers(3, 5))
    phase = u(0, 2)
    for i in range(blades):
        blade = box((0, 0.45, 0), (u(0.08, 0.2), 0.85, 0.02))
        parts.append(placed(blade, hub, roll=phase + 2 * np.pi * i / blades))
    return parts


KINDS = {
    "teddy bear": teddy_bear,
    "umbrella": umbrella,
    "horse": horse,
    "dog": dog,
    "cat": cat,
    "cow": cow,
    "pig": pig,
    "sheep": sheep,
    "deer": deer,
    "giraffe": giraffe,
    "elephant": elephant,
    "camel": camel,
    "bear": bear,
    "wolf": wolf,
    "person": person,
    "toilet": toilet,
    "truck": truck,
    "guitar": guitar,
    "violin": violin,
    "piano": piano,
    "airplane": airplane,
    "biplane": biplane,
    "helicopter": helicopter,
    "bird": bird,
    "fish": fish,
    "ant": lambda r: insect(r, 6, (0.13, 0.14, 0.24)),
    "spider": lambda r: insect(r, 8, (0.14, 0.26)),
    "octopus": octopus,
    "hand": hand,
    "glasses": glasses,
    "bicycle": bicycle,
    "motorcycle": motorcycle,
    "sailboat": sailboat,
    "ship": ship,
    "hammer": hammer,
    "axe": axe,
    "wrench": wrench,
    "screwdriver": screwdriver,
    "pliers": pliers,
    "scissors": scissors,
    "fork": lambda r: cutlery(r, "fork"),
    "knife": lambda r: cutlery(r, "knife"),
    "spoon": lambda r: cutlery(r, "spoon"),
    "sword": sword,
    "bottle": bottle,
    "vase": vase,
    "cup": cup,
    "mug": lambda r: cup(r, handle=True),
    "wine glass": wine_glass,
    "teapot": teapot,
    "chess piece": chess_piece,
    "lamp": lamp,
    "gear": gear,
    "wheel": wheel,
    "hat": hat,
    "rocket": rocket,
    "windmill": windmill,
}


def generate(seed, variants=VARIANTS):
    """Yields (label, vertices in -1..1, triangles), the same ones for the same seed."""
    rng = np.random.default_rng(seed)
    for label, make in KINDS.items():
        for _ in range(variants):
            vertices, triangles = merge(make(rng))
            low, high = vertices.min(0), vertices.max(0)
            vertices = (vertices - (low + high) / 2) / ((high - low).max() / 2)
            yield label, vertices, triangles

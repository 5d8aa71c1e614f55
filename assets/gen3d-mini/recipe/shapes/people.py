"""People and parts of them."""

import numpy as np

from shapes.parts import moved, pick, posts, rod
from solids import ball, both, box, lathe, limb, mirrored, placed, ring, tube


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


def jointed(r, pose):
    """A person by pose, with build, head, dress and hair of its own."""
    u = r.uniform
    wide, depth = u(0.15, 0.23), u(0.65, 0.95)
    lean = {"run": u(0.1, 0.35), "bend": u(0.5, 1.3), "sit": u(-0.2, 0.15)}.get(pose, u(-0.05, 0.08))
    up = np.array([0, np.cos(lean), np.sin(lean)])
    hip, neck = np.array([0.0, 0.9, 0]), np.array([0.0, 0.9, 0]) + u(0.5, 0.6) * up
    belly = u(0.8, 1.15)
    torso = tube(
        [hip - [0, 0.06, 0], hip, hip + 0.25 * up, neck - 0.09 * up, neck, neck + 0.06 * up],
        [wide * 0.5, wide * 0.85, wide * 0.75 * belly, wide, 0.07, 0.055],
        10,
    )
    torso[0][:, 2] = (torso[0][:, 2] - neck[2] / 2) * depth + neck[2] / 2
    head = neck + u(0.15, 0.19) * up + [0, 0, 0.02]
    parts = [torso, ball(head, (u(0.08, 0.1), u(0.11, 0.14), u(0.095, 0.12)))]
    hair = r.random()
    if hair < 0.3:
        parts.append(ball(head + [0, 0.02, -0.04], (0.11, 0.13, 0.11)))
    elif hair < 0.45:
        brim = u(0.1, 0.2)
        parts.append(
            placed(
                lathe([(brim, 0), (0.11, 0.01), (0.09, u(0.08, 0.16)), (0, 0.12)], 12), head + [0, 0.05, 0]
            )
        )
    if r.random() < 0.25 and pose not in ("sit", "run"):
        hem = u(0.3, 0.7)
        parts.append(lathe([(wide * 0.8, 1.0), (wide * u(1.2, 1.9), hem), (0.02, hem)], 12))
    swing = u(0.3, 0.8) if pose in ("walk", "run") else u(0, 0.12)
    apart = u(0.05, 0.4) if pose == "wave" else u(0, 0.12)
    for side in (-1, 1):
        if pose == "spread":
            out, ahead, bend = u(1.3, 1.65), u(-0.1, 0.1), u(0, 0.2)
        elif pose == "wave":
            out, ahead, bend = u(0.2, 2.9), u(-0.3, 0.5), u(0, 1.5)
        elif pose in ("sit", "bend"):
            out, ahead, bend = u(0.1, 0.5), u(0.2, 0.9), u(0.1, 1.2)
        else:
            out, ahead, bend = (
                u(0.05, 0.35),
                side * swing + u(-0.1, 0.1),
                u(0.8, 1.5) if pose == "run" else u(0, 0.5),
            )
        shoulder = neck + [side * wide * 0.95, 0, 0] - 0.08 * up
        d = np.array([side * np.sin(out), -np.cos(out), ahead])
        elbow = shoulder + 0.29 * d / np.linalg.norm(d)
        d = d + [-side * 0.2 * bend, 0.3 * bend, bend]
        hand = elbow + 0.26 * d / np.linalg.norm(d)
        parts += [
            tube([shoulder, elbow, hand], [u(0.05, 0.065), 0.045, 0.035]),
            ball(hand + 0.04 * d, (0.04, 0.05, 0.05), 8),
        ]
        socket = hip + [side * wide * 0.5, 0, 0]
        thigh, shin = (
            (1.4, 0.0)
            if pose == "sit"
            else (-side * swing, -side * swing - (u(0.2, 1.2) if pose == "run" else 0.1))
        )
        knee = socket + 0.42 * np.array([side * apart, -np.cos(thigh), np.sin(thigh)])
        foot = knee + 0.44 * np.array([side * apart * 0.7, -np.cos(shin), np.sin(shin)])
        parts += [
            tube([socket, knee, foot], [u(0.08, 0.1), 0.062, 0.045]),
            placed(box((0, -0.02, 0.07), (0.09, 0.07, 0.24)), foot, tilt=min(-shin * 0.5, 0.8)),
        ]
    if pose == "sit" and r.random() < 0.4:
        parts += [box((0, 0.76, 0.05), (0.45, 0.08, 0.45)), *posts(0.2, 0.2, 0.05, 0.75, 0.025)]
    return parts


def person(r):
    return jointed(r, pick(r, "stand", "stand", "walk", "run", "sit", "wave", "wave", "spread", "bend"))


def hand(r):
    """Open, fist, pointing, victory or gripping; palm to +z."""
    u = r.uniform
    curls = dict(
        open=(0, 0, 0, 0, 0),
        fist=(1, 1, 1, 1, 1),
        point=(0, 1, 1, 1, 0.9),
        two=(0, 0, 1, 1, 1),
        thumb=(1, 1, 1, 1, 0),
        grip=(0.5, 0.5, 0.5, 0.5, 0.4),
    )
    curl = curls[pick(r, "open", "open", "fist", "point", "two", "thumb", "grip")]
    spread = u(0.2, 1.6)
    palm = tube(
        [(0, -0.3, 0), (0, -0.22, 0), (0, 0.0, 0), (0, 0.2, 0), (0, 0.26, 0)],
        [0.14, 0.19, 0.23, 0.23, 0.17],
        10,
    )
    parts = [placed(palm, scale=(1, 1, u(0.4, 0.55)))]
    if r.random() < 0.8:
        parts.append(limb((0, -0.22, 0), (0, -u(0.4, 1.1), 0), 0.13, u(0.13, 0.18)))
    thick = u(0.85, 1.15)
    for i, x in enumerate((0.16, 0.055, -0.055, -0.16)):
        long = (0.37, 0.42, 0.39, 0.3)[i] * u(0.92, 1.1)
        at, bend = np.array([x, 0.22, 0]), np.clip(curl[i] + u(-0.05, 0.12), 0, 1) * 1.35
        points, angle = [at], 0
        for share in (0.45, 0.3, 0.25):
            angle += bend
            at = at + long * share * np.array([x * spread * (1 - curl[i]), np.cos(angle), np.sin(angle)])
            points.append(at)
        parts.append(tube(points, np.array([0.06, 0.056, 0.05, 0.04]) * thick, 7))
    if curl[4] > 0.8:
        thumb = [(0.18, -0.12, 0.05), (0.22, 0.05, 0.16), (0.1, 0.13, 0.24), (-0.02, 0.13, 0.25)]
    else:
        thumb = [
            (0.17, -0.15, 0.03),
            (u(0.28, 0.34), 0.02, 0.08),
            (u(0.3, 0.45), u(0.16, 0.24), 0.12),
            (u(0.3, 0.5), 0.3, 0.13),
        ]
    parts.append(tube(thumb, np.array([0.08, 0.07, 0.06, 0.045]) * thick, 7))
    return parts if r.random() < 0.5 else [mirrored(p) for p in parts]


def foot(r):
    u = r.uniform
    leg = u(0.3, 1.0)
    parts = [tube([(0, leg, -0.2), (0, 0.25, -0.18), (0, 0.08, -0.22)], [u(0.14, 0.2), 0.12, 0.13], 10)]
    parts.append(
        placed(
            tube(
                [(0, 0.08, -0.3), (0, 0.12, -0.1), (0, 0.06, 0.3), (0, 0.05, 0.45)],
                [0.1, 0.14, 0.18, 0.14],
                10,
            ),
            scale=(1, 0.8, 1),
        )
    )
    for i, x in enumerate((0.12, 0.05, -0.01, -0.07, -0.12)):
        parts.append(
            limb((x, 0.04, 0.4), (x, 0.035, 0.6 - 0.04 * i), (0.05, 0.035, 0.033, 0.03, 0.028)[i], sides=6)
        )
    return parts


def robot(r):
    u = r.uniform
    w, h = u(0.3, 0.5), u(0.4, 0.6)
    body = pick(
        r,
        box((0, 0, 0), (w, h, w * 0.7)),
        rod((0, 0, 0), w * 0.5, h),
        rod((0, 0, 0), w * 0.35, h, taper=1.5),
    )
    size = u(0.22, 0.4)
    head = (0, h / 2 + size * 0.5 + 0.05, 0)
    parts = [
        body,
        pick(
            r,
            box(head, (size, size * 0.75, size * 0.8)),
            ball(head, size * 0.5),
            rod(head, size * 0.45, size * 0.7),
        ),
    ]
    parts.append(limb((0, h / 2, 0), head, 0.06))
    parts += both(rod((size * 0.22, head[1], size * 0.42), 0.05, 0.06, "z"))
    if r.random() < 0.6:
        parts += [
            limb(head, (0, head[1] + size * 0.7, 0), 0.012, sides=5),
            ball((0, head[1] + size * 0.7, 0), 0.03, 6),
        ]
    hand = (w * 0.5 + u(0.1, 0.4), u(-0.35, 0.5), u(0, 0.4))
    parts += both(
        ball((w * 0.5 + 0.05, h * 0.35, 0), 0.08, 8),
        tube([(w * 0.5 + 0.05, h * 0.35, 0), (w * 0.5 + 0.15, 0, 0), hand], 0.05, 6),
        box(hand, (0.1, 0.12, 0.1)),
    )
    if r.random() < 0.7:
        low = -h / 2 - u(0.25, 0.5)
        return parts + both(
            limb((w * 0.28, -h / 2, 0), (w * 0.28, low, 0), 0.07, sides=pick(r, 4, 8)),
            box((w * 0.28, low, 0.05), (0.17, 0.08, 0.28)),
        )
    return parts + both(
        rod((w * 0.4, -h / 2 - 0.12, 0.15), 0.13, 0.1, "x"),
        rod((w * 0.4, -h / 2 - 0.12, -0.15), 0.13, 0.1, "x"),
    )


def astronaut(r):
    parts = moved(jointed(r, pick(r, "stand", "walk", "wave", "spread")), scale=(1.35, 1, 1.35))
    return parts + [ball((0, 1.62, 0.02), 0.21), box((0, 1.25, -0.25), (0.42, 0.55, 0.2))]


def skeleton(r):
    u = r.uniform
    parts = [
        tube([(0, 0.85, 0), (0, 1.15, -0.03), (0, 1.5, 0)], 0.03, 6),
        placed(ball((0, 0, 0), (0.1, 0.13, 0.12)), (0, 1.62, 0.02)),
        box((0, 1.5, 0.06), (0.1, 0.06, 0.08)),
    ]
    for i in range(6):
        parts.append(
            placed(
                ring((0, 0, 0), 0.16 - 0.01 * abs(i - 2), 0.012, (0, 1, 0), 12),
                (0, 1.1 + 0.06 * i, 0.02),
                (1, 1, 0.65),
            )
        )
    parts += both(
        limb((0, 1.47, 0), (0.2, 1.45, 0), 0.02, sides=5), ring((0.08, 0.85, 0), 0.08, 0.03, (0.3, 0, 1), 10)
    )
    for s in (-1, 1):
        hand = np.array([s * u(0.2, 0.8), u(0.75, 1.7), u(0, 0.4)])
        parts += [
            tube(
                [(s * 0.2, 1.45, 0), (np.array([s * 0.3, 1.2, 0]) + hand) / 2 + [0, 0, -0.05], hand],
                [0.025, 0.018, 0.015],
                5,
            ),
            ball(hand, (0.03, 0.06, 0.03), 6),
        ]
        step = u(-0.25, 0.25)
        parts += [
            tube(
                [(s * 0.1, 0.82, 0), (s * 0.12, 0.45, step * 0.6 + 0.05), (s * 0.12, 0.03, step)],
                [0.03, 0.022, 0.018],
                5,
            ),
            box((s * 0.12, 0.02, step + 0.06), (0.06, 0.04, 0.2)),
        ]
    return parts


def snowman(r):
    u = r.uniform
    a, b, c = u(0.38, 0.5), u(0.27, 0.35), u(0.18, 0.25)
    y = a + b * 0.8
    top = y + b * 0.8 + c * 0.8
    parts = [
        ball((0, 0, 0), a),
        ball((0, y, 0), b),
        ball((0, top, 0), c),
        limb((0, top, c * 0.8), (0, top, c + u(0.12, 0.3)), 0.04, 0.004, 6),
    ]
    parts += both(
        tube(
            [(b * 0.8, y, 0), (b + 0.2, y + u(-0.1, 0.2), 0), (b + u(0.3, 0.5), y + u(0, 0.4), 0)], 0.018, 5
        )
    )
    if r.random() < 0.6:
        parts.append(
            placed(
                lathe([(c * 1.2, 0), (c * 0.75, 0.02), (c * 0.7, u(0.2, 0.35)), (0, 0.3)], 12),
                (0, top + c * 0.75, 0),
            )
        )
    return parts


KINDS = {
    "person": person,
    "hand": hand,
    "foot": foot,
    "skeleton": skeleton,
    "teddy bear": teddy_bear,
    "robot": robot,
    "astronaut": astronaut,
    "snowman": snowman,
}

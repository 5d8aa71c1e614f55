"""Buildings."""

import numpy as np

from solids import box, lathe, limb, placed


def windmill(r):
    u = r.uniform
    high = u(1.0, 1.5)
    w = u(0.05, 0.35)
    parts = [
        lathe([(0, 0), (w * 1.3, 0), (w * 0.8, high), (w * 0.5, high + w * 0.7), (0, high + w * 0.8)], 12)
    ]
    hub = np.array([0, high, w + 0.06])
    parts.append(limb(hub - [0, 0, w], hub + [0, 0, 0.06], 0.06))
    blades = int(r.integers(3, 5))
    phase = u(0, 2)
    for i in range(blades):
        blade = box((0, 0.45, 0), (u(0.08, 0.2), 0.85, 0.02))
        parts.append(placed(blade, hub, roll=phase + 2 * np.pi * i / blades))
    return parts


KINDS = {
    "windmill": windmill,
}

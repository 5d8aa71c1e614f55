"""What is done to rendered views as they are drawn for training: mirrored, shifted, made small, and put
together into scenes of two or three objects with the alpha plane on one of them, as Alpha-CLIP is
trained: as an exact mask, a soft one or a box."""

import torch
import torch.nn.functional as F

SHIFT = 3
SCENES, SMALL, WHOLE = 0.3, 0.12, 0.1
# Of the masks in scenes; in views of one object a tenth as often.
SOFT, BOX = 0.2, 0.25


def augment(views):
    """u8 views [B,4,64,64] -> planes [B,4,64,64] in 0..1.

    Some become scenes with other views of the batch, whose own pixels are not in the alpha plane; for
    some of the others the alpha plane says "the whole picture".
    """
    planes = views.float() / 255
    flipped = torch.rand(len(planes)) < 0.5
    planes[flipped] = planes[flipped].flip(-1)
    planes = torch.cat([shift(part) for part in planes.split(8)])
    source = planes.clone()
    kinds = torch.rand(len(planes)).tolist()
    for row, kind in enumerate(kinds):
        if kind < SCENES:
            count = 2 if torch.rand(()) < 0.6 else 3
            others = torch.randint(len(source), (count - 1,)).tolist()
            planes[row] = scene([source[row], *(source[other] for other in others)])
            planes[row, 3] = loosened(planes[row, 3], SOFT, BOX)
        elif kind < SCENES + SMALL:
            planes[row] = placed(source[row], 0, 1)
        elif kind > 1 - WHOLE:
            planes[row, 3] = 1.0
        else:
            planes[row, 3] = loosened(planes[row, 3], SOFT / 10, BOX / 10)
    return planes


def shift(planes):
    """All planes moved by the same few pixels."""
    x, y = torch.randint(2 * SHIFT + 1, (2,)).tolist()
    size = planes.shape[-1]
    return F.pad(planes, (SHIFT,) * 4)[..., y : y + size, x : x + size]


def placed(view, number, count):
    """The view [4,64,64] smaller, in the `number`-th of `count` columns or anywhere."""
    size = view.shape[-1]
    least = size * 3 // 8 if count > 1 else size // 2
    side = int(torch.randint(least, size * (5 if count == 3 else 7) // 8, ()))
    small = F.interpolate(view[None], (side, side), mode="bilinear", antialias=True)[0]
    free = size - side
    column = free * number // max(count - 1, 1)
    x = column if count > 1 and torch.rand(()) < 0.6 else int(torch.randint(free + 1, ()))
    y = int(torch.randint(free + 1, ()))
    return F.pad(small, (x, free - x, y, free - y))


def scene(views):
    """Views [4,64,64] smaller and side by side, some partly before others; alpha is what is seen of
    the first."""
    order = torch.randperm(len(views)).tolist()
    parts = [placed(view, order[i], len(views)) for i, view in enumerate(views)]
    # Each has its own stretch of the common depth; what is nearer hides what is farther.
    depths = []
    for part in parts:
        length = 0.4 + 0.6 * torch.rand(())
        near = (1 - length) * torch.rand(())
        part[0] = part[0] * length + near * part[3]
        depths.append((near + length / 2).item())
    own = parts[0][3]
    seen = visible(parts, depths)
    if seen.sum() < 0.4 * own.sum():
        depths[0] = 2.0
        seen = visible(parts, depths)
    rgb = torch.zeros_like(parts[0][:3])
    for i in sorted(range(len(parts)), key=depths.__getitem__):
        rgb = parts[i][:3] + rgb * (1 - parts[i][3])
    return torch.cat([rgb, seen[None]])


def visible(parts, depths):
    """What is seen of the first."""
    seen = parts[0][3]
    for part, depth in zip(parts[1:], depths[1:]):
        if depth > depths[0]:
            seen = seen * (1 - part[3])
    return seen


def loosened(mask, soft, box):
    """The mask [64,64], blurred with the chance `soft`, its box with the chance `box`."""
    chance = torch.rand(())
    if chance < soft:
        side = 3 if torch.rand(()) < 0.5 else 5
        for _ in range(2):
            mask = F.avg_pool2d(mask[None, None], side, 1, side // 2)[0, 0]
        return mask
    inside = mask > 0.5
    if chance < soft + box and inside.any():
        rows, columns = inside.any(1).nonzero()[:, 0], inside.any(0).nonzero()[:, 0]
        mask = torch.zeros_like(mask)
        mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = 1.0
    return mask

"""What is done to rendered views as they are drawn for training: mirrored, shifted, and put
together into scenes of two objects with the alpha plane on one of them, as Alpha-CLIP is trained."""

import torch
import torch.nn.functional as F

SHIFT = 3
SCENES = 0.15
WHOLE = 0.1


def augment(views):
    """u8 views [B,4,64,64] -> (planes [B,4,64,64] in 0..1, everything drawn [B,64,64]).

    Some become scenes with another view of the batch, whose own pixels are not in the alpha plane;
    for some of the others the alpha plane says "the whole picture".
    """
    planes = views.float() / 255
    flipped = torch.rand(len(planes)) < 0.5
    planes[flipped] = planes[flipped].flip(-1)
    planes = torch.cat([shift(part) for part in planes.split(8)])
    drawn = planes[:, 3].clone()
    kind = torch.rand(len(planes))
    scenes = (kind < SCENES).nonzero()[:, 0]
    if len(scenes):
        others = planes[torch.randint(len(planes), (len(scenes),))]
        for row, other in zip(scenes, others.clone()):
            planes[row], drawn[row] = scene(planes[row], other)
    planes[kind > 1 - WHOLE, 3] = 1.0
    return planes, drawn


def shift(planes):
    """All planes moved by the same few pixels."""
    x, y = torch.randint(2 * SHIFT + 1, (2,)).tolist()
    size = planes.shape[-1]
    return F.pad(planes, (SHIFT,) * 4)[..., y : y + size, x : x + size]


def scene(view, other):
    """Both views [4,64,64] smaller and side by side, one partly before the other: the planes, whose
    alpha is what is seen of `view`, and all that is drawn."""
    size = view.shape[-1]
    placed = []
    for number, part in enumerate((view, other)):
        side = int(torch.randint(size * 5 // 8, size * 7 // 8, ()))
        small = F.interpolate(part[None], (side, side), mode="bilinear", antialias=True)[0]
        free = size - side
        # One in the left half, the other in the right; rows are free.
        x = free * number if torch.rand(()) < 0.7 else int(torch.randint(free + 1, ()))
        y = int(torch.randint(free + 1, ()))
        placed.append(F.pad(small, (x, free - x, y, free - y)))
    if torch.rand(()) < 0.5:
        placed = [part.flip(-1) for part in placed]
    ours, theirs = placed
    if torch.rand(()) < 0.5:
        seen = ours[3]
        rgb = ours[:3] + theirs[:3] * (1 - ours[3])
    else:
        seen = ours[3] * (1 - theirs[3])
        rgb = theirs[:3] + ours[:3] * (1 - theirs[3])
    return torch.cat([rgb, seen[None]]), (ours[3] + theirs[3]).clamp(max=1)

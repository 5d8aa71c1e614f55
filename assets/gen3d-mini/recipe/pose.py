"""What reads the pose off the features: a linear layer fitted behind the trained tower, on training
meshes in each of the six poses that a file can have."""

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import load_file, save_file

from data import clean_views
from optim import LOW
from resnet import POSES, normalise
from sets import picked
from vision import tower_of

MESHES = 400
VIEWS = 4
DECAY = 1e-4
# (turned by, row of POSES): as it stands, on its head, on each of four sides.
TURNS = (
    (((1, 0, 0), (0, 1, 0), (0, 0, 1)), 0),
    (((1, 0, 0), (0, -1, 0), (0, 0, -1)), 1),
    (((1, 0, 0), (0, 0, -1), (0, 1, 0)), 2),
    (((1, 0, 0), (0, 0, 1), (0, -1, 0)), 2),
    (((0, -1, 0), (1, 0, 0), (0, 0, 1)), 2),
    (((0, 1, 0), (-1, 0, 0), (0, 0, 1)), 2),
)


def turned(packed, turn):
    """A packed set whose meshes are turned about the centre of their box."""
    points = packed["verts"].astype(np.float64) - 32767.5
    verts = np.round(points @ np.array(turn).T + 32767.5).clip(0, 65535).astype(np.uint16)
    return packed | dict(verts=verts)


def views_of(rows, renderer, meshes):
    """u8 [6,N,VIEWS,4,64,64]: meshes of the packed set `meshes` in the poses of TURNS."""
    packed, path = picked(load_file(meshes), rows), meshes.with_name("posed.safetensors")
    result = []
    for turn, _ in TURNS:
        save_file(turned(packed, turn), path)
        result.append(clean_views(renderer, path, views=VIEWS))
    path.unlink()
    return np.stack(result)


@torch.no_grad()
def features_of(weights, pixels, batch=96):
    """Unit features of every view: u8 [...,4,64,64] -> [...,384]."""
    run = torch.compile(tower_of(weights))
    flat = torch.from_numpy(pixels).flatten(0, -4)
    with torch.autocast("cpu", LOW, enabled=LOW != torch.float32):
        parts = [run(normalise(part.float() / 255)).float() for part in flat.split(batch)]
    return F.normalize(torch.cat(parts), dim=-1).view(*pixels.shape[:-3], -1)


def fit(features):
    """The layer for [6,N,VIEWS,384], every pose counting the same."""
    x = features.flatten(0, 2)
    rows = torch.tensor([row for _, row in TURNS])
    y = rows.repeat_interleave(features[0, ..., 0].numel())
    share = 1 / torch.bincount(rows).float()
    weight = torch.zeros(len(POSES), x.shape[1], requires_grad=True)
    bias = torch.zeros(len(POSES), requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        loss = F.cross_entropy(F.linear(x, weight, bias), y, weight=share)
        loss = loss + DECAY * weight.square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return {"pose.weight": weight.detach(), "pose.bias": bias.detach()}


def train(weights, pool, renderer, meshes, seed):
    """`weights` with the layer fitted on training meshes of the pool, drawn as training draws them."""
    picks = pool.sampler(seed)
    rows = set()
    most = min(MESHES, len(pool.meshes("train")) // 2)
    while len(rows) < most:
        rows.add(int(next(picks)))
    pixels = views_of(sorted(rows), renderer, meshes)
    return weights | fit(features_of(weights, pixels))

"""PointCLIP V2's projection in PyTorch, as the published code computes it: what gen3d is timed
against, and compared with.

    pip install torch safetensors
    python bench/pointclip.py    # compares with the maps that the published code gave

Float32 in the order of the published code. Its scatter extension is PyTorch's own `scatter_reduce`
here.
"""

import math

import torch
import torch.nn.functional as F

RESOLUTION, LAYERS = 112, 8
DEPTH_BIAS, OBJECT_RATIO = 0.2, 0.8
SIDE_TILT, POLE_TILT = (0, 1 / 9, 0), (0, 1 / 15, 0)
# Angles about x, y and z in multiples of pi: the turn of each view, and its tilt.
VIEWS = [((turn, 0, 1 / 2), SIDE_TILT) for turn in (1 / 4, 3 / 4, 5 / 4, 7 / 4, 0, 1 / 2, 1, 3 / 2)]
VIEWS += [((0, -1 / 2, 1 / 2), POLE_TILT), ((0, 1 / 2, 1 / 2), POLE_TILT)]


def rotations(angles):
    """Matrices [V, 3, 3] for row vectors, from angles [V, 3]: z is turned first, then y, then x."""
    x, y, z = (angles * math.pi).float().unbind(1)
    one, none = torch.ones_like(x), torch.zeros_like(x)

    def matrix(*rows):
        return torch.stack([torch.stack(row, 1) for row in rows], 1)

    about_x = matrix((one, none, none), (none, x.cos(), -x.sin()), (none, x.sin(), x.cos()))
    about_y = matrix((y.cos(), none, y.sin()), (none, one, none), (-y.sin(), none, y.cos()))
    about_z = matrix((z.cos(), -z.sin(), none), (z.sin(), z.cos(), none), (none, none, one))
    return (about_x @ about_y @ about_z).transpose(1, 2)


class Projection:
    """Depth maps of ten views; the constants are made once."""

    def __init__(self):
        angles = torch.tensor(VIEWS, dtype=torch.float64)
        self.turn, self.tilt = rotations(angles[:, 0]), rotations(angles[:, 1])
        edge = math.exp(-1 / 18)
        weights = torch.tensor([edge, 1, edge], dtype=torch.float64)
        weights = torch.outer(weights, weights)
        self.weights = (weights / weights.sum()).float().expand(LAYERS, 1, 3, 3).contiguous()

    def maps(self, points):
        """Maps [10, 110, 110] of points [N, 3], y up: 0 nearest, 1 background."""
        turned = points.expand(len(VIEWS), -1, -1) @ self.turn @ self.tilt
        turned = turned + torch.tensor([0.5, 0.5, 1.5])
        largest, least = turned.amax(1, keepdim=True), turned.amin(1, keepdim=True)
        middle = (largest + least) / 2
        extent = (largest - least).amax(2, keepdim=True)
        x, y, z = ((turned - middle) / extent * 2).unbind(2)
        row = ((x * OBJECT_RATIO + 1) / 2 * RESOLUTION).ceil().clamp(1, RESOLUTION - 2)
        column = ((y * OBJECT_RATIO + 1) / 2 * RESOLUTION).ceil().clamp(1, RESOLUTION - 2)
        depth = ((z + 1) / 2 + DEPTH_BIAS) / (1 + DEPTH_BIAS) * (LAYERS - 2)
        layer = depth.ceil()
        depth = depth.clamp(1, LAYERS - 2)
        place = ((layer * RESOLUTION + row) * RESOLUTION + column).long()
        grid = torch.zeros(len(VIEWS), LAYERS * RESOLUTION * RESOLUTION)
        grid = grid.scatter_reduce(1, place, depth, "amax")
        grid = grid.view(len(VIEWS), LAYERS, RESOLUTION, RESOLUTION)
        dense = F.max_pool2d(grid, 7, stride=1, padding=2)
        smooth = F.conv2d(dense, self.weights, padding=1, groups=LAYERS)
        squeezed = smooth.amax(1)
        return 1 - squeezed / squeezed.amax((1, 2), keepdim=True)

    def input(self, points):
        """What the vision tower gets, [10, 3, 224, 224]."""
        maps = self.maps(points)[:, None]
        large = F.interpolate(maps, (224, 224), mode="bilinear", align_corners=True)
        return large.expand(-1, 3, -1, -1).contiguous()


def unit_sphere(points):
    """Points less their mean, over the largest distance from it."""
    points = points - points.mean(0)
    return points / points.norm(dim=1).max()


def compare():
    """Prints how far the maps are from those of the published code."""
    import gzip
    from pathlib import Path

    from safetensors.torch import load

    folder = Path(__file__).resolve().parent.parent / "tests" / "golden" / "pointclip"
    clouds, maps = (
        load(gzip.decompress((folder / f"{name}.safetensors.gz").read_bytes()))
        for name in ("clouds", "v2_maps110")
    )
    for name, expected in maps.items():
        off = (Projection().maps(clouds[name]) - expected).abs()
        print(f"{name}: largest difference {off.max():.1e}, beyond 1e-5 {(off > 1e-5).float().mean():.2e}")


if __name__ == "__main__":
    compare()

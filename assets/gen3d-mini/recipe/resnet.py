"""The vision tower of gen3d-mini: CLIP's ModifiedResNet (OpenAI's parameter names) with Alpha-CLIP's
second convolution of the stem, for 64x64 pixels; and what tells the pose.

Everything is written as matrix products over channels-last maps, a 3x3 convolution as one product with
its nine shifted inputs side by side: on a processor that multiplies bfloat16 matrices this trains
twice as fast as torch's own convolutions.
"""

import torch
import torch.nn.functional as F
from torch import nn

from model import EMBED, HEAD

SIZE = 64
WIDTH = 32
LAYERS = (2, 3, 4, 2)
EXPANSION = 4
GRID = SIZE // 32
POSES = ("upright", "upside down", "lying")

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
ALPHA_MEAN, ALPHA_STD = 0.5, 0.26


class Convolution(nn.Module):
    """A convolution without bias over [B,H,W,I], as OpenAI's files keep it: [O,I,k,k]."""

    def __init__(self, inputs, outputs, side):
        super().__init__()
        deviation = (2 / (inputs * side * side)) ** 0.5
        self.weight = nn.Parameter(torch.randn(outputs, inputs, side, side) * deviation)


def convolve(x, weight, stride=1):
    """[B,H,W,I] with [O,I,k,k], k 1 or 3, padded to keep the size -> [B,H/stride,W/stride,O]."""
    if weight.shape[-1] == 1:
        return F.linear(x, weight.flatten(1))
    height, width = x.shape[1:3]
    padded = F.pad(x, (0, 0, 1, 1, 1, 1))
    shifted = [
        padded[:, y : y + height : stride, z : z + width : stride] for y in range(3) for z in range(3)
    ]
    return F.linear(torch.cat(shifted, -1), weight.permute(0, 2, 3, 1).flatten(1))


class BatchNorm(nn.Module):
    """Normalises the last axis: by the batch in training, else by the running figures."""

    def __init__(self, channels, weight=1.0, momentum=0.05):
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), weight))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.momentum = momentum

    def forward(self, x):
        if not self.training:
            scale = self.weight * (self.running_var + 1e-5).rsqrt()
            return x * scale + (self.bias - self.running_mean * scale)
        flat = x.float().flatten(0, -2)
        variance, mean = torch.var_mean(flat, 0, correction=0)
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance, self.momentum)
        scale = self.weight * (variance + 1e-5).rsqrt()
        return (x.float() * scale + (self.bias - mean * scale)).to(x.dtype)


def halved(x):
    """Means of 2x2 cells of [B,H,W,C]."""
    batch, height, width, channels = x.shape
    return x.reshape(batch, height // 2, 2, width // 2, 2, channels).mean((2, 4))


class Bottleneck(nn.Module):
    def __init__(self, inputs, planes, stride):
        super().__init__()
        outputs = EXPANSION * planes
        self.conv1, self.bn1 = Convolution(inputs, planes, 1), BatchNorm(planes)
        self.conv2, self.bn2 = Convolution(planes, planes, 3), BatchNorm(planes)
        # Every block starts as little more than its shortcut.
        self.conv3, self.bn3 = Convolution(planes, outputs, 1), BatchNorm(outputs, 0.2)
        self.stride = stride
        self.downsample = None
        if stride > 1 or inputs != outputs:
            self.downsample = nn.ModuleList([Convolution(inputs, outputs, 1), BatchNorm(outputs)])

    def forward(self, x):
        y = self.bn1(convolve(x, self.conv1.weight)).relu()
        y = self.bn2(convolve(y, self.conv2.weight)).relu()
        if self.stride > 1:
            x, y = halved(x), halved(y)
        y = self.bn3(convolve(y, self.conv3.weight))
        if self.downsample is not None:
            x = self.downsample[1](convolve(x, self.downsample[0].weight))
        return (x + y).relu()


class AttentionPool(nn.Module):
    """Attention over the cells of the map and their mean, with the mean as the query."""

    def __init__(self, channels):
        super().__init__()
        rows = GRID * GRID + 1
        self.positional_embedding = nn.Parameter(torch.randn(rows, channels) * channels**-0.5)
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(channels, channels) for _ in range(3))
        self.c_proj = nn.Linear(channels, EMBED)
        for part in (self.q_proj, self.k_proj, self.v_proj, self.c_proj):
            nn.init.normal_(part.weight, std=channels**-0.5)
            nn.init.zeros_(part.bias)

    def forward(self, x):
        batch, channels = len(x), x.shape[-1]
        cells = x.reshape(batch, -1, channels)
        cells = torch.cat([cells.mean(1, keepdim=True), cells], 1)
        cells = cells + self.positional_embedding.to(cells.dtype)
        split = lambda y: y.view(batch, -1, channels // HEAD, HEAD)
        q = split(self.q_proj(cells[:, :1])) * HEAD**-0.5
        k, v = split(self.k_proj(cells)), split(self.v_proj(cells))
        attention = (q * k).sum(-1, keepdim=True).float().softmax(1).to(v.dtype)
        return self.c_proj((attention * v).sum(1).reshape(batch, channels))


class VisionTower(nn.Module):
    def __init__(self):
        super().__init__()
        half = WIDTH // 2
        self.conv1, self.conv1_alpha = Convolution(3, half, 3), Convolution(1, half, 3)
        self.bn1 = BatchNorm(half)
        self.conv2, self.bn2 = Convolution(half, half, 3), BatchNorm(half)
        self.conv3, self.bn3 = Convolution(half, WIDTH, 3), BatchNorm(WIDTH)
        inputs = WIDTH
        for stage, blocks in enumerate(LAYERS):
            planes = WIDTH << stage
            stage_blocks = nn.ModuleList()
            for block in range(blocks):
                stride = 2 if stage > 0 and block == 0 else 1
                stage_blocks.append(Bottleneck(inputs, planes, stride))
                inputs = EXPANSION * planes
            setattr(self, f"layer{stage + 1}", stage_blocks)
        self.attnpool = AttentionPool(inputs)

    def forward(self, planes):
        """`planes` [B,4,64,64] normalised -> features [B,384], not normalised."""
        x = planes.permute(0, 2, 3, 1)
        weight = torch.cat([self.conv1.weight, self.conv1_alpha.weight], 1)
        x = self.bn1(convolve(x, weight, stride=2)).relu()
        x = self.bn2(convolve(x, self.conv2.weight)).relu()
        x = halved(self.bn3(convolve(x, self.conv3.weight)).relu())
        for stage in range(len(LAYERS)):
            for block in getattr(self, f"layer{stage + 1}"):
                x = block(x)
        return self.attnpool(x)


class Tower(nn.Module):
    """The vision tower, and a linear reading of its unit features: which of POSES a view shows."""

    def __init__(self):
        super().__init__()
        self.visual = VisionTower()
        self.pose = nn.Linear(EMBED, len(POSES))

    def forward(self, planes):
        """Unit features [B,384] and the poses' logits [B,3] of normalised planes."""
        features = F.normalize(self.visual(planes).float(), dim=-1)
        return features, F.linear(features, self.pose.weight, self.pose.bias)


def normalise(planes):
    """Planes [B,4,64,64] in 0..1 -> as the tower takes them."""
    mean = torch.tensor((*MEAN, ALPHA_MEAN)).view(1, 4, 1, 1)
    std = torch.tensor((*STD, ALPHA_STD)).view(1, 4, 1, 1)
    return (planes - mean) / std

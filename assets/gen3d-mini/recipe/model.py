"""Both towers of gen3d-mini in the standard CLIP layout (OpenAI's parameter names).

Vision: 64x64 pixels, patch 8, width 256, 6 blocks, with Alpha-CLIP's second patch convolution.
Text: width 128, 6 blocks, causal. Both project to the 384 numbers of the sentence encoder.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

EMBED = 384
HEAD = 64
PATCH = 8
SIZE = 64
GRID = SIZE // PATCH
CONTEXT = 77
VOCABULARY = 49408

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
ALPHA_MEAN, ALPHA_STD = 0.5, 0.26


class Attention(nn.Module):
    """Multi-head attention with one matrix for queries, keys and values."""

    def __init__(self, width, causal):
        super().__init__()
        self.heads = width // HEAD
        self.causal = causal
        self.in_proj_weight = nn.Parameter(torch.randn(3 * width, width) * width**-0.5)
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, x):
        batch, tokens, width = x.shape
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        qkv = qkv.view(batch, tokens, 3, self.heads, HEAD).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.reshape(3, batch * self.heads, tokens, HEAD).unbind(0)
        # Written out: for such short rows this is three times as fast backwards as torch's own.
        logits = torch.bmm(q, k.transpose(1, 2)) * HEAD**-0.5
        if self.causal:
            later = torch.ones(tokens, tokens, dtype=torch.bool).triu(1)
            logits = logits.masked_fill(later, float("-inf"))
        mixed = torch.bmm(logits.softmax(-1).to(v.dtype), v)
        mixed = mixed.view(batch, self.heads, tokens, HEAD).transpose(1, 2)
        return self.out_proj(mixed.reshape(batch, tokens, width))


class Mlp(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_proj = nn.Linear(4 * width, width)

    def forward(self, x):
        hidden = self.c_fc(x)
        return self.c_proj(hidden * torch.sigmoid(1.702 * hidden))


class Block(nn.Module):
    """Pre-norm block: attention, then the perceptron, both residual."""

    def __init__(self, width, causal):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width, causal)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = Mlp(width)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    def __init__(self, width, layers, causal=False):
        super().__init__()
        self.resblocks = nn.ModuleList(Block(width, causal) for _ in range(layers))

    def forward(self, x):
        for block in self.resblocks:
            x = block(x)
        return x


class VisionTower(nn.Module):
    def __init__(self, width=256, layers=6):
        super().__init__()
        self.class_embedding = nn.Parameter(torch.randn(width) * 0.5)
        self.positional_embedding = nn.Parameter(
            torch.cat([torch.zeros(1, width), 0.7 * sinusoids(GRID, width)])
        )
        self.conv1 = nn.Conv2d(3, width, PATCH, PATCH, bias=False)
        self.conv1_alpha = nn.Conv2d(1, width, PATCH, PATCH, bias=False)
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = Transformer(width, layers)
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(torch.randn(width, EMBED) * width**-0.5)
        for block in self.transformer.resblocks:
            mimetic(block.attn)

    def forward(self, planes, foreground=None, keep=None):
        """`planes` [B,4,64,64] normalised -> features [B,384], not normalised.

        With `keep`, only that many patches with the most `foreground` [B,64,64] are looked at.
        """
        patches = patchify(planes)
        positions = self.positional_embedding[1:].expand(len(planes), -1, -1)
        if keep is not None and keep < GRID * GRID:
            amount = patchify(foreground[:, None]).sum(-1)
            rows = amount.topk(keep, sorted=False).indices[..., None]
            patches = patches.gather(1, rows.expand(-1, -1, patches.shape[-1]))
            positions = positions.gather(1, rows.expand(-1, -1, positions.shape[-1]))
        weight = torch.cat([self.conv1.weight, self.conv1_alpha.weight], 1).flatten(1)
        x = F.linear(patches, weight) + positions
        first = (self.class_embedding + self.positional_embedding[0]).expand(len(planes), 1, -1)
        x = self.transformer(self.ln_pre(torch.cat([first, x], 1)))
        return self.ln_post(x[:, 0]) @ self.proj


class TextTower(nn.Module):
    def __init__(self, width=128, layers=6):
        super().__init__()
        self.token_embedding = nn.Embedding(VOCABULARY, width, sparse=True)
        self.positional_embedding = nn.Parameter(torch.randn(CONTEXT, width) * 0.02)
        self.transformer = Transformer(width, layers, causal=True)
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.randn(width, EMBED) * width**-0.5)

    def forward(self, ids):
        """Token ids [B,C], padded with 0 after the end token -> features [B,384]."""
        x = self.token_embedding(ids) + self.positional_embedding[: ids.shape[1]]
        x = self.transformer(x)
        # Only the end token's row is read, so no mask is needed for the padding behind it.
        x = x[torch.arange(len(ids)), ids.argmax(-1)]
        return self.ln_final(x) @ self.text_projection


def patchify(planes):
    """[B,C,64,64] -> [B,64,C*8*8], patches row by row, in the order of a convolution's weight."""
    batch, channels = planes.shape[:2]
    x = planes.view(batch, channels, GRID, PATCH, GRID, PATCH)
    return x.permute(0, 2, 4, 1, 3, 5).reshape(batch, GRID * GRID, channels * PATCH * PATCH)


def normalise(planes):
    """Planes [B,4,64,64] in 0..1 -> as the tower takes them."""
    mean = torch.tensor((*MEAN, ALPHA_MEAN)).view(1, 4, 1, 1)
    std = torch.tensor((*STD, ALPHA_STD)).view(1, 4, 1, 1)
    return (planes - mean) / std


def sinusoids(grid, width):
    """Fixed two-dimensional position code as a start, [grid², width]."""
    quarter = width // 4
    frequency = torch.exp(torch.arange(quarter) * (-math.log(100.0) / quarter))
    angle = torch.arange(grid)[:, None] * frequency
    line = torch.cat([angle.sin(), angle.cos()], 1)
    rows = line[:, None].expand(-1, grid, -1)
    columns = line[None].expand(grid, -1, -1)
    return torch.cat([rows, columns], -1).reshape(grid * grid, width)


@torch.no_grad()
def mimetic(attention):
    """Starts attention near what trained towers have: like attends to like, values pass through
    with their sign turned (Trockman & Kolter, Mimetic initialization, 2023)."""
    width = attention.out_proj.weight.shape[0]
    noise = lambda: torch.randn(width, width) * width**-0.5
    weight = attention.in_proj_weight
    for head in range(attention.heads):
        u, s, v = torch.linalg.svd(0.7 * noise() + 0.7 * torch.eye(width))
        root = s[:HEAD].sqrt()[:, None]
        rows = slice(head * HEAD, (head + 1) * HEAD)
        weight[:width][rows] = u.T[:HEAD] * root
        weight[width : 2 * width][rows] = v[:HEAD] * root
    u, s, v = torch.linalg.svd(0.4 * noise() - 0.4 * torch.eye(width))
    weight[2 * width :] = s.sqrt()[:, None] * v
    attention.out_proj.weight.copy_(u * s.sqrt())

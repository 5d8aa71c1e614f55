"""The text tower of gen3d-mini in the standard CLIP layout (OpenAI's parameter names): width 128,
6 blocks, causal. It projects to the 384 numbers of the sentence encoder, as the vision tower does.
"""

import torch
import torch.nn.functional as F
from torch import nn

EMBED = 384
HEAD = 64
CONTEXT = 77
VOCABULARY = 49408


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

"""The exported f16 file on the pool's validation meshes: the logit scale, and how training went.

The figures of the model card are measured by the program: `measure.py`.
"""

import json

import torch
import torch.nn.functional as F
from safetensors import safe_open

from bpe import Bpe
from text import class_vectors, tower_of
from vision import encode


class Model:
    """The exported file, back in f32."""

    def __init__(self, path):
        with safe_open(path, "pt") as file:
            self.metadata = file.metadata()
            weights = {name: file.get_tensor(name).float() for name in file.keys()}
        self.logit_scale = weights.pop("logit_scale").exp().item()
        vision = ("visual.", "pose.")
        self.vision = {k: v for k, v in weights.items() if k.startswith(vision)}
        self.text = tower_of({k: v for k, v in weights.items() if not k.startswith(vision)})
        self.templates = json.loads(self.metadata["prompt_templates"])
        self.tokenizer = Bpe()

    def classes(self, names):
        """A class = the unit mean of its unit vectors over the templates."""
        vectors = [class_vectors(self.text, self.tokenizer, names, t) for t in self.templates]
        return F.normalize(torch.stack(vectors).mean(0), dim=-1)


def calibrate(cosines, rows):
    """The factor on the cosines that makes the softmax likeliest on validation."""
    factors = torch.logspace(0.5, 2.0, 200)
    losses = [F.cross_entropy(f * cosines, rows).item() for f in factors]
    return factors[min(range(len(losses)), key=losses.__getitem__)].item()


def shares(cosines, rows):
    """Top-1 and top-5 in percent."""
    hits = (cosines.topk(5).indices == rows[:, None]).float()
    percent = lambda x: round(100 * x.mean().item(), 1)
    return dict(top1=percent(hits[:, 0]), top5=percent(hits.any(1).float()))

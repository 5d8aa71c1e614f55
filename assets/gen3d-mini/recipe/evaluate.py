"""Calibration on the pool's validation meshes and figures on the open benchmarks.

Both load the exported f16 file again, so what is measured is what ships.
"""

import json

import torch
import torch.nn.functional as F
from safetensors import safe_open

from bpe import Bpe
from model import TextTower
from text import class_vectors
from vision import encode


class Model:
    """The exported file, back in f32."""

    def __init__(self, path):
        with safe_open(path, "pt") as file:
            self.metadata = file.metadata()
            weights = {name: file.get_tensor(name).float() for name in file.keys()}
        self.logit_scale = weights.pop("logit_scale").exp().item()
        visual = "visual."
        self.vision = {k[len(visual) :]: v for k, v in weights.items() if k.startswith(visual)}
        self.text = TextTower().eval()
        self.text.load_state_dict({k: v for k, v in weights.items() if not k.startswith(visual)})
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


def figures(cosines, rows):
    """Top-1, top-5 and the mean over classes of top-1, in percent."""
    hits = cosines.topk(5).indices == rows[:, None]
    first = hits[:, 0].float()
    classes = [first[rows == c].mean() for c in rows.unique()]
    percent = lambda x: round(100 * x.item(), 1)
    return dict(
        meshes=len(rows),
        classes=len(classes),
        top1=percent(first.mean()),
        top5=percent(hits.any(1).float().mean()),
        mean_class=percent(torch.stack(classes).mean()),
    )


def confusions(cosines, rows, names, most=12):
    """The most frequent mistakes: (right, answer, count)."""
    answers = cosines.argmax(-1)
    wrong = answers != rows
    pairs = {}
    for right, answer in zip(rows[wrong].tolist(), answers[wrong].tolist()):
        pairs[right, answer] = pairs.get((right, answer), 0) + 1
    ranked = sorted(pairs.items(), key=lambda item: -item[1])[:most]
    return [(names[right], names[answer], count) for (right, answer), count in ranked]


def bench(model, views, index):
    """Figures of one benchmark set from its rendered views, and its confusions."""
    rows = torch.tensor([e["label"] for e in index["entries"]])
    cosines = encode(model.vision, views) @ model.classes(index["classes"]).T
    return figures(cosines, rows) | dict(confusions=confusions(cosines, rows, index["classes"]))

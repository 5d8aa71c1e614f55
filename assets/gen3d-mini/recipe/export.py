"""Writes both towers as one safetensors file in OpenAI's layout, f16."""

import json

import torch
from safetensors.torch import save_file

from resnet import ALPHA_MEAN, ALPHA_STD, MEAN, STD

NAME, VERSION = "gen3d-mini", "0.5.0"
TEMPLATES = ("{}",)


def export(path, vision, text, logit_scale, training):
    """`vision` (the tower and what reads the pose), `text`: state dicts; `logit_scale`: the factor, stored as its logarithm."""
    tensors = dict(vision) | dict(text)
    tensors["logit_scale"] = torch.tensor(float(logit_scale)).log()
    metadata = dict(
        format="pt",
        name=NAME,
        version=VERSION,
        architecture="Alpha-CLIP ModifiedResNet, OpenAI layout",
        activation="quickgelu",
        mean=json.dumps(MEAN),
        std=json.dumps(STD),
        alpha_mean=str(ALPHA_MEAN),
        alpha_std=str(ALPHA_STD),
        domain="shapes",
        projection="shaded",
        prompt_templates=json.dumps(TEMPLATES),
        training=json.dumps(training),
    )
    half = {name: value.to(torch.float16).contiguous() for name, value in tensors.items()}
    assert all(value.isfinite().all() for value in half.values())
    part = path.with_suffix(".part")
    save_file(half, part, metadata)
    part.replace(path)

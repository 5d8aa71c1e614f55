"""Averages the weights that several stages of one model's training ended with, which does better than
any of them (Wortsman et al., Model soups, 2022)."""

import torch

from augment import augment
from data import Replay
from optim import LOW
from resnet import BatchNorm, Tower, normalise
from vision import BATCH

STEPS = 40


def blend(parts, replay):
    """The weighted mean of [(weights, share)], its batch statistics taken anew from views."""
    tower = Tower()
    mean = {name: sum(share * weights[name] for weights, share in parts) for name in parts[0][0]}
    tower.load_state_dict(mean)
    tower.train()
    norms = [module for module in tower.modules() if isinstance(module, BatchNorm)]
    for step in range(STEPS):
        for norm in norms:
            norm.momentum = 1 / (step + 1)
        pixels, _, _ = replay.batch(BATCH)
        with torch.no_grad(), torch.autocast("cpu", LOW, enabled=LOW != torch.float32):
            tower(normalise(augment(torch.from_numpy(pixels))))
    return tower.state_dict()


def of_stages(shares, load, pool, *, renderer, meshes, seed):
    """[`blend`] of {stage: share}; `load` gives a stage's weights."""
    replay = Replay(renderer, meshes, pool.sampler(seed), seed)
    replay.take(1024)
    torch.manual_seed(seed)
    weights = blend([(load(stage), share) for stage, share in shares.items()], replay)
    replay.close()
    return weights

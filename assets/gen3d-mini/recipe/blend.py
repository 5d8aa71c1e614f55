"""Averages the weights that several stages of one model's training ended with, which does better than
any of them (Wortsman et al., Model soups, 2022)."""

import dataclasses

import torch

from augment import augment
from data import Replay
from optim import LOW
from resnet import BatchNorm, Tower, normalise
from vision import BATCH, checkpoint, seen

STEPS = 40


@dataclasses.dataclass(frozen=True)
class Blend:
    """The weighted mean of stages of one model, the last one last; a stage can go on from it.

    `permissive`, `research`: how much a mesh counts in the views that the batch statistics are taken
    from (see `Pool.sampler`), as in the stages.
    """

    name: str
    shares: dict[str, float]
    permissive: float = 2.0
    research: float = 2.0


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


def of_stages(blended, pool, *, renderer, meshes, work, seed):
    """Makes a [`Blend`] of the stages' checkpoints in `work`, or takes its own, and returns its weights
    and how many views the last stage has seen."""
    own = checkpoint(work, blended.name)
    if own.exists():
        made = torch.load(own)
        return made["average"], seen(made["state"])
    saved = [torch.load(checkpoint(work, stage)) for stage in blended.shares]
    picks = pool.sampler(seed, blended.permissive, blended.research)
    replay = Replay(renderer, meshes, picks, seed)
    replay.take(1024)
    torch.manual_seed(seed)
    parts = [part["average"] for part in saved]
    weights = blend(list(zip(parts, blended.shares.values())), replay)
    replay.close()
    state = saved[-1]["state"]
    torch.save(dict(tower=weights, average=weights, state=state, optimiser=[]), own)
    return weights, seen(state)

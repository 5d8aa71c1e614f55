"""Trains the vision tower: views of a mesh -> the vector of its label, and which way is up.

Two processes of one thread each average their gradients. The schedule goes by the clock, so a
run ends when it should on any machine.
"""

import dataclasses
import json
import os
import time
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F

from augment import augment
from data import Replay
from optim import LOW, optimisers, set_rate
from resnet import Tower, VisionTower, normalise

LOGIT_SCALE = 20.0
TEMPERATURE = 0.03
COSINE_WEIGHT = 0.5
POSE_WEIGHT = 0.3
BATCH = 96
REUSE = 5
# Seconds; a longer step means that the machine stood still, and does not count.
STOPPED = 10.0
# Place of a true up direction in the renderer's list -> row of POSES.
POSE_OF_UP = torch.tensor([0, 2, 2, 1, 2, 2])


@dataclasses.dataclass(frozen=True)
class Stage:
    """A part of training with a schedule of its own.

    `hold`: until this share of the time the rate stays at its height, then it falls to zero; 1 for a
    stage that others go on from. `start`: the stage or blend it goes on from; none starts afresh.
    `height`: of the rate, as a share of that of the first stage. `permissive`, `research`: how much a
    mesh of the pool counts (see `Pool.sampler`). `own_words`: the labels' vectors are those of the text
    tower, which users ask, and not of its teacher. `frozen`: parameters whose name holds one of these
    stay as they are.
    """

    name: str
    minutes: float
    hold: float
    start: str | None = None
    height: float = 1.0
    permissive: float = 2.0
    research: float = 2.0
    own_words: bool = False
    frozen: tuple[str, ...] = ()


def soft_targets(labels):
    """[L,L]: for each label, how much of an answer each label is."""
    return F.softmax(labels @ labels.T / TEMPERATURE, dim=-1)


def loss_of(features, rows, labels, targets):
    """Cross-entropy against the soft targets, and the cosine to the label's own vector."""
    cosines = features @ labels.T
    entropy = F.cross_entropy(LOGIT_SCALE * cosines, targets[rows])
    return entropy + COSINE_WEIGHT * (1 - cosines[torch.arange(len(rows)), rows].mean())


def train(stage, pool, labels, val, *, renderer, meshes, work, seed, processes=2):
    """Trains for the time of `stage` and returns the averaged weights and how many views they saw,
    those of the stages before among them.

    Continues from the stage's own checkpoint in `work` where there is one.
    """
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ.setdefault("MASTER_PORT", "29511")
    os.environ.update(OMP_NUM_THREADS="1", RAYON_NUM_THREADS="1")
    arguments = (processes, stage, pool, labels, val, renderer, meshes, Path(work), seed)
    mp.spawn(_worker, arguments, nprocs=processes)
    saved = torch.load(checkpoint(work, stage.name))
    return saved["average"], seen(saved["state"], processes)


def seen(state, processes=2):
    """How many views a checkpoint's weights saw, and in how many minutes."""
    minutes = (state["before"] + state["spent"]) / 60
    return dict(views=state["step"] * BATCH * processes, minutes=round(minutes, 1))


def checkpoint(work, name):
    return Path(work) / f"vision-{name}.pt"


def is_matrix(name):
    """What Muon trains. Orthogonalising the pool's three square matrices would cost as much as the
    views of a step."""
    return "layer" in name or "conv2" in name or "conv3" in name or "c_proj.weight" in name


def _worker(rank, world, stage, pool, labels, val, renderer, meshes, work, seed):
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    dist.init_process_group("gloo", rank=rank, world_size=world)
    torch.manual_seed(seed)
    tower = Tower()
    run = torch.compile(tower)
    for name, p in tower.named_parameters():
        p.requires_grad_(not any(part in name for part in stage.frozen))
    trained = [p for p in tower.parameters() if p.requires_grad]
    optimiser = optimisers(tower, is_matrix, muon_lr=0.02, adam_lr=2e-3)
    average = {k: v.clone() for k, v in tower.state_dict().items()}
    state = dict(step=0, spent=0.0, before=0.0)
    warm = 0.02
    own = checkpoint(work, stage.name)
    source = own if own.exists() else stage.start and checkpoint(work, stage.start)
    if source:
        saved = torch.load(source)
        tower.load_state_dict(saved["tower"])
        average, state = saved["average"], saved["state"]
        for o, s in zip(optimiser, saved["optimiser"]):
            o.load_state_dict(s)
            warm = 0
        if source != own:
            state.update(before=state["before"] + state["spent"], spent=0.0)
    stream_seed = seed + 1000 * rank + state["step"]
    torch.manual_seed(stream_seed)
    picks = pool.sampler(stream_seed, stage.permissive, stage.research)
    replay = Replay(renderer, meshes, picks, stream_seed)
    replay.take(256)
    targets = soft_targets(labels)
    log = open(work / "vision.log", "a", buffering=1) if rank == 0 else None
    last = saved_at = time.monotonic()
    running = 0.0

    def save():
        if rank == 0:
            part = dict(tower=tower.state_dict(), average=average, state=state)
            part["optimiser"] = [o.state_dict() for o in optimiser]
            torch.save(part, own.with_suffix(".part"))
            own.with_suffix(".part").replace(own)

    while True:
        # One clock for all: the processes must agree on the schedule.
        now = time.monotonic()
        clock = torch.tensor([min(now - last, STOPPED) / world], dtype=torch.float64)
        dist.all_reduce(clock)
        state["spent"] += clock.item()
        last = now
        progress = state["spent"] / (60 * stage.minutes)
        if progress >= 1:
            break
        rate = set_rate(optimiser, progress, stage.hold, warm, stage.height)
        replay.take(BATCH // REUSE)
        pixels, indices, ups = replay.batch(BATCH)
        rows = torch.tensor([pool.label_of[m] for m in indices])
        planes = normalise(augment(torch.from_numpy(pixels)))
        with torch.autocast("cpu", LOW, enabled=LOW != torch.float32):
            features, poses = run(planes)
        pose = F.cross_entropy(poses.float(), POSE_OF_UP[torch.from_numpy(ups)])
        loss = loss_of(features.float(), rows, labels, targets)
        (loss + POSE_WEIGHT * pose).backward()
        running += torch.tensor([loss.item(), pose.item()])
        sizes = [p.numel() for p in trained]
        gradient = torch.cat([p.grad.flatten() for p in trained]) / world
        dist.all_reduce(gradient)
        for p, g in zip(trained, gradient.split(sizes)):
            p.grad.copy_(g.view_as(p))
        for o in optimiser:
            o.step()
        tower.zero_grad(set_to_none=False)
        state["step"] += 1
        decay = min(0.996, (state["step"] + 1) / (state["step"] + 20))
        with torch.no_grad():
            for name, value in tower.state_dict().items():
                average[name].lerp_(value, 1 - decay)
        if rank == 0 and state["step"] % 50 == 0:
            line = dict(
                stage=stage.name,
                step=state["step"],
                minutes=round(state["spent"] / 60, 2),
                loss=[round(x, 4) for x in (running / 50).tolist()],
                rate=round(rate, 3),
                views=state["step"] * BATCH * world,
            )
            running = 0.0
            if state["step"] % 500 == 0:
                line["val"] = validate(average, val, labels)
            print(json.dumps(line), file=log)
        if time.monotonic() - saved_at > 90:
            save()
            saved_at = time.monotonic()
    save()
    replay.close()
    dist.destroy_process_group()


def tower_of(weights):
    """The vision tower of trained weights, to be used."""
    tower = VisionTower().eval()
    visual = "visual."
    tower.load_state_dict({k[len(visual) :]: v for k, v in weights.items() if k.startswith(visual)})
    return tower


@torch.no_grad()
def encode(weights, views, batch=64):
    """Unit mean of the unit features of each object's views: u8 [N,V,4,64,64] -> [N,384]."""
    tower = tower_of(weights)
    objects, count = views.shape[:2]
    flat = torch.from_numpy(views).flatten(0, 1)
    unit = lambda part: F.normalize(tower(normalise(part.float() / 255)), dim=-1)
    features = [unit(part) for part in flat.split(batch)]
    return F.normalize(torch.cat(features).view(objects, count, -1).mean(1), dim=-1)


def validate(weights, val, labels):
    """Top-1 and top-5 on a few validation views against all labels."""
    views, rows = val
    ranked = (encode(weights, views) @ labels.T).topk(5).indices
    hits = (ranked == rows[:, None]).float()
    return [round(100 * h.item(), 1) for h in (hits[:, 0].mean(), hits.sum(1).mean())]

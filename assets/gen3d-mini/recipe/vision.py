"""Trains the vision tower: views of a mesh -> the sentence encoder's vector of its label.

Two processes of one thread each average their gradients. The schedule goes by the clock, so a
run ends when it should on any machine.
"""

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
from model import VisionTower, normalise
from optim import LOW, optimisers, set_rate

LOGIT_SCALE = 20.0
TEMPERATURE = 0.03
COSINE_WEIGHT = 0.5
BATCH = 96
REUSE = 14
# (until this share of the run, patches looked at)
KEEP = ((0.5, 24), (0.84, 32), (1.0, 64))


def soft_targets(labels):
    """[L,L]: for each label, how much of an answer each label is."""
    return F.softmax(labels @ labels.T / TEMPERATURE, dim=-1)


def loss_of(features, rows, labels, targets):
    """Cross-entropy against the soft targets, and the cosine to the label's own vector."""
    cosines = F.normalize(features, dim=-1) @ labels.T
    entropy = F.cross_entropy(LOGIT_SCALE * cosines, targets[rows])
    return entropy + COSINE_WEIGHT * (1 - cosines[torch.arange(len(rows)), rows].mean())


def train(pool, labels, val, *, renderer, meshes, work, minutes, seed, processes=2):
    """Trains for `minutes` and returns the averaged weights and how many views they saw.

    Continues from WORK/vision.pt where there is one.
    """
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ.setdefault("MASTER_PORT", "29511")
    os.environ.update(OMP_NUM_THREADS="1", RAYON_NUM_THREADS="1")
    arguments = (processes, pool, labels, val, renderer, meshes, Path(work), minutes, seed)
    mp.spawn(_worker, arguments, nprocs=processes)
    saved = torch.load(Path(work) / "vision.pt")
    state = saved["state"]
    seen = dict(views=state["step"] * BATCH * processes, minutes=round(state["spent"] / 60, 1))
    return saved["average"], seen


def _worker(rank, world, pool, labels, val, renderer, meshes, work, minutes, seed):
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    dist.init_process_group("gloo", rank=rank, world_size=world)
    torch.manual_seed(seed)
    tower = VisionTower()
    run = torch.compile(tower)
    optimiser = optimisers(tower, muon_lr=0.02, adam_lr=2e-3)
    average = {k: v.clone() for k, v in tower.state_dict().items()}
    state = dict(step=0, spent=0.0)
    checkpoint = work / "vision.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint)
        tower.load_state_dict(saved["tower"])
        average, state = saved["average"], saved["state"]
        for o, s in zip(optimiser, saved["optimiser"]):
            o.load_state_dict(s)
    start_step = state["step"]
    stream_seed = seed + 1000 * rank + start_step
    torch.manual_seed(stream_seed)
    replay = Replay(renderer, meshes, pool.sampler(stream_seed), stream_seed)
    replay.take(256)
    targets = soft_targets(labels)
    log = open(work / "vision.log", "a", buffering=1) if rank == 0 else None
    last = saved_at = time.monotonic()
    running = 0.0

    def save():
        if rank == 0:
            part = dict(tower=tower.state_dict(), average=average, state=state)
            part["optimiser"] = [o.state_dict() for o in optimiser]
            torch.save(part, checkpoint.with_suffix(".part"))
            checkpoint.with_suffix(".part").replace(checkpoint)

    while True:
        # One clock for all: the processes must agree on the schedule.
        now = time.monotonic()
        clock = torch.tensor([(now - last) / world], dtype=torch.float64)
        dist.all_reduce(clock)
        state["spent"] += clock.item()
        last = now
        progress = state["spent"] / (60 * minutes)
        if progress >= 1:
            break
        rate = set_rate(optimiser, progress)
        keep = next(k for until, k in KEEP if progress < until)
        replay.take(BATCH // REUSE)
        pixels, indices, _ = replay.batch(BATCH)
        rows = torch.tensor([pool.label_of[m] for m in indices])
        planes, drawn = augment(torch.from_numpy(pixels))
        with torch.autocast("cpu", LOW, enabled=LOW != torch.float32):
            features = run(normalise(planes), drawn, keep)
        loss = loss_of(features.float(), rows, labels, targets)
        loss.backward()
        running += loss.item()
        gradient = torch.cat([p.grad.flatten() for p in tower.parameters()]) / world
        dist.all_reduce(gradient)
        for p, g in zip(tower.parameters(), gradient.split([p.numel() for p in tower.parameters()])):
            p.grad.copy_(g.view_as(p))
        for o in optimiser:
            o.step()
        tower.zero_grad(set_to_none=False)
        state["step"] += 1
        decay = min(0.998, (state["step"] + 1) / (state["step"] + 20))
        with torch.no_grad():
            for name, value in tower.state_dict().items():
                average[name].lerp_(value, 1 - decay)
        if rank == 0 and state["step"] % 50 == 0:
            line = dict(
                step=state["step"],
                minutes=round(state["spent"] / 60, 2),
                loss=round(running / 50, 4),
                rate=round(rate, 3),
                keep=keep,
                views=state["step"] * BATCH * world,
            )
            running = 0.0
            if state["step"] % 250 == 0:
                line["val"] = validate(average, val, labels)
            print(json.dumps(line), file=log)
        if time.monotonic() - saved_at > 90:
            save()
            saved_at = time.monotonic()
    save()
    replay.close()
    dist.destroy_process_group()


@torch.no_grad()
def encode(weights, views, batch=64):
    """Unit mean of the unit features of each object's views: u8 [N,V,4,64,64] -> [N,384]."""
    tower = VisionTower().eval()
    tower.load_state_dict(weights)
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

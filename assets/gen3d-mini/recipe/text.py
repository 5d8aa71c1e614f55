"""Distils the sentence encoder into the text tower of CLIP's layout.

The target of a noun inside any prompt is the teacher's vector of the bare noun, so that a prompt
does not move the class.
"""

import json
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from bpe import END, START
from model import TextTower
from optim import LOW, optimisers, set_rate
from words import KINDS, LABEL_SHARE, LABELS_KIND, Phrases, nouns

BATCH = 384
RELATION_SCALE = 20.0
HELD_OUT = 1000


class Corpus:
    """Words with their teacher vectors and sampling weights; some WordNet nouns are held out."""

    def __init__(self, labels, wordnet, teacher, seed):
        kinds = nouns(wordnet, seed)
        for label in labels:
            kinds[label] = LABELS_KIND
        self.words = sorted(kinds)
        kind = np.array([kinds[w] for w in self.words])
        rng = np.random.default_rng(seed)
        free = np.flatnonzero(kind != LABELS_KIND)
        self.held_out = np.sort(rng.choice(free, HELD_OUT, replace=False))
        weight = np.zeros(len(kind))
        for number, share in [(k, s) for k, (s, _) in KINDS.items()] + [(LABELS_KIND, LABEL_SHARE)]:
            chosen = kind == number
            weight[chosen] = share / max(chosen.sum(), 1)
        weight[self.held_out] = 0
        self.weight = weight / weight.sum()
        self.phrases = Phrases(self.words)
        self.vectors = teacher(self.words)

    def batch(self, rows, templates):
        return [self.phrases.ids(r, t) for r, t in zip(rows, templates)]


def unit_vectors(tower, ids, chunk=96):
    """Unit features of lists of token ids, run in chunks of like length."""
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    parts = []
    for start in range(0, len(order), chunk):
        rows = [ids[i] for i in order[start : start + chunk]]
        length = len(rows[-1])
        parts.append(tower(torch.tensor([row + [0] * (length - len(row)) for row in rows])))
    back = torch.empty(len(order), dtype=torch.long)
    back[torch.tensor(order)] = torch.arange(len(order))
    return F.normalize(torch.cat(parts), dim=-1)[back]


def relation_loss(student, teacher):
    """Cross-entropy between who is near whom, for the student and for the teacher."""
    target = F.softmax(RELATION_SCALE * teacher @ teacher.T, dim=-1)
    return F.cross_entropy(RELATION_SCALE * student @ teacher.T, target)


@torch.no_grad()
def start_from_bags(tower, corpus, iterations=25, ridge=0.3):
    """Starts the tower as a bag of words: token vectors that best add up to the teacher's vectors
    in their 128 main directions (ridge regression by conjugate gradients), attention that averages
    them, and those directions as the projection."""
    width = tower.text_projection.shape[0]
    known = np.flatnonzero(corpus.weight > 0)
    y = corpus.vectors[known]
    directions = torch.linalg.eigh(y.T @ y).eigenvectors[:, -width:]
    directions = directions @ torch.linalg.qr(torch.randn(width, width)).Q
    index, value = [], []
    for row, word in enumerate(known):
        ids = corpus.phrases.words[word]
        index += [(row, token) for token in ids]
        value += [1 / len(ids)] * len(ids)
    shape = (len(known), tower.token_embedding.num_embeddings)
    bags = torch.sparse_coo_tensor(torch.tensor(index).T, torch.tensor(value), shape).coalesce()
    back = bags.t().coalesce()
    times = lambda x: torch.sparse.mm(back, torch.sparse.mm(bags, x)) + ridge * x
    x = torch.zeros(shape[1], width)
    r = torch.sparse.mm(back, y @ directions)
    p, energy = r.clone(), r.square().sum(0)
    for _ in range(iterations):
        q = times(p)
        step = energy / (p * q).sum(0).clamp_min(1e-12)
        x += step * p
        r -= step * q
        energy, before = r.square().sum(0), energy
        p = r + energy / before.clamp_min(1e-12) * p
    seen = x.abs().sum(1) > 0
    scale = 0.4 / x[seen].square().mean().sqrt()
    tower.token_embedding.weight.copy_(torch.where(seen[:, None], x * scale, torch.randn_like(x) * 0.1))
    tower.text_projection.copy_(directions.T)
    for number, block in enumerate(tower.transformer.resblocks):
        attention = block.attn
        attention.in_proj_weight[: 2 * width] *= 0.3
        if number == 0:
            attention.in_proj_weight[2 * width :] = torch.eye(width)
            attention.out_proj.weight.copy_(torch.eye(width))
        else:
            attention.out_proj.weight *= 0.2
        block.mlp.c_proj.weight *= 0.2
        block.mlp.c_proj.bias.zero_()


def train(corpus, *, work, minutes, seed):
    """Trains for `minutes` of clock time and returns the weights and the held-out figures.

    Starts from WORK/text.pt where there is one.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    tower = TextTower()
    if (Path(work) / "text.pt").exists():
        tower.load_state_dict(torch.load(Path(work) / "text.pt"))
    else:
        start_from_bags(tower, corpus)
    optimiser = optimisers(
        tower, lambda name: "resblocks" in name, 0.01, 2e-3, skip=("token_embedding.weight",)
    )
    tokens = torch.optim.SparseAdam([tower.token_embedding.weight], lr=2e-3, betas=(0.9, 0.98))
    tokens.param_groups[0]["peak"] = 2e-3
    optimiser.append(tokens)
    templates = len(corpus.phrases.templates)
    log = open(Path(work) / "text.log", "a", buffering=1)
    print(json.dumps(dict(step=0, held_out=measure(tower, corpus))), file=log)
    begin = saved = time.monotonic()
    step = 0
    while (progress := (time.monotonic() - begin) / (60 * minutes)) < 1:
        set_rate(optimiser, progress, hold=0.2)
        rows = rng.choice(len(corpus.words), BATCH, p=corpus.weight)
        ids = corpus.batch(rows, rng.integers(templates, size=BATCH))
        with torch.autocast("cpu", LOW, enabled=LOW != torch.float32):
            student = unit_vectors(tower, ids, chunk=192).float()
        teacher = corpus.vectors[rows]
        cosine = (student * teacher).sum(-1).mean()
        loss = 3 * (1 - cosine) + relation_loss(student, teacher)
        loss.backward()
        for o in optimiser:
            o.step()
        tower.zero_grad(set_to_none=True)
        step += 1
        if step % 50 == 0:
            line = dict(step=step, minutes=round((time.monotonic() - begin) / 60, 2))
            line.update(loss=round(loss.item(), 4), cosine=round(cosine.item(), 4))
            if step % 200 == 0:
                line["held_out"] = measure(tower, corpus)
            print(json.dumps(line), file=log)
        if time.monotonic() - saved > 60:
            saved = time.monotonic()
            save(tower, work)
    print(json.dumps(dict(step=step, held_out=measure(tower, corpus))), file=log)
    save(tower, work)
    return tower.state_dict(), measure(tower, corpus) | dict(steps=step)


def save(tower, work):
    part = Path(work) / "text.part"
    torch.save(tower.state_dict(), part)
    part.replace(Path(work) / "text.pt")


@torch.no_grad()
def measure(tower, corpus):
    """On held-out nouns: mean cosine to the teacher, alone and in a prompt, and how often the
    nearest teacher vector among the held-out nouns is the noun's own."""
    rows = corpus.held_out
    teacher = corpus.vectors[rows]
    result = dict(held_out=len(rows))
    for name, template in (("plain", 0), ("prompt", 12)):
        student = unit_vectors(tower, corpus.batch(rows, [template] * len(rows)))
        result[f"cosine_{name}"] = round((student * teacher).sum(-1).mean().item(), 4)
        nearest = (student @ teacher.T).argmax(-1)
        own = (nearest == torch.arange(len(rows))).float().mean().item()
        result[f"retrieval_{name}"] = round(own, 4)
    return result


def tower_of(weights):
    """The text tower of trained weights, to be used."""
    tower = TextTower().eval()
    tower.load_state_dict(weights)
    return tower


def class_vectors(tower, tokenizer, names, template="{}"):
    """Unit text vectors of `names` inside `template`, [len(names), 384]."""
    ids = [[START, *tokenizer.encode(template.format(name)), END] for name in names]
    with torch.no_grad():
        return unit_vectors(tower, ids)

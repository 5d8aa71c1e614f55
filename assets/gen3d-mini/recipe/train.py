#!/usr/bin/env python3
"""Trains gen3d-mini from the mesh pool: words, then shapes, then calibration; with --card the figures
of the model card as well, measured by the program.

    python3 assets/gen3d-mini/recipe/train.py            # six hours of two CPU cores
    python3 assets/gen3d-mini/recipe/train.py --quick    # 10 minutes, to see that all of it runs

Two models come of it, with and without the meshes that are free for research only: both go on from a
common trunk that has not seen those.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

import pose
import text
import vision
from blend import Blend
from blend import of_stages as blend_stages
from bpe import Bpe
from data import Pool, clean_views, held_out, unpack_meshes
from evaluate import Model, calibrate, shares
from export import VERSION, export
from meaning import Meaning
from sets import load_pool, picked
from teacher import MiniLM

RECIPE = Path(__file__).resolve().parent
REPOSITORY = RECIPE.parents[2]
# model -> its file. `open` is trained on permissive licences alone, and without the kinds held out;
# `all` on everything.
MODELS = dict(all="gen3d-mini.safetensors", open="gen3d-mini-open.safetensors")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", type=Path, default=REPOSITORY / "../shared/data", help="the mesh data")
    add("--wordnet", type=Path, default="/usr/share/wordnet", help="folder of data.noun")
    add("--work", type=Path, default=REPOSITORY / "target/gen3d-mini", help="checkpoints and logs")
    add("--renderer", type=Path, help="the stream_views example; built where not given")
    add("--seed", type=int, default=1)
    add("--text-minutes", type=float, default=21)
    add("--trunk-minutes", type=float, default=33, help="at the full rate, permissive licences alone")
    add("--open-minutes", type=float, default=24, help="from there to the end, the same meshes")
    add("--all-minutes", type=float, default=32, help="from there to the end, all meshes")
    add("--again-minutes", type=float, default=34, help="the same once more, the rate up and down")
    add("--third-minutes", type=float, default=90, help="and a third time")
    add("--fourth-minutes", type=float, default=20, help="all of them from half the rate")
    add("--fifth-minutes", type=float, default=45, help="the same from the mean of three stages")
    add("--sixth-minutes", type=float, default=38, help="and from the mean of that and the last one")
    add("--seventh-minutes", type=float, default=55, help="once more, every view drawn about once")
    add("--quick", action="store_true", help="seconds of words and of each stage of shapes")
    add("--card", type=Path, help="also measure the models and write the card there")
    args = parser.parse_args()
    if args.quick:
        args.text_minutes = 0.6
        for stage in "trunk open all again third fourth fifth sixth seventh".split():
            setattr(args, f"{stage}_minutes", 0.1)
    return args


def build_renderer():
    """The views come from the program's own renderer."""
    command = ["cargo", "build", "--release", "-p", "point-clip", "--example", "stream_views"]
    subprocess.run(command, cwd=REPOSITORY, check=True)
    return REPOSITORY / "target/release/examples/stream_views"


def cached(path, make):
    """The array in `path`, made first where it is missing."""
    if not path.exists():
        np.save(path, make())
    return np.load(path)


def words(args, labels, meaning):
    """The text tower's weights and figures; trained once in a folder."""
    done = args.work / "text.json"
    if not done.exists():
        corpus = text.Corpus(labels, args.wordnet, meaning.encode, args.seed)
        options = dict(work=args.work, minutes=args.text_minutes, seed=args.seed)
        _, figures = text.train(corpus, **options)
        done.write_text(json.dumps(figures | dict(words=len(corpus.words))))
    return torch.load(args.work / "text.pt"), json.loads(done.read_text())


class Views:
    """The pool's validation meshes as the program draws them."""

    def __init__(self, pool, renderer, data, work):
        self.meshes = pool.meshes("val")
        packed = work / "data/val-views.safetensors"
        if not packed.exists():
            save_file(picked(load_pool(data), self.meshes), packed)
        self.pixels = cached(work / "val.npy", lambda: clean_views(renderer, packed))

    def of(self, pool):
        """(pixels, label rows) of those that `pool` has too."""
        chosen = [i for i, m in enumerate(self.meshes) if m in pool.label_of]
        rows = torch.tensor([pool.label_of[self.meshes[i]] for i in chosen])
        return self.pixels[chosen], rows


def parts_of(args):
    """(pool, its next stage or blend), in their order."""
    first = Blend("first-blend", dict(again=0.2, third=0.5, fourth=0.3))
    counts = dict(permissive=3.0, research=10.0)
    second = Blend("second-blend", {first.name: 0.3, "fifth": 0.7}, **counts)
    third = Blend("third-blend", {second.name: 0.5, "sixth": 0.5}, **counts)
    # Queries and keys of the pool, which chooses among five cells: what stays the same from version to
    # version the repository holds once.
    end = dict(own_words=True, frozen=("q_proj", "k_proj"), **counts)
    return (
        ("open", vision.Stage("trunk", args.trunk_minutes, 1.0)),
        ("open", vision.Stage("open", args.open_minutes, 0.2, "trunk", own_words=True)),
        ("all", vision.Stage("all", args.all_minutes, 0.3, "trunk")),
        ("all", vision.Stage("again", args.again_minutes, 0.3, "all")),
        ("all", vision.Stage("third", args.third_minutes, 0.35, "again")),
        ("all", vision.Stage("fourth", args.fourth_minutes, 0.3, "third", 0.5)),
        ("all", first),
        ("all", vision.Stage("fifth", args.fifth_minutes, 0.3, first.name, 0.5, **end)),
        ("all", second),
        ("all", vision.Stage("sixth", args.sixth_minutes, 0.3, second.name, 0.5, **end)),
        ("all", third),
        ("all", vision.Stage("seventh", args.seventh_minutes, 0.3, third.name, 0.5, **end)),
        ("all", Blend("fourth-blend", {third.name: 0.4, "seventh": 0.6}, **counts)),
    )


def shapes(args, meaning, own_vectors):
    """{model: (pool, its validation views, weights, how many views they saw)}

    `own_vectors` gives the text tower's vectors of names: the targets of the stages that end training,
    before which those of its teacher are.
    """
    renderer = args.renderer or build_renderer()
    meshes = unpack_meshes(args.data, args.work)
    pools = dict(all=Pool(args.data), open=Pool(args.data, True, held_out()))
    views = Views(pools["all"], renderer, args.data, args.work)
    options = dict(renderer=renderer, meshes=meshes, work=args.work, seed=args.seed)
    result = {}
    for name, part in parts_of(args):
        pool = pools[name]
        pixels, rows = views.of(pool)
        if isinstance(part, Blend):
            weights, figures = blend_stages(part, pool, **options)
        else:
            few = (pixels[::2, [0, 3, 7]].copy(), rows[::2])
            vectors = (own_vectors if part.own_words else meaning.encode)(pool.labels)
            weights, figures = vision.train(part, pool, vectors, few, **options)
        result[name] = (pool, (pixels, rows), weights, figures)
    for name, (pool, val, weights, figures) in result.items():
        weights = pose.train(weights, pool, renderer, meshes, args.seed)
        result[name] = (pool, val, weights, figures)
    return result


def main():
    args = arguments()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    args.work.mkdir(parents=True, exist_ok=True)
    meaning = Meaning(MiniLM(), args.wordnet)
    everything = Pool(args.data)
    text_weights, text_figures = words(args, everything.labels, meaning)
    own_vectors = lambda names: text.class_vectors(text.tower_of(text_weights), Bpe(), names)
    for name, (pool, (pixels, rows), weights, figures) in shapes(args, meaning, own_vectors).items():
        training = dict(
            version=VERSION,
            text=text_figures,
            vision=figures,
            seed=args.seed,
            psb_train=name == "all",
            meshes=len(pool.meshes("train")),
            labels=len(pool.labels),
            words=text_figures["words"],
            held_out=len(held_out()) if name == "open" else 0,
        )
        path = args.work / MODELS[name]
        export(path, weights, text_weights, vision.LOGIT_SCALE, training)
        model = Model(path)
        cosines = vision.encode(model.vision, pixels) @ model.classes(pool.labels).T
        scale = calibrate(cosines, rows)
        export(path, weights, text_weights, scale, training)
        print(json.dumps(dict(model=name, logit_scale=scale, val=shares(cosines, rows))))
    if args.card:
        measure(args)
    return 0


def measure(args):
    """The card, from what the program says of both models."""
    subprocess.run(["cargo", "build", "--release", "-p", "gen3d"], cwd=REPOSITORY, check=True)
    unseen = args.work / "unseen"
    run = lambda script, *rest: subprocess.run(
        [sys.executable, RECIPE / script, *rest, "--data", args.data], check=True
    )
    run("unseen.py", "--labels-file", RECIPE / "held_out.txt", "--out", unseen)
    reports = {}
    for name, file in MODELS.items():
        reports[name] = args.card.parent / f"reports/{name}.json"
        reports[name].parent.mkdir(exist_ok=True)
        path = args.work / file
        given = ["--model", path, "--work", args.work, "--out", reports[name]]
        if name == "open":
            given += ["--unseen", unseen.with_suffix(".json"), "--unseen-model", path]
        run("measure.py", *given)
    card = ["--report", reports["all"], "--other", reports["open"], "--out", args.card]
    run("card.py", *card)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Trains gen3d-mini from the mesh pool: words, then shapes, then calibration; with --card the figures
of the model card as well, measured by the program.

    python3 assets/gen3d-mini/recipe/train.py            # about an hour of two CPU cores
    python3 assets/gen3d-mini/recipe/train.py --quick    # 10 minutes, to see that all of it runs
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

import text
import vision
from data import Pool, clean_views, unpack_meshes
from evaluate import Model, calibrate, shares
from export import VERSION, export
from teacher import MiniLM

REPOSITORY = Path(__file__).resolve().parents[3]
MODEL = "gen3d-mini.safetensors"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", type=Path, default=REPOSITORY / "../shared/data", help="the mesh data")
    add("--wordnet", type=Path, default="/usr/share/wordnet", help="folder of data.noun")
    add("--work", type=Path, default=REPOSITORY / "target/gen3d-mini", help="checkpoints and logs")
    add("--renderer", type=Path, help="the stream_views example; built where not given")
    add("--seed", type=int, default=1)
    add("--text-minutes", type=float, default=13)
    add("--vision-minutes", type=float, default=38)
    add("--permissive-only", action="store_true", help="train without the psb-train part")
    add("--quick", action="store_true", help="1.5 and 3 minutes of training")
    add("--card", type=Path, help="also measure the model and write its card there")
    args = parser.parse_args()
    if args.quick:
        args.text_minutes, args.vision_minutes = 1.5, 3
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


def main():
    args = arguments()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    work = args.work
    work.mkdir(parents=True, exist_ok=True)
    renderer = args.renderer or build_renderer()
    pool = Pool(args.data, args.permissive_only)
    meshes = unpack_meshes(args.data, work)
    val_meshes = pool.meshes("val")
    val_rows = torch.tensor([pool.label_of[m] for m in val_meshes])
    val_views = cached(work / "val.npy", lambda: clean_views(renderer, meshes, only=val_meshes))

    encoder = MiniLM()
    labels = encoder.encode(pool.labels)
    words = text.Corpus(pool.labels, args.wordnet, encoder.encode, args.seed)
    text_weights, text_figures = text.train(
        words, work=work, minutes=args.text_minutes, seed=args.seed
    )
    few = (val_views[::2, [0, 3, 7]].copy(), val_rows[::2])
    vision_weights, vision_figures = vision.train(
        pool,
        labels,
        few,
        renderer=renderer,
        meshes=meshes,
        work=work,
        minutes=args.vision_minutes,
        seed=args.seed,
    )

    training = dict(
        version=VERSION,
        text=text_figures,
        vision=vision_figures,
        seed=args.seed,
        psb_train=not args.permissive_only,
        meshes=len(pool.meshes("train")),
        labels=len(pool.labels),
        words=len(words.words),
    )
    path = work / MODEL
    export(path, vision_weights, text_weights, vision.LOGIT_SCALE, training)
    model = Model(path)
    features = vision.encode(model.vision, val_views)
    cosines = features @ model.classes(pool.labels).T
    scale = calibrate(cosines, val_rows)
    export(path, vision_weights, text_weights, scale, training)

    print(json.dumps(dict(logit_scale=scale, val=shares(cosines, val_rows))))
    if args.card:
        recipe, report = Path(__file__).parent, work / "report.json"
        build = ["cargo", "build", "--release", "-p", "gen3d"]
        subprocess.run(build, cwd=REPOSITORY, check=True)
        data = ["--data", args.data]
        measure = [recipe / "measure.py", "--model", path, "--work", work, "--out", report, *data]
        subprocess.run([sys.executable, *measure], check=True)
        card = [recipe / "card.py", "--report", report, "--out", args.card, *data]
        subprocess.run([sys.executable, *card], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

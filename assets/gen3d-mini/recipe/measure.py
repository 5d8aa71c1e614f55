#!/usr/bin/env python3
"""Measures a model with the program itself: every figure of the model card, by its own command.

    cargo build --release
    python3 assets/gen3d-mini/recipe/measure.py --out target/report.json
    python3 assets/gen3d-mini/recipe/measure.py --model FILE --out target/report.json \\
        --unseen target/unseen.json --unseen-model FILE

The report is one JSON object: the model file, the machine, and for each figure the command and the
lines that it printed. Takes about a quarter of an hour of two CPU cores. `card.py` writes the card.
"""

import argparse
import datetime
import hashlib
import json
import os
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path

from safetensors import safe_open

from sets import load_pool, write_set

REPOSITORY = Path(__file__).resolve().parents[3]
EMBEDDED = REPOSITORY / "assets/gen3d-mini/gen3d-mini.safetensors"
EXAMPLES = REPOSITORY / "assets/examples"
SETS = ("psb_m_a", "labeled19", "scanned")
# What is done to psb_m_a, against the clean, upright, whole clouds.
SPOILED = {
    "turned": "--turned",
    "512 points": "--points 512",
    "256 points": "--points 256",
    "half missing": "--cut",
    "noise and outliers": "--noise 0.01 --outliers 0.05",
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--model", type=Path, help="a model file; by default the embedded one")
    add("--program", type=Path, default=REPOSITORY / "target/release/gen3d")
    add("--data", type=Path, default=REPOSITORY / "../shared/data", help="the mesh data")
    add("--work", type=Path, default=REPOSITORY / "target/gen3d-mini", help="for packed sets")
    add("--unseen", type=Path, help="set of held-out kinds (unseen.py)")
    add("--unseen-model", type=Path, help="a model that was trained without them")
    add("--scenes", type=int, default=150, help="scenes of each number of objects")
    add("--only", help="measure figures whose name begins so, and keep the others of the report")
    add("--out", type=Path, required=True, help="the report")
    args = parser.parse_args()
    if bool(args.unseen) != bool(args.unseen_model):
        parser.error("--unseen and --unseen-model belong together")
    return args


class Program:
    """The program with one model."""

    def __init__(self, path, model):
        self.path = path
        self.model = ["--model", str(model)] if model else []

    def run(self, *arguments, model=None):
        """(the command as a person would type it, the JSON objects it printed)"""
        chosen = ["--model", str(model)] if model else self.model
        command = [str(self.path), *map(str, arguments), *chosen]
        print(shlex.join(command), file=sys.stderr, flush=True)
        # Progress bars and complaints go to the terminal.
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise SystemExit(f"error: it ended with {done.returncode}; see above")
        shown = ["gen3d", *(shorter(a) for a in command[1:])]
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        for line in lines:
            line |= {key: shorter(line[key]) for key in ("input", "model") if key in line}
        return shlex.join(shown), lines


def shorter(argument):
    """Without the folders of this machine."""
    return Path(argument).name if os.sep in argument else argument


def validation_set(data, work):
    """The pool's split `val` as a labelled set against all its labels."""
    path = work / "data" / "val"
    if not path.with_name("val.json").exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        entries = json.loads((data / "meshes.json").read_text())
        labels = sorted({entry["label"] for entry in entries})
        val = [entry for entry in entries if entry["split"] == "val"]
        write_set(path, load_pool(data), val, labels, "Split val of the training pool.")
    return path.with_name("val.json")


def commands(args):
    """name -> (arguments, model in place of the one that is measured)"""
    bench = {name: args.data / "bench" / f"{name}.json" for name in SETS}
    plain = ["bench", "recognize", "--confusions", "12", "--per-class", "--set"]
    yield "val", ([*plain, validation_set(args.data, args.work)], None)
    for name, path in bench.items():
        yield name, ([*plain, path], None)
    for name, flags in SPOILED.items():
        spoiled = ["bench", "recognize", *flags.split(), "--set", bench["psb_m_a"]]
        yield f"psb_m_a, {name}", (spoiled, None)
    turned = ["bench", "recognize", "--turned", "--set", bench["labeled19"]]
    yield "labeled19, turned", (turned, None)
    sets = [part for path in bench.values() for part in ("--set", path)]
    yield "words", (["bench", "words", *sets], None)
    scenes = ["--scenes", args.scenes, "--set", bench["psb_m_a"]]
    yield "regions", (["bench", "regions", *scenes], None)
    if args.unseen:
        labels = args.unseen.with_name(f"{args.unseen.stem}.labels.txt")
        unseen = [*plain, args.unseen, "--labels-file", labels]
        yield "unseen", (unseen, args.unseen_model)
    examples = sorted(p for p in EXAMPLES.iterdir() if p.suffix != ".md")
    yield "examples", (["recognize", *examples, "--format", "jsonl"], None)


def one_example(program, runs=7):
    """Median seconds from start to end of the program for one file, after one run to warm up."""
    times = []
    for _ in range(runs + 1):
        begin = time.perf_counter()
        command, _ = program.run("recognize", EXAMPLES / "chair.ply", "--format", "jsonl")
        times.append(time.perf_counter() - begin)
    return command, [dict(runs=runs, seconds=statistics.median(times[1:]))]


def described(path):
    """What the report says of the model file."""
    with safe_open(path, "np") as file:
        metadata = file.metadata() or {}
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}
        scale = float(file.get_tensor("logit_scale"))
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return dict(
        bytes=len(data), sha256=digest, logit_scale=scale, metadata=metadata, shapes=shapes
    )


def main():
    args = arguments()
    program = Program(args.program, args.model)
    report = dict(model=described(args.model or EMBEDDED), figures={})
    if args.only and args.out.exists():
        old = json.loads(args.out.read_text())
        if old["model"]["sha256"] != report["model"]["sha256"]:
            raise SystemExit(f"error: {args.out}: it is of another model; measure all of it")
        report["figures"] = old["figures"]

    def keep(name, figure):
        if not args.only or name.startswith(args.only):
            command, lines = figure()
            date = datetime.date.today().isoformat()
            report["figures"][name] = dict(command=command, date=date, lines=lines)
            args.out.write_text(json.dumps(report, indent=1) + "\n")

    for name, (command, model) in commands(args):
        keep(name, lambda: program.run(*command, model=model))
    keep("one example", lambda: one_example(program))


if __name__ == "__main__":
    main()

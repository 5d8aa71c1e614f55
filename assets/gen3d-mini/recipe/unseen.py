#!/usr/bin/env python3
"""Packs kinds that a model is not to be trained on as a labelled set for `gen3d bench recognize`.

    python3 assets/gen3d-mini/recipe/unseen.py --draw 40 --seed 1 --out target/unseen
    python3 assets/gen3d-mini/recipe/unseen.py --labels 'anchor,bench' --out target/unseen
    gen3d bench recognize --set target/unseen.json --labels-file target/unseen.labels.txt --model FILE

Writes OUT.json and OUT.safetensors, the set; OUT.held-out.txt, its kinds, which training has to leave
out, the parametric shapes of the same names too; OUT.labels.txt, all labels of the pool and of the
parametric shapes, to choose among.
"""

import argparse
import json
from pathlib import Path

import numpy as np

import shapes
from sets import load_pool, write_set

REPOSITORY = Path(__file__).resolve().parents[3]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", type=Path, default=REPOSITORY / "../shared/data", help="the mesh data")
    kinds = parser.add_mutually_exclusive_group(required=True)
    kinds.add_argument("--labels", type=lambda s: s.split(","), help="kinds, by comma")
    kinds.add_argument("--labels-file", type=Path, help="kinds, one a line")
    kinds.add_argument("--draw", type=int, help="that many kinds at random")
    add("--least", type=int, default=3, help="meshes that a drawn kind has at least")
    add("--most", type=int, default=20, help="meshes taken of a kind")
    add("--seed", type=int, default=1)
    add("--out", type=Path, required=True, help="path of the set without extension")
    return parser.parse_args()


def chosen_kinds(args, by_label, rng):
    """The kinds asked for, sorted."""
    if args.draw:
        many = sorted(kind for kind, entries in by_label.items() if len(entries) >= args.least)
        return sorted(rng.choice(many, args.draw, replace=False).tolist())
    lines = args.labels or args.labels_file.read_text().split("\n")
    kinds = sorted({k.strip() for k in lines if k.strip() and not k.startswith("#")})
    if unknown := [k for k in kinds if k not in by_label]:
        raise SystemExit(f"error: the pool has no meshes of {', '.join(unknown)}; name others")
    return kinds


def main():
    args = arguments()
    rng = np.random.default_rng(args.seed)
    by_label = {}
    for entry in json.loads((args.data / "meshes.json").read_text()):
        if entry["split"] != "example":
            by_label.setdefault(entry["label"], []).append(entry)
    kinds = chosen_kinds(args, by_label, rng)
    entries = []
    for kind in kinds:
        own = by_label[kind]
        entries += [own[i] for i in sorted(rng.permutation(len(own))[: args.most])]

    args.out.parent.mkdir(parents=True, exist_ok=True)
    description = "Kinds of the training pool that a model was not trained on."
    write_set(args.out, load_pool(args.data), entries, kinds, description)
    listed = {"held-out": kinds, "labels": sorted({*by_label, *shapes.KINDS})}
    for name, lines in listed.items():
        path = args.out.with_name(f"{args.out.name}.{name}.txt")
        path.write_text("\n".join(lines) + "\n")
    print(f"{args.out}.json: {len(entries)} meshes of {len(kinds)} kinds")


if __name__ == "__main__":
    main()

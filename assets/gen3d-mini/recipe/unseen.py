#!/usr/bin/env python3
"""Packs kinds that a model was not trained on as a labelled set for `gen3d bench recognize`.

    python3 assets/gen3d-mini/recipe/unseen.py --draw 40 --seed 1 --out target/unseen
    python3 assets/gen3d-mini/recipe/unseen.py --labels 'anchor,bench' --out target/unseen
    gen3d bench recognize --set target/unseen.json --labels-file target/unseen.labels.txt --model FILE

Writes OUT.json and OUT.safetensors, the set; OUT.held-out.txt, its kinds, for training to leave out;
OUT.labels.txt, all labels of the pool and the recipe's own shapes, to choose among.
"""

import argparse
import io
import json
import tarfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save_file

import shapes
from data import unzstd

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
        # A kind whose shapes the recipe makes itself would have to lose them too.
        many = (k for k, e in by_label.items() if len(e) >= args.least and k not in shapes.KINDS)
        return sorted(rng.choice(sorted(many), args.draw, replace=False).tolist())
    kinds = args.labels or args.labels_file.read_text().split("\n")
    kinds = sorted({k.strip() for k in kinds if k.strip() and not k.startswith("#")})
    if unknown := [k for k in kinds if k not in by_label]:
        raise SystemExit(f"the pool has no meshes of {', '.join(unknown)}")
    return kinds


def packed(pool, indices):
    """The meshes `indices` of a packed set, in this order, as a packed set."""

    def rows(name):
        offsets = pool[f"{name}_offsets"]
        parts = [pool[f"{name}s"][offsets[i] : offsets[i + 1]] for i in indices]
        return np.concatenate(parts), np.cumsum([0, *map(len, parts)]).astype(np.int64)

    verts, vert_offsets = rows("vert")
    faces, face_offsets = rows("face")
    return dict(verts=verts, faces=faces, vert_offsets=vert_offsets, face_offsets=face_offsets)


def main():
    args = arguments()
    rng = np.random.default_rng(args.seed)
    by_label = {}
    for entry in json.loads((args.data / "meshes.json").read_text()):
        if entry["split"] != "example":
            by_label.setdefault(entry["label"], []).append(entry)
    kinds = chosen_kinds(args, by_label, rng)
    entries = []
    for number, kind in enumerate(kinds):
        own = by_label[kind]
        for i in sorted(rng.permutation(len(own))[: args.most]):
            keys = ("id", "source", "licence", "author", "verts", "faces")
            entries.append(
                dict(index=len(entries), label=number, up="y", pool_index=own[i]["index"])
                | {key: own[i][key] for key in keys}
            )
    with tarfile.open(fileobj=io.BytesIO(unzstd(args.data / "meshes.tar.zst"))) as archive:
        pool = load(archive.extractfile("meshes.safetensors").read())

    args.out.parent.mkdir(parents=True, exist_ok=True)
    beside = lambda ending: args.out.with_name(args.out.name + ending)
    save_file(packed(pool, [e["pool_index"] for e in entries]), beside(".safetensors"))
    index = dict(
        name=args.out.name,
        description="kinds of the training pool that a model was not trained on",
        classes=kinds,
        entries=entries,
    )
    beside(".json").write_text(json.dumps(index, indent=1) + "\n")
    beside(".held-out.txt").write_text("\n".join(kinds) + "\n")
    beside(".labels.txt").write_text("\n".join(sorted({*by_label, *shapes.KINDS})) + "\n")
    print(f"{len(entries)} meshes of {len(kinds)} kinds in {beside('.json')}")


if __name__ == "__main__":
    main()

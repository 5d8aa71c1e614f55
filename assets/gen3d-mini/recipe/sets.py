"""Labelled sets in the form that `gen3d bench` reads, picked from the mesh pool."""

import io
import json
import tarfile

import numpy as np
from safetensors.numpy import load, save_file

from data import unzstd

KEPT = ("id", "source", "licence", "author", "verts", "faces")


def load_pool(data):
    """DATA/meshes.tar.zst as arrays: all meshes, one after another."""
    with tarfile.open(fileobj=io.BytesIO(unzstd(data / "meshes.tar.zst"))) as archive:
        return load(archive.extractfile("meshes.safetensors").read())


def write_set(path, pool, entries, classes, description):
    """The pool's `entries` as PATH.json and PATH.safetensors; a class is a label."""
    rows = [entry["index"] for entry in entries]
    save_file(picked(pool, rows), path.with_name(path.name + ".safetensors"))
    number = {label: i for i, label in enumerate(classes)}
    listed = [
        dict(index=i, label=number[entry["label"]], up="y") | {key: entry[key] for key in KEPT}
        for i, entry in enumerate(entries)
    ]
    index = dict(name=path.name, description=description, classes=classes, entries=listed)
    path.with_name(path.name + ".json").write_text(json.dumps(index, indent=1) + "\n")


def picked(pool, rows):
    """The meshes `rows` of a packed set, in this order, as a packed set."""

    def parts(name):
        offsets = pool[f"{name}_offsets"]
        own = [pool[f"{name}s"][offsets[i] : offsets[i + 1]] for i in rows]
        return np.concatenate(own), np.cumsum([0, *map(len, own)]).astype(np.int64)

    verts, vert_offsets = parts("vert")
    faces, face_offsets = parts("face")
    return dict(verts=verts, faces=faces, vert_offsets=vert_offsets, face_offsets=face_offsets)

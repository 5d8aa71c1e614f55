"""The mesh pool, its labels, and views of its meshes as the program itself draws them."""

import collections
import io
import json
import queue
import struct
import subprocess
import tarfile
import threading
from pathlib import Path

import numpy as np
import zstandard
from safetensors.numpy import load, save_file

import shapes

SIZE = 64
PLANES = 4
SHAPES_SEED = 1
GENERATED = "parametric shapes of this recipe"
RESEARCH = "psb-train"


def held_out():
    """The kinds that the open model is not trained on."""
    lines = Path(__file__).with_name("held_out.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


class Pool:
    """The labelled meshes of DATA/meshes.json and the parametric shapes, by split; without the kinds
    that are held out."""

    def __init__(self, data, permissive_only=False, held_out=()):
        entries = json.loads((Path(data) / "meshes.json").read_text())
        for label in (label for label, n in generated_counts(entries).items() for _ in range(n)):
            entry = dict(index=len(entries), label=label, split="train", source=GENERATED)
            entries.append(entry | dict(licence="CC0-1.0", author="gen3d"))
        if permissive_only:
            entries = [e for e in entries if not e["licence"].startswith("research")]
        entries = [e for e in entries if e["label"] not in held_out]
        self.entries = entries
        self.labels = sorted({e["label"] for e in entries})
        self.number = {label: i for i, label in enumerate(self.labels)}
        self.label_of = {e["index"]: self.number[e["label"]] for e in entries}

    def meshes(self, split):
        return [e["index"] for e in self.entries if e["split"] == split]

    def sampler(self, seed, permissive=2.0, research=2.0):
        """Endless indices of training meshes; a label of n meshes has the weight sqrt(n), where one
        of the pool counts as much as `permissive` parametric ones, or `research` by its licence."""
        rng = np.random.default_rng(seed)
        train = [e for e in self.entries if e["split"] == "train"]
        meshes = np.array([e["index"] for e in train])
        labels = np.array([self.number[e["label"]] for e in train])
        counts = {GENERATED: 1.0, RESEARCH: research}
        count = np.array([counts.get(e["source"], permissive) for e in train])
        weight = count * np.bincount(labels, count)[labels] ** -0.5
        while True:
            yield from rng.choice(meshes, 1024, p=weight / weight.sum())


def generated_counts(entries):
    """How many parametric shapes of each kind stand beside the pool's entries."""
    return shapes.variants(collections.Counter(e["label"] for e in entries if e["split"] == "train"))


def unpack_meshes(data, work):
    """DATA/meshes.tar.zst and the parametric shapes -> WORK/data/meshes.safetensors."""
    target = Path(work) / "data" / "meshes.safetensors"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        raw = unzstd(Path(data) / "meshes.tar.zst")
        with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
            pool = load(archive.extractfile("meshes.safetensors").read())
        entries = json.loads((Path(data) / "meshes.json").read_text())
        save_file(with_generated(pool, generated_counts(entries)), target)
    return target


def with_generated(pool, counts):
    """A packed set (see the renderer) with the parametric shapes behind its meshes."""
    verts, faces = [pool["verts"]], [pool["faces"]]
    vert_offsets, face_offsets = pool["vert_offsets"].tolist(), pool["face_offsets"].tolist()
    for _, vertices, triangles in shapes.generate(SHAPES_SEED, counts):
        verts.append(np.round((vertices + 1) * 32767.5).clip(0, 65535).astype(np.uint16))
        faces.append(triangles.astype(np.uint16))
        vert_offsets.append(vert_offsets[-1] + len(vertices))
        face_offsets.append(face_offsets[-1] + len(triangles))
    return dict(
        verts=np.concatenate(verts),
        faces=np.concatenate(faces),
        vert_offsets=np.array(vert_offsets),
        face_offsets=np.array(face_offsets),
    )


def unzstd(path):
    with open(path, "rb") as source:
        return zstandard.ZstdDecompressor().stream_reader(source).read()


def records(source, views):
    """Reads (mesh index, its true up, u8 [views,4,64,64]) from the renderer's stream until it ends;
    an up of 0 means that the mesh stands upright in its views."""
    size = views * PLANES * SIZE * SIZE
    while len(head := source.read(8)) == 8:
        body = source.read(size)
        if len(body) < size:
            raise EOFError("the renderer stopped in the middle of a record")
        pixels = np.frombuffer(body, np.uint8).reshape(views, PLANES, SIZE, SIZE)
        yield *struct.unpack("<II", head), pixels


def clean_views(renderer, meshes, views=10, points=4096):
    """The program's default views of every mesh of a set: u8 [N,views,4,64,64]."""
    command = [renderer, "bench", meshes, "--views", str(views), "--points", str(points)]
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE) as process:
        result = [pixels for _, _, pixels in records(process.stdout, views)]
    if process.returncode:
        raise RuntimeError(f"{command} failed")
    return np.stack(result)


class Replay:
    """Fresh views from a renderer process, each drawn from a few times before it leaves."""

    def __init__(self, renderer, meshes, picks, seed, views=4, capacity=2048):
        self.views = views
        self.pixels = np.empty((capacity, views, PLANES, SIZE, SIZE), np.uint8)
        self.meshes = np.zeros(capacity, np.int64)
        self.ups = np.zeros(capacity, np.int64)
        self.filled = self.next = 0
        self.rng = np.random.default_rng(seed)
        command = [renderer, "train", meshes, "-", "--views", views, "--seed", seed]
        self.process = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=1 << 20,
        )
        self.queue = queue.Queue(64)
        threading.Thread(target=self._feed, args=(picks,), daemon=True).start()
        threading.Thread(target=self._read, daemon=True).start()

    def _feed(self, picks):
        try:
            for pick in picks:
                self.process.stdin.write(struct.pack("<I", pick))
        except (BrokenPipeError, ValueError):
            pass

    def _read(self):
        try:
            for record in records(self.process.stdout, self.views):
                self.queue.put(record)
        except EOFError:
            # Closed, or it failed: then `take` waits in vain and says so.
            pass

    def take(self, count):
        """Replaces the `count` oldest records with fresh ones."""
        for _ in range(count):
            at = self.next
            self.meshes[at], self.ups[at], self.pixels[at] = self.queue.get(timeout=120)
            self.next = (self.next + 1) % len(self.meshes)
            self.filled = min(self.filled + 1, len(self.meshes))

    def batch(self, count):
        """`count` views of different records: (u8 [count,4,64,64], mesh indices, true ups)."""
        rows = self.rng.choice(self.filled, count, replace=False)
        columns = self.rng.integers(self.views, size=count)
        return self.pixels[rows, columns], self.meshes[rows], self.ups[rows]

    def close(self):
        self.process.kill()

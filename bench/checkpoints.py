"""Loads ViT-L/14 files of true size with gen3d and with Python, and prints one table.

    pip install torch transformers open_clip_torch safetensors
    cargo build --release -p checkpoint --example load_weights
    python bench/checkpoints.py --folder DIR

The files hold random weights, written by transformers, by open_clip and by torch.save (5.1 GB; they
stay in DIR). Every reader runs in a process of its own, on a file in the page cache;
the least of five runs counts. Loaded means that every tensor is in memory of its own, in the
type that was asked for. The time is without the start of the interpreter and its imports; peak
memory is that of the whole process, with the mapped pages of the file; for Python the memory after
the imports stands beside it.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from readers import peak_memory, processor

REPEATS = 5
MAKE = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "make.py"


def files(folder):
    """Name and path of each file, written where it is missing."""
    transformers = folder / "transformers" / "model.safetensors"
    open_clip = folder / "open_clip" / "open_clip_model.safetensors"
    saved = folder / "torch" / "open_clip.pt"
    if not (transformers.exists() and open_clip.exists()):
        subprocess.run([sys.executable, MAKE, "large", folder], check=True)
    if not saved.exists():
        import torch
        from safetensors.torch import load_file

        saved.parent.mkdir(exist_ok=True)
        torch.save(load_file(open_clip), saved)
    return [
        ("transformers, safetensors", transformers),
        ("open_clip, safetensors", open_clip),
        ("open_clip, torch.save", saved),
    ]


def load(path, dtype):
    """Runs in the child process."""
    import torch
    from safetensors.torch import load_file

    before = peak_memory()
    dtype = {"f32": torch.float32, "f16": torch.float16}[dtype]
    started = time.perf_counter()
    if path.endswith(".pt"):
        mapped = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
    else:
        mapped = load_file(path)
    # One after the other, so that a mapped tensor can go when its copy is there.
    tensors = {}
    while mapped:
        name, tensor = mapped.popitem()
        tensors[name] = tensor.to(dtype, copy=True)
    seconds = time.perf_counter() - started
    size = sum(t.numel() * t.element_size() for t in tensors.values())
    print(
        json.dumps(
            {"bytes": size, "seconds": seconds, "peak_bytes": peak_memory(), "before": before}
        )
    )


def run(command, threads):
    names = ("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    limit = dict.fromkeys(names, str(threads))
    cores = ",".join(str(core) for core in sorted(os.sched_getaffinity(0))[:threads])
    command = ["taskset", "-c", cores, *map(str, command)]
    done = subprocess.run(command, env=os.environ | limit, check=True, capture_output=True)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where the files are or shall be (default: for this run)")
    parser.add_argument("--gen3d", default="target/release/examples/load_weights")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--child", nargs=2, metavar=("FILE", "DTYPE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return load(*options.child)

    print(f"{date.today()}, {processor()}, {options.threads} core(s), Python {platform.python_version()}\n")
    print("| file | MB | as | reader | seconds | peak memory, MB | tensors alone, MB |")
    print("|---|--:|---|---|--:|--:|--:|")
    with tempfile.TemporaryDirectory(prefix="checkpoints-") as temporary:
        for name, path in files(options.folder or Path(temporary)):
            with path.open("rb") as file:
                while file.read(1 << 24):
                    pass
            for dtype in ("f32", "f16"):
                commands = {
                    "gen3d": [options.gen3d, path, dtype],
                    "Python": [sys.executable, __file__, "--child", path, dtype],
                }
                runs = {reader: [] for reader in commands}
                # In turn, so that all of them see the same moods of the machine.
                for _ in range(REPEATS):
                    for reader, command in commands.items():
                        runs[reader].append(run(command, options.threads))
                for reader, results in runs.items():
                    result = min(results, key=lambda one: one["seconds"])
                    peak = f"{result['peak_bytes'] / 1e6:.0f}"
                    if "before" in result:
                        peak += f" ({result['before'] / 1e6:.0f} of it before)"
                    print(
                        f"| {name} | {path.stat().st_size / 1e6:.0f} | {dtype} | {reader} "
                        f"| {result['seconds']:.2f} | {peak} | {result['bytes'] / 1e6:.0f} |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()

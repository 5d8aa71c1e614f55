"""Reads the same PLY files with gen3d, plyfile and trimesh, and prints one table.

    pip install numpy plyfile trimesh
    cargo build --release -p point-clip --example load_shape
    python bench/readers.py

Every reader runs in a process of its own, on one core, on a file in the page cache; the least of
five times counts. Peak memory is that of the whole process, its interpreter included.
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

REPEATS = 5


def vertex_header(count, encoding, full):
    lines = ["ply", f"format {encoding} 1.0", f"element vertex {count}"]
    lines += [f"property float {name}" for name in "xyz"]
    if full:
        lines += [f"property float n{name}" for name in "xyz"]
        lines += [f"property uchar {name}" for name in ("red", "green", "blue")]
    return lines


def write_files(folder, count):
    """Points on a sphere: bare, with normals and colours, as text, and as a mesh."""
    import numpy as np

    rng = np.random.default_rng(0)
    unit = rng.normal(size=(count, 3)).astype("<f4")
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    full = np.empty(count, [("p", "<f4", 3), ("n", "<f4", 3), ("c", "u1", 3)])
    full["p"], full["n"], full["c"] = unit, unit, (unit * 127 + 128).astype("u1")
    binary = "binary_little_endian"

    def write(name, lines, *bodies):
        path = folder / name
        with path.open("wb") as file:
            file.write(("\n".join([*lines, "end_header"]) + "\n").encode())
            for body in bodies:
                file.write(body)
        return path

    faces = np.empty(count // 2, [("n", "u1"), ("i", "<i4", 3)])
    faces["n"], faces["i"] = 3, rng.integers(0, count // 4, (count // 2, 3))
    text = "\n".join("%.6f %.6f %.6f" % tuple(row) for row in unit[: count // 10]) + "\n"
    mesh = vertex_header(count // 4, binary, False)
    mesh += [f"element face {count // 2}", "property list uchar int vertex_indices"]
    return [
        (f"{count:,} points, binary", write("points.ply", vertex_header(count, binary, False), unit.tobytes())),
        (
            f"{count:,} points with normals and colours, binary",
            write("full.ply", vertex_header(count, binary, True), full.tobytes()),
        ),
        (
            f"{count // 10:,} points, ascii",
            write("text.ply", vertex_header(count // 10, "ascii", False), text.encode()),
        ),
        (
            f"{count // 4:,} vertices, {count // 2:,} triangles, binary",
            write("mesh.ply", mesh, unit[: count // 4].tobytes(), faces.tobytes()),
        ),
    ]


def read_plyfile(path):
    """What a caller does to have coordinates, attributes and triangles as arrays."""
    import numpy as np
    from plyfile import PlyData

    data = PlyData.read(path, known_list_len={"face": {"vertex_indices": 3}})
    vertex = data["vertex"].data
    arrays = [np.stack([vertex[name] for name in "xyz"], axis=1)]
    if "nx" in vertex.dtype.names:
        arrays.append(np.stack([vertex["n" + name] for name in "xyz"], axis=1))
        arrays.append(np.stack([vertex[name] for name in ("red", "green", "blue")], axis=1))
    if "face" in data:
        arrays.append(np.array(data["face"].data["vertex_indices"]))
    return arrays


def read_trimesh(path):
    import trimesh

    # Without `process` it does not merge vertices, which the others do not do either.
    return trimesh.load(path, process=False)


def measure(reader, path):
    """Runs in the child process."""
    read = {"plyfile": read_plyfile, "trimesh": read_trimesh}[reader]
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        shape = read(path)
        times.append(time.perf_counter() - start)
        del shape
    print(json.dumps({"min_s": min(times), "peak_bytes": peak_memory()}))


def peak_memory():
    """Of this program; what `getrusage` tells includes the parent's before the start."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def run(command):
    one_thread = {"RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    pin = ["taskset", "-c", "0"] if platform.system() == "Linux" else []
    done = subprocess.run(pin + command, env=os.environ | one_thread, check=True, capture_output=True)
    return json.loads(done.stdout)


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=10_000_000)
    parser.add_argument(
        "--gen3d",
        default="target/release/examples/load_shape",
        help="command that reads a file and prints a line of JSON, such as 'gen3d bench load'",
    )
    parser.add_argument("--child", nargs=2, metavar=("READER", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return measure(*options.child)

    print(f"{date.today()}, {processor()}, one core, Python {platform.python_version()}\n")
    print("| file | MB | reader | seconds | MB/s | peak memory, MB |")
    print("|---|--:|---|--:|--:|--:|")
    with tempfile.TemporaryDirectory(prefix="readers-") as folder:
        for name, path in write_files(Path(folder), options.points):
            size = path.stat().st_size
            path.read_bytes()
            for reader in ("gen3d", "plyfile", "trimesh"):
                if reader == "gen3d":
                    result = run([*options.gen3d.split(), str(path)])
                else:
                    result = run([sys.executable, __file__, "--child", reader, str(path)])
                seconds, peak = result["min_s"], result["peak_bytes"]
                print(
                    f"| {name} | {size / 1e6:.0f} | {reader} | {seconds:.3f} "
                    f"| {size / seconds / 1e6:.0f} | {peak / 1e6:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()

"""gen3d beside PyTorch, ONNX Runtime, candle and diffusers on one CPU: prints one table of ratios.

    pip install torch open_clip_torch onnx onnxruntime onnxscript diffusers transformers accelerate numpy safetensors
    cargo build --release -p gen3d
    (cd bench/candle && cargo build --release)
    python bench/peers.py --folder DIR             # DIR keeps the generated weights, 6 GB
    python bench/peers.py --folder DIR --quick     # 5 minutes on an idle machine of two cores
    python bench/peers.py --folder DIR --only encode,text

What is measured:
- encode: the image towers of ViT-B/16 and ViT-L/14 at 224 x 224, batches of 1 and 10;
- text: the text tower of ViT-B/16 on 40 class prompts, tokenizer included;
- diffusion: a step of Stable Diffusion 1.5's UNet at 64 x 64 latents for 1 and 2 items, and its VAE
  decoding to 512 x 512, by diffusion.py;
- recognize: clouds of 2,000 points to class scores through PointCLIP V2's ten views and ViT-B/16, on
  one thread, beside the published computation in PyTorch;
- project: one cloud to the ten 224 x 224 views of PointCLIP V2, on one thread, beside the same.

How: every program runs in a process of its own with the same number of threads, the same random
weights and the same inputs; a process calls once for nothing, then some times, and its median
counts. The programs take turns, round after round, so that what else the machine does meets all of
them; the median over the rounds is printed. Before each round PyTorch, NumPy and gen3d multiply two large
square matrices in f32: the fastest such product is the machine's peak, of which each tower's share is
printed (image towers only: of texts gen3d leaves out the positions after the last token, which change
nothing). A cosine is the least one between a program's features and those of PyTorch in f32; who is
below 0.999 computes something else and does not count. A ratio is gen3d's time over the other
program's: below 1 gen3d is faster. On a machine that is not idle
--threads 1 is fair to all: programs whose threads wait for one another suffer most from others.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import diffusion
import towers
from readers import processor

HERE = Path(__file__).resolve().parent
PARTS = ("encode", "text", "diffusion", "recognize", "project")
# Instructions that decide how fast products are.
FLAGS = (
    "avx2", "fma", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "amx_int8",
)  # fmt: skip
COSINE = 0.999
# Side of the product that shows the peak.
PEAK_SIDE = 2048
POINTS = 2000
CLASSES = (
    "airplane bathtub bed bench bookshelf bottle bowl car chair cone cup curtain desk door dresser "
    "flower_pot glass_box guitar keyboard lamp laptop mantel monitor night_stand person piano plant "
    "radio range_hood sink sofa stairs stool table tent toilet tv_stand vase wardrobe xbox"
).split()
TEXTS = [f"a photo of a {name.replace('_', ' ')}." for name in CLASSES]


class Task:
    """One thing that several programs do: a process for each, and what these measured."""

    def __init__(self, commands, names, threads, flops=None, features=None):
        # Program to command; the sizes that one process measures, with their titles.
        self.commands, self.names, self.threads = commands, names, threads
        # Operations of each size, to tell shares of the peak.
        self.flops = flops or {}
        # Folder for the features of the last size.
        self.features = features
        self.seconds = {}

    def round(self):
        for program, command in self.commands.items():
            command = [str(part) for part in command]
            if self.features:
                command += self.feature_option(program)
            for line in run(command, self.threads):
                size = line.get("batch", line.get("points"))
                # Recognition in bulk tells the seconds of all clouds.
                seconds = line["seconds"] / line.get("meshes", 1)
                self.seconds.setdefault((size, program), []).append(seconds)

    def feature_option(self, program):
        path = self.features / f"{program}.safetensors"
        return [str(path)] if program.startswith("candle") else ["--features", str(path)]

    def cosines(self):
        """Least cosine of each program's features with those of PyTorch in f32."""
        if not self.features:
            return {}
        import torch
        from safetensors.torch import load_file

        def rows(program):
            features = load_file(self.features / f"{program}.safetensors")["features"]
            return torch.nn.functional.normalize(features.double(), dim=1)

        expected = rows("PyTorch f32")
        return {program: (rows(program) * expected).sum(1).min().item() for program in self.commands}

    def results(self, peak):
        """A dictionary for each size and program."""
        cosines = self.cosines()
        for size, title in self.names.items():
            medians = {p: statistics.median(self.seconds[size, p]) for p in self.commands}
            for program, seconds in medians.items():
                cosine = cosines.get(program)
                share = self.flops.get(size, 0) / seconds / (peak * 1e9) or None
                counts = cosine is None or cosine >= COSINE
                yield result(title, program, self.threads, seconds, medians, cosine, share, counts)


def result(title, program, threads, seconds, medians, cosine=None, share=None, counts=True):
    ratios = {
        ours: medians[ours] / seconds
        for ours in ("gen3d", "gen3d auto")
        if ours in medians and counts and not program.startswith("gen3d")
    }
    return {
        "task": title,
        "program": program,
        "threads": threads,
        "seconds": seconds,
        "cosine": cosine,
        "share_of_peak": share,
        "counts": counts,
        "ratios": ratios,
    }


def run(command, threads):
    """The JSON objects that a program prints, one a line."""
    names = ("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    limit = dict.fromkeys(names, str(threads))
    ran = subprocess.run(command, env=os.environ | limit, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if ran.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{ran.stderr[-2000:]}")
    return [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]


def python(task, *options):
    return [sys.executable, HERE / "towers.py", task, *options]


def tower_task(args, arch, what, batches, temporary):
    """An image or text tower on some sizes of a batch."""
    folder = args.folder / arch
    listed, last = ",".join(map(str, batches)), f"--runs={args.runs}"
    kind = {"image": "encode", "text": "text"}[what]
    given = ["--pixels", folder / "pixels.safetensors"] if what == "image" else ["--texts", folder / "texts.txt"]
    ours = [args.program, "bench", kind, "--model", folder / towers.WEIGHTS, *given]
    ours += ["--batch", listed, last, "--threads", args.threads, "--device=cpu"]
    common = ["--what", what, "--arch", arch, "--folder", args.folder, "--batch", listed, last]
    common += ["--threads", args.threads]

    def peer(library, dtype):
        return python("tower", "--library", library, "--dtype", dtype, *common)

    commands = {
        "gen3d": [*ours, "--dtype", "f32"],
        "gen3d auto": [*ours, "--dtype", "auto"],
        "PyTorch f32": peer("torch", "f32"),
        "PyTorch bf16": peer("torch", "bf16"),
        "ONNX Runtime f32": peer("onnx", "f32"),
        "ONNX Runtime int8": peer("onnx", "int8"),
    }
    if what == "image" and args.candle.exists():
        commands["candle f32"] = [args.candle, folder, arch, listed, args.runs]
    title = {"image": f"{arch}, {{}} pictures", "text": f"{arch}, {{}} texts"}[what]
    features = temporary / f"{arch}-{what}"
    features.mkdir()
    return Task(
        commands,
        {batch: title.format(batch).replace(" 1 pictures", " 1 picture") for batch in batches},
        args.threads,
        # Of texts not all programs compute the positions after the last token.
        {batch: batch * towers.flops(arch) for batch in batches} if what == "image" else None,
        features,
    )


def projection_task(args):
    sizes = (2_000, 100_000)
    listed, runs = ",".join(map(str, sizes)), f"--runs={5 * args.runs}"
    commands = {
        "gen3d": [args.program, "bench", "project", "--projection=v2", "--points", listed, runs, "--threads=1"],
        "PyTorch f32": python("project", "--batch", listed, runs, "--threads=1"),
    }
    return Task(commands, {n: f"ten views of {n:,} points" for n in sizes}, 1)


def recognition_task(args, temporary):
    index = temporary / "set.json"
    write_set(index, args.runs)
    weights = args.folder / "ViT-B-16" / towers.WEIGHTS
    ours = [args.program, "bench", "recognize", "--set", index, "--model", weights, "--points", POINTS]
    ours += ["--projection=v2", "--focus=none", "--threads=1", "--device=cpu", "--quiet"]
    shared = [f"--batch={POINTS}", f"--runs={args.runs}", "--threads=1", "--folder", args.folder]
    commands = {
        "gen3d": [*ours, "--dtype=f32"],
        "gen3d auto": [*ours, "--dtype=auto"],
        "PyTorch f32": python("recognize", *shared),
    }
    return Task(commands, {POINTS: f"recognition of a cloud of {POINTS:,} points"}, 1)


def write_set(index, count):
    """A packed set of so many bumpy balls, for `gen3d bench recognize`."""
    import torch
    from safetensors.torch import save_file

    round_, across = 48, 24
    turn = torch.arange(round_).repeat_interleave(across) * (2 * torch.pi / round_)
    height = (torch.arange(across).repeat(round_) + 0.5) * (torch.pi / across)
    verts, faces = [], []
    for ball in range(count):
        radius = 0.7 + 0.3 * ((3 + ball) * turn).sin() * height.sin()
        ball = torch.stack([radius * height.sin() * turn.cos(), height.cos(), radius * height.sin() * turn.sin()], 1)
        verts.append(((ball + 1) / 2 * 65535).to(torch.uint16))
        column = torch.arange(round_)[:, None] * across + torch.arange(across - 1)
        beside = (torch.arange(round_)[:, None] + 1) % round_ * across + torch.arange(across - 1)
        triangles = [(column, beside, beside + 1), (column, beside + 1, column + 1)]
        faces += [torch.stack(t, 2).reshape(-1, 3).to(torch.uint16) for t in triangles]
    offsets = torch.arange(count + 1)
    save_file(
        {
            "vert_offsets": offsets * len(verts[0]),
            "face_offsets": offsets * 2 * len(faces[0]),
            "verts": torch.cat(verts),
            "faces": torch.cat(faces),
        },
        index.with_suffix(".safetensors"),
    )
    entries = [{"index": i, "label": i % len(CLASSES), "up": "y"} for i in range(count)]
    names = [name.replace("_", " ") for name in CLASSES]
    index.write_text(json.dumps({"name": "balls", "classes": names, "entries": entries}))


def diffusion_results(args):
    """UNet and VAE, as diffusion.py measures them: the least of the rounds."""
    sizes = argparse.Namespace(
        program=args.program, arch="sd1", latents=64, runs=args.runs, rounds=args.rounds, threads=args.threads
    )
    titles = {
        ("unet", 1): "UNet of SD 1.5, one step, batch 1",
        ("unet", 2): "UNet of SD 1.5, one step, batch 2",
        ("vae", 1): "VAE of SD 1.5 to 512 x 512",
    }
    variants = {
        "gen3d": ("gen3d", "f32"),
        "gen3d auto": ("gen3d", "auto"),
        "PyTorch f32": ("diffusers", "f32"),
        "PyTorch bf16": ("diffusers", "bf16"),
    }
    for what, batches in (("unet", (1, 2)), ("vae", (1,))):
        best = diffusion.compare(what, batches, variants, sizes)
        for batch in batches:
            medians = {name: best[batch, name][0] for name in variants}
            for program, seconds in medians.items():
                yield result(titles[what, batch], program, args.threads, seconds, medians)


def measure_peak(args):
    """Billions of operations a second of a large product, by library."""
    command = python("peak", f"--batch={PEAK_SIDE}", "--runs=5", f"--threads={args.threads}")
    peaks = {line["library"]: line["gflops"] for line in run([str(part) for part in command], args.threads)}
    ours = [args.program, "bench", "gemm", "--dtype=f32", f"--side={PEAK_SIDE}", "--runs=20", "--device=cpu"]
    for line in run([*map(str, ours), f"--threads={args.threads}"], args.threads):
        peaks["gen3d"] = line["gflops"]
    return peaks


def machine(args):
    told = Path("/proc/cpuinfo").read_text().split("flags", 1)[-1].split("\n", 1)[0].split()
    return {
        "date": datetime.now().astimezone().isoformat(timespec="minutes"),
        "cpu": processor(),
        "cores": os.cpu_count(),
        "flags": [flag for flag in FLAGS if flag in told],
        "threads": args.threads,
        "rounds": args.rounds,
        "runs": args.runs,
        "load_before": os.getloadavg()[0],
    }


def table(results):
    print("| task | threads | program | milliseconds | gen3d f32 over it | gen3d auto over it | cosine | of the f32 peak |")
    print("|---|--:|---|--:|--:|--:|--:|--:|")
    for one in results:
        def ratio(ours):
            told = one["ratios"].get(ours)
            return "" if told is None else f"{told:.2f}"

        cosine = "" if one["cosine"] is None else f"{one['cosine']:.6f}"
        share = "" if one["share_of_peak"] is None else f"{one['share_of_peak']:.0%}"
        print(
            f"| {one['task']} | {one['threads']} | {one['program']} | {1e3 * one['seconds']:.1f} "
            f"| {ratio('gen3d')} | {ratio('gen3d auto')} | {cosine} | {share} |"
        )


def parts(text):
    asked = text.split(",")
    for part in asked:
        if part not in PARTS:
            raise argparse.ArgumentTypeError(f"unknown part '{part}'; give some of {', '.join(PARTS)}")
    return asked


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="where the generated weights are or shall be")
    parser.add_argument("--only", type=parts, default=PARTS, metavar="PART,…", help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--rounds", type=int, default=5, help="processes of each program")
    parser.add_argument("--runs", type=int, default=5, help="calls in a process")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--quick", action="store_true", help="2 rounds of 1 call; of the towers ViT-B/16 alone, no diffusion")
    parser.add_argument("--program", type=Path, default=HERE.parent / "target" / "release" / "gen3d")
    parser.add_argument("--candle", type=Path, default=HERE / "candle" / "target" / "release" / "candle-clip")
    parser.add_argument("--json", type=Path, help="also write the results here")
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.runs = 2, 1
        args.only = [part for part in args.only if part != "diffusion"]

    with tempfile.TemporaryDirectory(prefix="peers-") as temporary:
        temporary = Path(temporary)
        tasks, archs = [], ["ViT-B-16"] if args.quick else list(towers.CONFIGS)
        needed = archs if "encode" in args.only else ["ViT-B-16"]
        (temporary / "texts.txt").write_text("\n".join(TEXTS))
        for arch in needed if {"encode", "text", "recognize"} & set(args.only) else []:
            options = ["--arch", arch, "--folder", args.folder, "--texts", temporary / "texts.txt"]
            run([str(part) for part in python("write", *options)], args.threads)
        if "encode" in args.only:
            tasks += [tower_task(args, arch, "image", (1, 10), temporary) for arch in archs]
            if not args.candle.exists():
                print(f"candle is left out: there is no {args.candle}", file=sys.stderr)
        if "text" in args.only:
            tasks.append(tower_task(args, "ViT-B-16", "text", (len(TEXTS),), temporary))
        if "recognize" in args.only:
            tasks.append(recognition_task(args, temporary))
        if "project" in args.only:
            tasks.append(projection_task(args))
        told = machine(args)
        peaks = {}
        for _ in range(args.rounds):
            for library, gflops in measure_peak(args).items():
                peaks[library] = max(gflops, peaks.get(library, 0))
            for task in tasks:
                task.round()
        results = [one for task in tasks for one in task.results(max(peaks.values()))]
        if "diffusion" in args.only:
            results += diffusion_results(args)
    told |= {"load_after": os.getloadavg()[0], "peak_gflops_f32": peaks}
    products = ", ".join(f"{gflops:.0f} GFLOP/s by {library}" for library, gflops in peaks.items())
    print(
        f"{told['date']}, {told['cpu']}, {told['cores']} cores ({' '.join(told['flags'])}); {args.rounds} rounds, "
        f"calls a process {args.runs}; load {told['load_before']:.1f} before and {told['load_after']:.1f} after; f32 product of "
        f"{PEAK_SIDE} squared on {args.threads} thread(s): {products} at its best.\n"
    )
    table(results)
    if args.json:
        args.json.write_text(json.dumps({"machine": told, "results": results}, indent=1))


if __name__ == "__main__":
    main()

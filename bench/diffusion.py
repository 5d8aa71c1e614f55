"""Times the UNet and the VAE of Stable Diffusion 1.x in gen3d and in diffusers, and prints one table.

    pip install torch diffusers transformers accelerate
    cargo build --release -p gen3d
    python bench/diffusion.py

Both have random weights of true size, in f32 and in bf16 (--types) on the CPU, with as many threads
as there are cores. They take turns, each in a process of its own: what else the machine does meets
both. A process loads, calls once for nothing, then some times; its median counts, and of the rounds
the least. Peak memory is that of the whole process, for Python with interpreter and libraries.

--arch small and --latents 8 try the script itself in seconds.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

from readers import processor

ROOT = Path(__file__).resolve().parent.parent
UNET = {
    "sd1": {"block_out_channels": (320, 640, 1280, 1280), "norm_num_groups": 32},
    "small": {"block_out_channels": (32, 64, 64, 64), "norm_num_groups": 8},
}
VAE = {
    "sd1": {"block_out_channels": (128, 256, 512, 512), "norm_num_groups": 32},
    "small": {"block_out_channels": (16, 32, 32, 32), "norm_num_groups": 8},
}


def memory(field):
    """A line of this process's status in MiB; Linux only."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) // 1024
    return None


def unet(arch, side):
    """A call on a batch."""
    import torch
    from diffusers import UNet2DConditionModel

    model = UNet2DConditionModel(
        sample_size=64, cross_attention_dim=768, attention_head_dim=8, **UNET[arch]
    ).eval()

    def call(batch):
        latents, context = torch.randn(batch, 4, side, side), torch.randn(batch, 1, 768)
        return lambda: model(latents, 501, context).sample

    return call


def vae(arch, side):
    """A decoding of a batch."""
    import torch
    from diffusers import AutoencoderKL

    blocks = len(VAE[arch]["block_out_channels"])
    model = AutoencoderKL(
        latent_channels=4,
        layers_per_block=2,
        down_block_types=("DownEncoderBlock2D",) * blocks,
        up_block_types=("UpDecoderBlock2D",) * blocks,
        **VAE[arch],
    ).eval()

    def call(batch):
        latents = torch.randn(batch, 4, side, side) / model.config.scaling_factor
        return lambda: model.decode(latents).sample

    return call


def measure_diffusers(what, dtype, arch, side, batches, runs, threads):
    """Runs in the child process: one JSON object a line, as `gen3d bench` prints them."""
    import torch

    torch.set_num_threads(threads)
    torch.set_default_dtype({"f32": torch.float32, "bf16": torch.bfloat16}[dtype])
    torch.manual_seed(1)
    make = {"unet": unet, "vae": vae}[what](arch, side)
    loaded = memory("VmRSS:")
    for batch in batches:
        call, times = make(batch), []
        with torch.inference_mode():
            for run in range(runs + 1):
                began = time.perf_counter()
                call()
                if run:
                    times.append(time.perf_counter() - began)
        line = {
            "batch": batch,
            "seconds": statistics.median(times),
            "loaded_mib": loaded,
            "peak_mib": memory("VmHWM:"),
        }
        print(json.dumps(line), flush=True)


def lines(command):
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in ran.stdout.splitlines()]


def compare(what, batches, variants, args):
    """For each batch and variant, which is a name for a program and a type: the least seconds and the
    highest peak."""
    shared = [f"--arch={args.arch}", f"--latents={args.latents}", f"--runs={args.runs}"]
    shared += [f"--threads={args.threads}", f"--batch={','.join(map(str, batches))}"]
    programs = {
        "gen3d": [args.program, "bench", what, "--device=cpu"],
        "diffusers": [sys.executable, __file__, f"--child={what}"],
    }
    best = {}
    for _ in range(args.rounds):
        for name, (program, dtype) in variants.items():
            for line in lines([*programs[program], f"--dtype={dtype}", *shared]):
                key = (line["batch"], name)
                seconds, loaded, peak = best.get(key, (float("inf"), 0, 0))
                best[key] = (
                    min(seconds, line["seconds"]),
                    max(loaded, line["loaded_mib"] or 0),
                    max(peak, line["peak_mib"] or 0),
                )
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=ROOT / "target" / "release" / "gen3d", type=Path)
    parser.add_argument("--arch", choices=UNET, default="sd1")
    parser.add_argument("--latents", type=int, default=64)
    parser.add_argument("--runs", type=int, default=3, help="calls in a process")
    parser.add_argument("--rounds", type=int, default=3, help="processes of each")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--types", default="f32,bf16", help="f32, bf16 or both")
    parser.add_argument("--child", choices=("unet", "vae"), help=argparse.SUPPRESS)
    parser.add_argument("--dtype", choices=("f32", "bf16"), default="f32", help=argparse.SUPPRESS)
    parser.add_argument("--batch", default="1", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        batches = [int(batch) for batch in args.batch.split(",")]
        sizes = (args.arch, args.latents, batches, args.runs, args.threads)
        measure_diffusers(args.child, args.dtype, *sizes)
        return
    types = args.types.split(",")
    variants = {f"{p} {t}": (p, t) for t in types for p in ("gen3d", "diffusers")}

    from importlib.metadata import version

    print(
        f"{date.today()}, {processor()}, {args.threads} threads, Python "
        f"{platform.python_version()}, torch {version('torch')}, diffusers {version('diffusers')}\n"
    )
    print("| what | | seconds | peak memory, MiB | of it the weights, at rest, MiB |")
    print("|---|---|--:|--:|--:|")
    pixels = 8 * args.latents
    for what, batches in (("unet", (1, 2)), ("vae", (1,))):
        best = compare(what, batches, variants, args)
        for batch in batches:
            title = {
                "unet": f"UNet, one step, {args.latents}×{args.latents} latents, batch {batch}",
                "vae": f"VAE, decoding to {pixels}×{pixels}",
            }[what]
            for name in variants:
                seconds, loaded, peak = best[batch, name]
                print(f"| {title} | {name} | {seconds:.3f} | {peak} | {loaded} |", flush=True)
            for dtype in types:
                ours, theirs = best[batch, f"gen3d {dtype}"], best[batch, f"diffusers {dtype}"]
                time_ratio, peak_ratio = ours[0] / theirs[0], ours[2] / max(theirs[2], 1)
                print(f"| {title} | ratio {dtype} | {time_ratio:.2f} | {peak_ratio:.2f} | |", flush=True)


if __name__ == "__main__":
    main()

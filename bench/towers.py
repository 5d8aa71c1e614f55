"""The towers of CLIP in PyTorch (open_clip) and ONNX Runtime: what `peers.py` runs beside gen3d, each
in a process of its own. Prints one JSON object a line, as `gen3d bench` does.

Also writes the models: random weights of true size in the forms that gen3d, open_clip, candle and
ONNX Runtime load.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

SEED = 20261128
PICTURES = 10
# The shapes of OpenAI's CLIPs, with their activation.
CONFIGS = {
    "ViT-B-16": {
        "embed_dim": 512,
        "quick_gelu": True,
        "vision_cfg": {"image_size": 224, "layers": 12, "width": 768, "patch_size": 16},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 512, "heads": 8, "layers": 12},
    },
    "ViT-L-14": {
        "embed_dim": 768,
        "quick_gelu": True,
        "vision_cfg": {"image_size": 224, "layers": 24, "width": 1024, "patch_size": 14},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 768, "heads": 12, "layers": 12},
    },
}
WEIGHTS = "open_clip_model.safetensors"


def flops(arch):
    """Floating-point operations of the products of one picture."""
    config = CONFIGS[arch]
    tower = config["vision_cfg"]
    width, layers = tower["width"], tower["layers"]
    patches = (tower["image_size"] // tower["patch_size"]) ** 2
    tokens = patches + 1
    blocks = layers * (12 * tokens * width**2 + 2 * tokens**2 * width)
    patching = patches * 3 * tower["patch_size"] ** 2 * width
    return 2 * (blocks + patching + width * config["embed_dim"])


def build(arch):
    """The model without weights of its own."""
    from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg

    config = CONFIGS[arch]
    model = CLIP(
        config["embed_dim"],
        CLIPVisionCfg(**config["vision_cfg"]),
        CLIPTextCfg(**config["text_cfg"]),
        quick_gelu=config["quick_gelu"],
    )
    return model.eval()


def spread(model):
    """Random values of the sizes that CLIP starts its training with, biases and norms included."""
    import torch

    gen = torch.Generator().manual_seed(SEED)
    layers = {"visual": model.visual.transformer.layers, "transformer": model.transformer.layers}
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() > 1:
                size = p[0].numel() ** -0.5
                if name.endswith(("out_proj.weight", "c_proj.weight")):
                    size *= (2 * layers[name.split(".")[0]]) ** -0.5
                p.normal_(0, size, generator=gen)
            elif name.endswith("weight"):
                p.normal_(1, 0.1, generator=gen)
            elif p.dim() == 1:
                p.normal_(0, 0.02, generator=gen)


def for_candle(state):
    """The vision tower under the names of transformers, which candle's CLIP reads."""
    block_names = {
        "ln_1": "layer_norm1", "ln_2": "layer_norm2", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2",
        "attn.out_proj": "self_attn.out_proj",
    }  # fmt: skip
    outer = {
        "class_embedding": "embeddings.class_embedding",
        "positional_embedding": "embeddings.position_embedding.weight",
        "conv1.weight": "embeddings.patch_embedding.weight",
        # Its name in transformers is misspelt.
        "ln_pre.weight": "pre_layrnorm.weight",
        "ln_pre.bias": "pre_layrnorm.bias",
        "ln_post.weight": "post_layernorm.weight",
        "ln_post.bias": "post_layernorm.bias",
    }
    named = {"visual_projection.weight": state["visual.proj"].T}
    for name, tensor in state.items():
        if not name.startswith("visual.") or name == "visual.proj":
            continue
        name = name.removeprefix("visual.")
        if name in outer:
            named["vision_model." + outer[name]] = tensor
            continue
        layer, rest = name.removeprefix("transformer.resblocks.").split(".", 1)
        place = f"vision_model.encoder.layers.{layer}."
        if rest.startswith("attn.in_proj_"):
            kind = rest.removeprefix("attn.in_proj_")
            for part, rows in zip("qkv", tensor.chunk(3)):
                named[f"{place}self_attn.{part}_proj.{kind}"] = rows
        else:
            module, kind = rest.rsplit(".", 1)
            named[f"{place}{block_names[module]}.{kind}"] = tensor
    return {name: tensor.clone().contiguous() for name, tensor in named.items()}


def text_module(model):
    """The text tower alone, as a module that can be exported."""
    import torch

    class Text(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, ids):
            return self.model.encode_text(ids)

    return Text().eval()


def export(module, example, path, name):
    """ONNX in f32 for any batch, and its dynamic quantisation to int8."""
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with torch.inference_mode():
        torch.onnx.export(
            module,
            (example,),
            path / f"{name}.onnx",
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=1024)},),
            verbose=False,
        )
    quantize_dynamic(
        path / f"{name}.onnx",
        path / f"{name}-int8.onnx",
        weight_type=QuantType.QInt8,
        per_channel=True,
    )


def write(folder, arch, texts):
    """Everything that the programs load, where it is not there yet."""
    import torch
    from safetensors.torch import save_file

    path = folder / arch
    done = path / "complete"
    if done.exists():
        return
    path.mkdir(parents=True, exist_ok=True)
    model = build(arch)
    spread(model)
    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(state, path / WEIGHTS, metadata={"format": "pt"})
    (path / "open_clip_config.json").write_text(json.dumps({"model_cfg": CONFIGS[arch], "preprocess_cfg": {}}))
    save_file(for_candle(state), path / "vision.safetensors")
    pixels = torch.randn(PICTURES, 3, 224, 224, generator=torch.Generator().manual_seed(SEED + 1))
    save_file({"pixels": pixels}, path / "pixels.safetensors")
    (path / "texts.txt").write_text("".join(text + "\n" for text in texts))
    export(model.visual, pixels[:2], path, "image")
    if arch == "ViT-B-16":
        export(text_module(model), tokens(texts[:2]), path, "text")
    done.touch()


def tokens(texts):
    import open_clip

    return open_clip.tokenizer.tokenize(texts)


def loaded(folder, arch):
    """The model with its weights."""
    from safetensors.torch import load_file

    model = build(arch)
    model.load_state_dict(load_file(folder / arch / WEIGHTS))
    return model


def torch_tower(args):
    """A call that takes pictures, or texts, to features."""
    import torch

    torch.set_num_threads(args.threads)
    dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[args.dtype]
    model = loaded(args.folder, args.arch).to(dtype)
    if args.what == "image":
        return lambda pixels: model.encode_image(pixels.to(dtype)).float().numpy()
    return lambda texts: model.encode_text(tokens(texts)).float().numpy()


def onnx_tower(args):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = args.threads
    name = args.what + ("-int8" if args.dtype == "int8" else "")
    path = args.folder / args.arch / f"{name}.onnx"
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    if args.what == "image":
        return lambda pixels: session.run(None, {given.name: pixels.numpy()})[0]
    return lambda texts: session.run(None, {given.name: tokens(texts).numpy()})[0]


def median(call, runs):
    """The median seconds of some calls after one for nothing, and what the last one gave."""
    times = []
    for run in range(runs + 1):
        began = time.perf_counter()
        result = call()
        if run:
            times.append(time.perf_counter() - began)
    return statistics.median(times), result


def measure_tower(args):
    import torch
    from safetensors.torch import load_file, save_file

    tower = {"torch": torch_tower, "onnx": onnx_tower}[args.library](args)
    path = args.folder / args.arch
    if args.what == "image":
        all_inputs = load_file(path / "pixels.safetensors")["pixels"]
    else:
        all_inputs = (path / "texts.txt").read_text().splitlines()
    with torch.inference_mode():
        for batch in args.batch:
            inputs = all_inputs[:batch]
            seconds, features = median(lambda: tower(inputs), args.runs)
            print(json.dumps({"batch": batch, "seconds": seconds}), flush=True)
    if args.features:
        save_file({"features": torch.from_numpy(features).contiguous()}, args.features)


def ring(count):
    """A bumpy ring of points [N, 3], y up, as `gen3d bench project` draws it."""
    import torch

    turn = torch.rand(2, count, generator=torch.Generator().manual_seed(SEED)) * 2 * torch.pi
    along, across = turn
    thickness = 0.3 + 0.08 * (5 * along).sin()
    radius = 1 + thickness * across.cos()
    return torch.stack([radius * along.cos(), thickness * across.sin(), radius * along.sin()], 1)


def measure_projection(args):
    """From points as a file has them to the input of the vision tower."""
    import torch
    from pointclip import Projection, unit_sphere

    torch.set_num_threads(args.threads)
    projection = Projection()
    with torch.inference_mode():
        for count in args.batch:
            points = ring(count)
            seconds, _ = median(lambda: projection.input(unit_sphere(points)), args.runs)
            print(json.dumps({"points": count, "seconds": seconds}), flush=True)


def measure_recognition(args):
    """Seconds a cloud from points to class scores; the class features are there."""
    import torch
    from pointclip import Projection, unit_sphere

    torch.set_num_threads(args.threads)
    model, projection = loaded(args.folder, args.arch), Projection()
    classes = torch.nn.functional.normalize(torch.randn(40, CONFIGS[args.arch]["embed_dim"]), dim=1)
    (count,) = args.batch

    def recognise():
        views = projection.input(unit_sphere(ring(count)))
        features = torch.nn.functional.normalize(model.encode_image(views), dim=1)
        return (features @ classes.T).mean(0).argmax()

    with torch.inference_mode():
        seconds, _ = median(recognise, args.runs)
    print(json.dumps({"points": count, "seconds": seconds}), flush=True)


def measure_peak(args):
    """Billions of operations a second of a large square product in f32."""
    import torch

    torch.set_num_threads(args.threads)
    (side,) = args.batch
    a, b = (torch.randn(side, side) for _ in range(2))
    # NumPy's product is OpenBLAS's; on some processors PyTorch's MKL is far from the peak.
    for library, (a, b) in {"PyTorch": (a, b), "NumPy": (a.numpy(), b.numpy())}.items():
        seconds, _ = median(lambda: a @ b, args.runs)
        print(json.dumps({"library": library, "seconds": seconds, "gflops": 2 * side**3 / seconds / 1e9}))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=("tower", "project", "recognize", "peak", "write"))
    parser.add_argument("--library", choices=("torch", "onnx"), default="torch")
    parser.add_argument("--what", choices=("image", "text"), default="image")
    parser.add_argument("--arch", choices=CONFIGS, default="ViT-B-16")
    parser.add_argument("--dtype", choices=("f32", "bf16", "int8"), default="f32")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--batch", type=lambda s: [int(n) for n in s.split(",")], default=[1])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--features", type=Path)
    parser.add_argument("--texts", type=Path)
    args = parser.parse_args()
    if args.task == "write":
        write(args.folder, args.arch, args.texts.read_text().splitlines())
        return
    {
        "tower": measure_tower,
        "project": measure_projection,
        "recognize": measure_recognition,
        "peak": measure_peak,
    }[args.task](args)


if __name__ == "__main__":
    main()

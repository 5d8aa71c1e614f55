"""Writes the seeds of the corpus from the fixtures of PyTorch files.

    python fuzz/seeds.py
"""

import json
import pickletools
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TORCH = HERE.parent / "tests" / "fixtures" / "torch"


def put(target, name, data):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed_{name}").write_bytes(data)


for name in ["zip.pt", "deflated.pt", "script.pt", "module.pt", "legacy.pt", "nested.ckpt"]:
    put("archive", name, (TORCH / name).read_bytes())
for name in ["zip.pt", "protocol4.pt", "script.pt", "module.pt", "newer_types.pt", "nested.ckpt"]:
    with zipfile.ZipFile(TORCH / name) as archive:
        entry = next(n for n in archive.namelist() if n.endswith("/data.pkl"))
        put("pickle", name, archive.read(entry))
for name, program in {
    "system": b"\x80\x02cos\nsystem\n(X\x02\0\0\0lstR.",
    "claim": b"\x80\x02X\xff\xff\xff\xffabcdefghijklmnopqrstuvw",
    "knot": b"\x80\x02}q\0X\x01\0\0\0ah\0sX\x01\0\0\0bh\0s.",
    "parameter": pickletools.optimize(
        b"\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_parameter\n(ctorch._utils\n_rebuild_tensor_v2\n("
        b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x10tQK\0K\x04\x85K\x01\x85\x89}tR\x89}tRs."
    ),
}.items():
    put("pickle", name, program)
for name, header in {
    "plain": {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}},
    "clip": {
        "module.visual.conv1.weight": {"dtype": "F16", "shape": [1, 3, 1, 1], "data_offsets": [0, 6]},
        "module.positional_embedding": {"dtype": "F16", "shape": [1], "data_offsets": [6, 8]},
        "__metadata__": {"config": "{}"},
    },
    "lora": {
        "conv1.weight": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},
        "transformer.resblocks.0.ln_1.weight": {"dtype": "U8", "shape": [1], "data_offsets": [1, 2]},
        "a.weight": {"dtype": "F8_E4M3", "shape": [2, 1], "data_offsets": [2, 4]},
        "a.lora_A": {"dtype": "F8_E5M2", "shape": [1, 1], "data_offsets": [4, 5]},
        "a.lora_B": {"dtype": "I8", "shape": [2, 1], "data_offsets": [5, 7]},
    },
    "hugging_face": {
        "vision_model.embeddings.class_embedding": {"dtype": "I16", "shape": [1], "data_offsets": [0, 2]},
        **{
            f"vision_model.encoder.layers.0.self_attn.{p}_proj.bias": {
                "dtype": "BF16", "shape": [1], "data_offsets": [2 + 2 * i, 4 + 2 * i]
            }
            for i, p in enumerate("qkv")
        },
        "visual_projection.weight": {"dtype": "U64", "shape": [1, 1], "data_offsets": [8, 16]},
    },
    "overlap": {
        "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
        "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]},
    },
}.items():
    end = max(t["data_offsets"][1] for k, t in header.items() if k != "__metadata__")
    put("safetensors", name, json.dumps(header).encode() + bytes(range(1, end + 1)))
for name, text in {
    "plain": '{"metadata": {"total_size": 8}, "weight_map": {"a": "m-1.bin", "b": "m-2.bin"}}',
    "parent": '{"weight_map": {"a": "../secret"}}',
    "absolute": '{"weight_map": {"a": "/etc/passwd"}}',
    "number": '{"weight_map": {"a": 1}}',
    "deep": "[" * 300,
    "name": "openai/ViT-L-14",
}.items():
    put("json", name, text.encode())

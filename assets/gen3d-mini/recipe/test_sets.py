"""Checks of the sets and the card: python3 -m unittest, in this folder."""

import json
import tempfile
import unittest
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from card import count, table, vision_tower
from sets import write_set


def pool_of_three():
    """Three triangles, of which the second has a vertex more."""
    verts = np.arange(30, dtype=np.uint16).reshape(10, 3)
    faces = np.array([[0, 1, 2], [0, 1, 2], [1, 2, 3], [0, 2, 1]], np.uint16)
    return dict(
        verts=verts,
        faces=faces,
        vert_offsets=np.array([0, 3, 7, 10]),
        face_offsets=np.array([0, 1, 3, 4]),
    )


class Sets(unittest.TestCase):
    def test_meshes_and_labels_stay_together(self):
        entries = [
            dict(index=i, id=f"m{i}", label=label, source="", licence="", author="", verts=0, faces=0)
            for i, label in ((2, "cup"), (1, "axe"))
        ]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "few"
            write_set(path, pool_of_three(), entries, ["axe", "cup"], "two")
            index = json.loads(path.with_name("few.json").read_text())
            packed = load_file(path.with_name("few.safetensors"))
        self.assertEqual([(e["id"], e["label"]) for e in index["entries"]], [("m2", 1), ("m1", 0)])
        self.assertEqual(packed["vert_offsets"].tolist(), [0, 3, 7])
        self.assertEqual(packed["face_offsets"].tolist(), [0, 1, 3])
        self.assertEqual(packed["verts"][0].tolist(), [21, 22, 23])
        self.assertEqual(packed["faces"].tolist(), [[0, 2, 1], [0, 1, 2], [1, 2, 3]])


class Card(unittest.TestCase):
    def test_towers_are_read_from_their_tensors(self):
        shapes = {
            "visual.class_embedding": [128],
            "visual.conv1.weight": [128, 3, 8, 8],
            "visual.positional_embedding": [65, 128],
            "visual.transformer.resblocks.0.ln_1.weight": [128],
            "visual.transformer.resblocks.1.ln_1.weight": [128],
        }
        tower = vision_tower(shapes)
        self.assertEqual(tower, "ViT, 64x64 pixels, patch 8, width 128, 2 heads, 2 blocks")
        self.assertEqual(count(shapes, "visual.transformer.resblocks."), 2)

    def test_numbers_stand_on_the_right(self):
        self.assertEqual(table(["set", "n"], [["a", 1]]), "| set | n |\n| --- | --: |\n| a | 1 |")


if __name__ == "__main__":
    unittest.main()

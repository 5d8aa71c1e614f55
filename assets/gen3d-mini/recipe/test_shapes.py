"""Checks of the parametric shapes: python3 -m unittest, in this folder."""

import unittest

import numpy as np

import shapes

VARIANTS = 6
MOST_TRIANGLES = 3500


class Shapes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = {label: [] for label in shapes.KINDS}
        for label, *mesh in shapes.generate(3, dict.fromkeys(shapes.KINDS, VARIANTS)):
            cls.made[label].append(mesh)

    def test_meshes_are_sound(self):
        for label, meshes in self.made.items():
            for vertices, triangles in meshes:
                with self.subTest(label):
                    self.assertTrue(np.isfinite(vertices).all())
                    self.assertAlmostEqual(np.abs(vertices).max(), 1)
                    self.assertTrue(0 <= triangles.min() and triangles.max() < len(vertices))
                    self.assertLess(len(triangles), MOST_TRIANGLES)
                    a, b, c = (vertices[triangles[:, i]] for i in range(3))
                    self.assertGreater(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum(), 0.02)

    def test_variants_differ(self):
        for label, meshes in self.made.items():
            looks = {tuple(np.round([*np.abs(v).mean(0), *v.std(0), len(t)], 4)) for v, t in meshes}
            self.assertEqual(len(looks), VARIANTS, label)

    def test_a_seed_fixes_a_kind_whatever_else_is_made(self):
        label = next(iter(shapes.KINDS))
        alone = dict.fromkeys(shapes.KINDS, 0) | {label: 1}
        (_, vertices, _), = shapes.generate(3, alone)
        np.testing.assert_array_equal(vertices, self.made[label][0][0])


if __name__ == "__main__":
    unittest.main()

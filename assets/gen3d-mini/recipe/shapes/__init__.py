"""Parametric shapes of kinds that the mesh pool lacks or has too few of, many variants each.

A module holds a theme and its `KINDS`: label -> function. Every function takes a random generator `r`
and returns parts; +y is up, +z forward.
"""

import zlib

import numpy as np

from shapes import (
    aircraft,
    bathroom,
    birds,
    buildings,
    clothing,
    crawlers,
    cycles,
    electronics,
    food,
    furniture,
    heads,
    household,
    instruments,
    lamps,
    mechanical,
    people,
    plants,
    quadrupeds,
    street,
    structures,
    tableware,
    tools,
    toys,
    vehicles,
    vessels,
    water_animals,
    weapons,
)
from solids import merge

THEMES = (
    aircraft,
    bathroom,
    birds,
    buildings,
    clothing,
    crawlers,
    cycles,
    electronics,
    food,
    furniture,
    heads,
    household,
    instruments,
    lamps,
    mechanical,
    people,
    plants,
    quadrupeds,
    street,
    structures,
    tableware,
    tools,
    toys,
    vehicles,
    vessels,
    water_animals,
    weapons,
)
KINDS = {label: make for theme in THEMES for label, make in theme.KINDS.items()}
MOST, FEWEST = 36, 10
# What has the shape of a commoner kind and another colour; seen without it, it is the commoner one.
COLOURED = ("zebra",)
# What comes in more forms than other kinds: with a handle or a trailer, and without.
MANIFOLD = dict(cup=80, truck=100)


def variants(meshes):
    """How many variants of each kind to make where the pool has `meshes[label]` of its own."""
    most = lambda label: FEWEST if label in COLOURED else MANIFOLD.get(label, MOST)
    return {label: max(FEWEST, most(label) - meshes.get(label, 0)) for label in KINDS}


def generate(seed, counts):
    """Yields (label, vertices in -1..1, triangles), `counts[label]` of each kind in its order.

    Every kind has a random stream of its own, so that a further kind changes no other.
    """
    for label, make in KINDS.items():
        rng = np.random.default_rng([seed, zlib.crc32(label.encode())])
        for _ in range(counts[label]):
            vertices, triangles = merge(make(rng))
            low, high = vertices.min(0), vertices.max(0)
            vertices = (vertices - (low + high) / 2) / ((high - low).max() / 2)
            yield label, vertices, triangles

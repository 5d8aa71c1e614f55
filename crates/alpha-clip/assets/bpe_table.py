"""Writes bpe_merges.bin, CLIP's merges as a table that needs no set-up: python bpe_table.py [FILE]

FILE is bpe_simple_vocab_16e6.txt.gz; without it, the copy inside the installed package
open_clip_torch is read (pip install --no-deps open_clip_torch).

The vocabulary lists CLIP's merges in rank order as pairs of strings. The table has one record of
three little-endian u16 a merge, sorted: left id, right id, rank. The merged symbol is 512 + rank.
"""

import gzip
import importlib.util
import pathlib
import struct
import sys

MERGES = 49152 - 256 - 2
NAME = "bpe_simple_vocab_16e6.txt.gz"

if len(sys.argv) > 1:
    vocabulary = sys.argv[1]
else:
    (package,) = importlib.util.find_spec("open_clip").submodule_search_locations
    vocabulary = pathlib.Path(package) / NAME

lines = gzip.open(vocabulary, "rt", encoding="utf-8").read().split("\n")
pairs = [line.split() for line in lines[1 : MERGES + 1]]

printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
others = [b for b in range(256) if b not in printable]
symbols = [chr(b) for b in printable] + [chr(256 + i) for i in range(len(others))]
symbols += [s + "</w>" for s in symbols]
symbols += ["".join(pair) for pair in pairs]
ids = {symbol: i for i, symbol in enumerate(symbols)}
assert len(ids) == len(symbols) == 49406

records = sorted((ids[left], ids[right], rank) for rank, (left, right) in enumerate(pairs))
table = b"".join(struct.pack("<3H", *record) for record in records)
(pathlib.Path(__file__).parent / "bpe_merges.bin").write_bytes(table)

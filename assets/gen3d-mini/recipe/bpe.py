"""CLIP's byte-pair encoding for plain lower-case phrases; the merges come with open_clip_torch."""

import gzip
from importlib.util import find_spec
from pathlib import Path

import regex

START, END = 49406, 49407
WORD = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+")


class Bpe:
    def __init__(self):
        # The package's folder is looked up, not imported: its towers are not needed.
        folder = Path(find_spec("open_clip").origin).parent
        lines = gzip.open(folder / "bpe_simple_vocab_16e6.txt.gz").read().decode().split("\n")
        merges = [tuple(line.split()) for line in lines[1 : 49152 - 256 - 2 + 1]]
        plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
        odd = [b for b in range(256) if b not in plain]
        self.symbol = {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(odd)}
        symbols = [self.symbol[b] for b in plain + odd]
        tokens = symbols + [s + "</w>" for s in symbols] + ["".join(m) for m in merges]
        self.id = {token: i for i, token in enumerate(tokens)}
        self.rank = {merge: i for i, merge in enumerate(merges)}

    def encode(self, text):
        """Token ids of `text` without start and end."""
        return [i for word in WORD.findall(text.lower()) for i in self._word(word)]

    def _word(self, word):
        parts = [self.symbol[b] for b in word.encode()]
        parts[-1] += "</w>"
        while len(parts) > 1:
            pairs = list(zip(parts, parts[1:]))
            best = min(pairs, key=lambda pair: self.rank.get(pair, len(self.rank)))
            if best not in self.rank:
                break
            merged, i = [], 0
            while i < len(parts):
                if tuple(parts[i : i + 2]) == best:
                    merged.append(parts[i] + parts[i + 1])
                    i += 2
                else:
                    merged.append(parts[i])
                    i += 1
            parts = merged
        return [self.id[part] for part in parts]

"""The words that the text tower learns: WordNet's nouns, weighted towards things one can hold,
and the labels of the mesh pool, alone and inside prompts."""

import random
from pathlib import Path

from bpe import END, START, Bpe

# Lexicographer file of a noun: (share of the samples, most lemmas taken).
KINDS = {
    6: (0.42, 20000),  # artifact
    5: (0.15, 5000),  # animal
    13: (0.09, 4000),  # food
    20: (0.06, 3000),  # plant
    8: (0.04, 1500),  # body
    17: (0.04, 1500),  # object
    18: (0.05, 2500),  # person
    27: (0.02, 1000),  # substance
    25: (0.01, 500),  # shape
    14: (0.01, 500),  # group
    15: (0.01, 500),  # location
}
LABEL_SHARE = 0.10
LABELS_KIND = -1

TEMPLATES = (
    "{}",
    "{}",
    "{}",
    "{}",
    "a {}",
    "a {}.",
    "the {}",
    "a photo of a {}.",
    "a photo of the {}.",
    "a picture of a {}",
    "a rendering of a {}.",
    "a render of a {}.",
    "a depth map of a {}.",
    "a depth map of an object: {}.",
    "a 3d model of a {}.",
    "a point cloud of a {}.",
    "a shaded view of a {}.",
    "a small {}.",
    "one {}.",
    "point cloud depth map of a {}.",
)


def nouns(wordnet, seed):
    """{lemma: lexicographer file} of lower-case nouns, capped per file."""
    found = {}
    for line in (Path(wordnet) / "data.noun").read_text().splitlines():
        if line.startswith("  "):
            continue
        fields = line.split()
        kind, count = int(fields[1]), int(fields[3], 16)
        if kind not in KINDS:
            continue
        for lemma in fields[4 : 4 + 2 * count : 2]:
            lemma = lemma.replace("_", " ")
            if lemma == lemma.lower() and len(lemma.split()) <= 4 and not lemma.startswith("genus"):
                # A word of several meanings counts as the most concrete of them.
                if lemma not in found or KINDS[kind][0] > KINDS[found[lemma]][0]:
                    found[lemma] = kind
    rng = random.Random(seed)
    kept = {}
    for kind, (_, most) in KINDS.items():
        lemmas = sorted(lemma for lemma, k in found.items() if k == kind)
        kept.update((lemma, kind) for lemma in rng.sample(lemmas, min(most, len(lemmas))))
    return kept


class Phrases:
    """CLIP token ids of words inside prompts. Prompts and words are joined as ids: CLIP's tokenizer
    never merges across a space or a full stop."""

    def __init__(self, words):
        tokenizer = Bpe()
        self.words = [tokenizer.encode(word) for word in words]
        self.templates = [
            tuple(tokenizer.encode(part) for part in template.split("{}"))
            for template in TEMPLATES
        ]

    def ids(self, word, template):
        before, after = self.templates[template]
        return [START, *before, *self.words[word], *after, END][:77]

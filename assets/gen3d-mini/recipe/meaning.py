"""What a word means here: the sentence encoder's vector of it, drawn towards those of its synonyms and
of its hypernym in WordNet.

The encoder alone sets "couch" beside "coach"; WordNet knows that a couch is a sofa and a seat.
"""

from pathlib import Path

import torch
import torch.nn.functional as F

# Lexicographer files of things that can be seen, and of the senses that count where there are none.
THINGS = (6, 5, 13, 20, 8, 17, 27, 25)
OTHERS = (18, 14, 15)
SYNONYMS, HYPERNYM = 0.35, 0.2


class Thesaurus:
    """The nouns of WordNet's database in `folder`."""

    def __init__(self, folder):
        self.synsets = {}
        for line in (Path(folder) / "data.noun").read_text().splitlines():
            if line.startswith("  "):
                continue
            fields = line.split("|")[0].split()
            count = int(fields[3], 16)
            lemmas = [lemma.replace("_", " ") for lemma in fields[4 : 4 + 2 * count : 2]]
            pointers = fields[5 + 2 * count :]
            above = [target for kind, target in zip(pointers[::4], pointers[1::4]) if kind == "@"]
            self.synsets[fields[0]] = (int(fields[1]), lemmas, above)
        self.senses = {}
        for line in (Path(folder) / "index.noun").read_text().splitlines():
            if not line.startswith("  "):
                fields = line.split()
                self.senses[fields[0].replace("_", " ")] = fields[-int(fields[2]) :]

    def relatives(self, word):
        """(synonyms, first name of the hypernym or none) in the commonest sense that can be seen."""
        for kinds in (THINGS, OTHERS):
            for offset in self.senses.get(word, ()):
                kind, lemmas, above = self.synsets[offset]
                # A name in capitals is another word: Crane the writer is no crane.
                if kind in kinds and word in lemmas:
                    synonyms = [x for x in lemmas if x != word and x == x.lower()]
                    return synonyms, self.synsets[above[0]][1][0] if above else None
        return [], None


class Meaning:
    """Vectors of words: the teacher's, blended along the thesaurus."""

    def __init__(self, encoder, wordnet):
        self.encoder = encoder
        self.thesaurus = Thesaurus(wordnet)

    def encode(self, words):
        """Unit vectors [len(words), 384]."""
        words = list(words)
        relatives = [self.thesaurus.relatives(word) for word in words]
        texts = dict.fromkeys(words)
        for synonyms, hypernym in relatives:
            texts.update(dict.fromkeys(synonyms))
            texts.update({hypernym: None} if hypernym else {})
        row = {text: i for i, text in enumerate(texts)}
        plain = self.encoder.encode(row)
        result = plain[[row[word] for word in words]].clone()
        for i, (synonyms, hypernym) in enumerate(relatives):
            own = 1.0
            around = torch.zeros_like(result[i])
            if synonyms:
                own -= SYNONYMS
                around += SYNONYMS * plain[[row[s] for s in synonyms]].mean(0)
            if hypernym:
                own -= HYPERNYM
                around += HYPERNYM * plain[row[hypernym]]
            result[i] = own * result[i] + around
        return F.normalize(result, dim=-1)

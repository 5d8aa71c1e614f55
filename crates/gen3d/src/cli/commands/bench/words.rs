//! `gen3d bench words`: whether words that the model was not trained to name shapes with stand
//! where they should, beside other words and beside shapes.

use std::collections::HashMap;
use std::path::Path;

use alpha_clip::{PromptTemplates, ZeroShotHead};
use serde::Serialize;

use super::packed::{self, Entry, LabelledSet};
use super::print;
use super::shapes::Clouds;
use super::word_pairs::{Hypernym, Synonym, hypernyms, synonyms, training_labels};
use crate::cli::args::BenchWords;
use crate::cli::bulk;
use crate::cli::context::Context;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::labels;
use crate::cli::model::Model;

/// A synonym is right where its kind is among the first so many.
const PLACES: usize = 3;

#[derive(Serialize)]
struct Measured<'a> {
    test: &'static str,
    /// Whose features are compared with the words: `words`, or the shapes of a set.
    form: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    set: Option<&'a str>,
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    meshes: Option<usize>,
    pairs: usize,
    /// Labels to choose from.
    choices: usize,
    /// Mean over the pairs of the share that is right.
    right: f64,
    /// For the synonyms of shapes: the same with the kind's own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    own_word: Option<f64>,
    chance: f64,
    /// Pairs that are right less than half of the time.
    missed: Vec<Missed<'a>>,
}

#[derive(Serialize)]
struct Missed<'a> {
    word: &'a str,
    right: &'a str,
    /// What came first instead, best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    answers: Vec<&'a str>,
    /// Share of the meshes that are right.
    #[serde(skip_serializing_if = "Option::is_none")]
    share: Option<f64>,
}

/// Unit text features by their words.
struct Words {
    rows: HashMap<String, Vec<f32>>,
}

impl Words {
    /// Features of `words`, each in every prompt, as a zero-shot head makes them.
    fn encode(
        model: &Model,
        templates: &PromptTemplates,
        words: impl Iterator<Item = String>,
    ) -> anyhow::Result<Self> {
        let mut names: Vec<String> = words.collect();
        names.sort_unstable();
        names.dedup();
        let head = ZeroShotHead::build(&model.clip, &names, templates, None)?;
        let rows = head.vectors().to_vec2::<f32>()?;
        Ok(Self {
            rows: names.into_iter().zip(rows).collect(),
        })
    }

    fn row(&self, word: &str) -> &[f32] {
        self.rows.get(word).map_or(&[], Vec::as_slice)
    }

    /// `words`, nearest to `feature` first.
    fn nearest<'a>(&self, feature: &[f32], words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
        let mut scored: Vec<(f32, &str)> = words
            .map(|word| (cosine(feature, self.row(word)), word))
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        scored.into_iter().map(|(_, word)| word).collect()
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn run(args: &BenchWords, context: &Context) -> Result<Outcome, Failure> {
    let model = Model::load(&args.model, context)?;
    let context = &context.where_int8(model.clip.text().int8());
    let synonyms = synonyms().map_err(Failure::failed)?;
    let hypernyms = hypernyms().map_err(Failure::failed)?;
    let own = if args.labels.is_empty() {
        training_labels()
    } else {
        Vec::new()
    };
    let mut choices = args.labels.beside(&own)?;
    for synonym in &synonyms {
        if !choices.iter().any(|label| label == synonym.kind) {
            choices.push(synonym.kind.to_owned());
        }
    }
    let sets = args
        .set
        .iter()
        .map(|path| {
            Ok((
                path.as_path(),
                packed::open(path).map_err(Failure::missing)?,
            ))
        })
        .collect::<Result<Vec<(&Path, LabelledSet)>, Failure>>()?;

    let templates = labels::templates(&args.prompt, &model, Some(args.views.projection))?;
    let asked = synonyms.iter().flat_map(|s| [s.word, s.kind]);
    let asked = asked.chain(hypernyms.iter().map(|h| h.kind));
    let asked = asked.chain(hypernyms.iter().flat_map(|h| h.choices.iter().copied()));
    let classes = sets.iter().flat_map(|(_, set)| set.classes.iter().cloned());
    let all = asked.map(str::to_owned).chain(choices.iter().cloned());
    let words = Words::encode(&model, &templates, all.chain(classes)).map_err(Failure::failed)?;

    print(
        "words",
        synonyms_beside_words(&synonyms, &words, &choices, &model),
        context,
    )?;
    print(
        "words",
        hypernyms_beside_words(&hypernyms, &words, &model),
        context,
    )?;
    for (path, set) in &sets {
        let asked = |class: &String| {
            synonyms.iter().any(|s| s.kind == class) || hypernyms.iter().any(|h| h.kind == class)
        };
        let features = features(path, set, asked, &model, args, context)?;
        let shapes = Shapes {
            set,
            features,
            words: &words,
            model: &model.name,
        };
        print("words", shapes.synonyms(&synonyms), context)?;
        print("words", shapes.hypernyms(&hypernyms), context)?;
    }
    Ok(Outcome::Done)
}

fn synonyms_beside_words<'a>(
    synonyms: &'a [Synonym],
    words: &Words,
    choices: &'a [String],
    model: &'a Model,
) -> Measured<'a> {
    let mut missed = Vec::new();
    for synonym in synonyms {
        // The word itself, where it is a label too, says nothing.
        let others = choices.iter().map(String::as_str);
        let others = others.filter(|label| *label != synonym.word);
        let mut answers = words.nearest(words.row(synonym.word), others);
        answers.truncate(PLACES);
        if !answers.contains(&synonym.kind) {
            missed.push(Missed {
                word: synonym.word,
                right: synonym.kind,
                answers,
                share: None,
            });
        }
    }
    Measured {
        test: "synonyms",
        form: "words",
        set: None,
        model: &model.name,
        meshes: None,
        pairs: synonyms.len(),
        choices: choices.len(),
        right: share(synonyms.len() - missed.len(), synonyms.len()),
        own_word: None,
        chance: share(PLACES, choices.len()),
        missed,
    }
}

fn hypernyms_beside_words<'a>(
    hypernyms: &'a [Hypernym],
    words: &Words,
    model: &'a Model,
) -> Measured<'a> {
    let mut missed = Vec::new();
    for hypernym in hypernyms {
        let mut answers = words.nearest(words.row(hypernym.kind), choices_of(hypernym));
        answers.truncate(1);
        if answers.first() != hypernym.choices.first() {
            missed.push(Missed {
                word: hypernym.kind,
                right: hypernym.choices[0],
                answers,
                share: None,
            });
        }
    }
    Measured {
        test: "hypernyms",
        form: "words",
        set: None,
        model: &model.name,
        meshes: None,
        pairs: hypernyms.len(),
        choices: choice_count(hypernyms),
        right: share(hypernyms.len() - missed.len(), hypernyms.len()),
        own_word: None,
        chance: share(1, choice_count(hypernyms)),
        missed,
    }
}

/// A set's shapes as unit features.
struct Shapes<'a> {
    set: &'a LabelledSet,
    /// Class and feature of each mesh that a question is about.
    features: Vec<(usize, Vec<f32>)>,
    words: &'a Words,
    model: &'a str,
}

impl<'a> Shapes<'a> {
    /// A synonym in the place of its kind among the set's classes: how often it is among the first.
    fn synonyms(&self, synonyms: &'a [Synonym]) -> Measured<'a> {
        let classes = &self.set.classes;
        let mut asked = Asked::default();
        let mut own_word = 0.;
        for synonym in synonyms {
            let features = self.of(synonym.kind);
            // A class that is called like the synonym would be right as well.
            if features.is_empty() || classes.iter().any(|class| class == synonym.word) {
                continue;
            }
            let among_first = |word: &str| {
                let right = |feature: &&[f32]| {
                    let others = classes.iter().map(String::as_str);
                    let others = others.filter(|class| *class != synonym.kind);
                    let score = cosine(feature, self.words.row(word));
                    let better = |other: &str| cosine(feature, self.words.row(other)) > score;
                    others.filter(|other| better(other)).count() < PLACES
                };
                share(features.iter().filter(|f| right(f)).count(), features.len())
            };
            own_word += among_first(synonym.kind);
            asked.add(
                synonym.word,
                synonym.kind,
                among_first(synonym.word),
                features.len(),
            );
        }
        Measured {
            own_word: Some(own_word / asked.pairs.max(1) as f64),
            ..self.measured("synonyms", asked, PLACES, classes.len())
        }
    }

    /// How often the right hypernym is nearer to a shape than the wrong ones.
    fn hypernyms(&self, hypernyms: &'a [Hypernym]) -> Measured<'a> {
        let mut asked = Asked::default();
        for hypernym in hypernyms {
            let features = self.of(hypernym.kind);
            if features.is_empty() {
                continue;
            }
            let right = |feature: &&&[f32]| {
                let nearest = self.words.nearest(feature, choices_of(hypernym));
                nearest.first() == hypernym.choices.first()
            };
            let right = share(features.iter().filter(right).count(), features.len());
            asked.add(hypernym.kind, hypernym.choices[0], right, features.len());
        }
        self.measured("hypernyms", asked, 1, choice_count(hypernyms))
    }

    /// The features of the meshes of a class.
    fn of(&self, class: &str) -> Vec<&[f32]> {
        let own = |(label, _): &&(usize, Vec<f32>)| self.set.classes[*label] == class;
        let own = self.features.iter().filter(own);
        own.map(|(_, feature)| feature.as_slice()).collect()
    }

    fn measured(
        &self,
        test: &'static str,
        asked: Asked<'a>,
        places: usize,
        choices: usize,
    ) -> Measured<'a> {
        Measured {
            test,
            form: "shapes",
            set: Some(&self.set.name),
            model: self.model,
            meshes: Some(asked.meshes),
            pairs: asked.pairs,
            choices,
            right: asked.right / asked.pairs.max(1) as f64,
            own_word: None,
            chance: share(places.min(choices), choices),
            missed: asked.missed,
        }
    }
}

/// What came of the questions so far.
#[derive(Default)]
struct Asked<'a> {
    pairs: usize,
    meshes: usize,
    right: f64,
    missed: Vec<Missed<'a>>,
}

impl<'a> Asked<'a> {
    fn add(&mut self, word: &'a str, right: &'a str, share: f64, meshes: usize) {
        self.pairs += 1;
        self.meshes += meshes;
        self.right += share;
        if share < 0.5 {
            self.missed.push(Missed {
                word,
                right,
                answers: Vec::new(),
                share: Some(share),
            });
        }
    }
}

/// Class and unit feature of the meshes whose class is `asked` about.
fn features(
    path: &Path,
    set: &LabelledSet,
    asked: impl Fn(&String) -> bool,
    model: &Model,
    args: &BenchWords,
    context: &Context,
) -> Result<Vec<(usize, Vec<f32>)>, Failure> {
    let clouds = Clouds::clean(&args.views);
    let encoder = model.shape_encoder(clouds.options(&args.views))?;
    let entries = set.entries.iter();
    let entries: Vec<&Entry> = entries
        .filter(|entry| asked(&set.classes[entry.label]))
        .collect();
    let bar = context.bar(entries.len() as u64, "meshes");
    let work = |entry: &&Entry| -> anyhow::Result<Vec<f32>> {
        let encoded = encoder.encode(&clouds.shape(set, entry)?)?;
        Ok(encoded.feature.to_vec1::<f32>()?)
    };
    let mut features = Vec::with_capacity(entries.len());
    bulk::in_order(&entries, context, work, |entry, feature| {
        let feature = feature.map_err(|error| {
            Failure::failed(error.context(format!("{}: mesh {}", path.display(), entry.index)))
        })?;
        features.push((entry.label, feature));
        bar.inc(1);
        Ok(())
    })?;
    bar.finish_and_clear();
    Ok(features)
}

fn choices_of(hypernym: &Hypernym) -> impl Iterator<Item = &'static str> {
    hypernym.choices.iter().copied()
}

fn choice_count(hypernyms: &[Hypernym]) -> usize {
    hypernyms.first().map_or(1, |h| h.choices.len())
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

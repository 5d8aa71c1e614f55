//! How well a recogniser did on a labelled set.

use std::collections::HashMap;

use alpha_clip::Scored;
use serde::Serialize;

/// Bins of the calibration error.
const BINS: usize = 15;

/// Shares between 0 and 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Score {
    /// Shapes whose label came first.
    pub(super) top1: f64,
    /// Shapes whose label was among the first five.
    pub(super) top5: f64,
    /// Mean over the classes of top-1.
    pub(super) mean_class: f64,
    /// Expected calibration error of the first label's probability: the mean distance between
    /// confidence and accuracy over 15 bins of confidence, weighed by their shapes.
    pub(super) ece: f64,
    /// What guessing among the labels gives: top-1 and top-5.
    pub(super) chance: [f64; 2],
}

/// What one shape got.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    /// The shape's class.
    pub(super) class: usize,
    /// The label that came first; none for a shape that failed.
    pub(super) first: Option<usize>,
    /// Place of the class among the answers, 0 the first; none for a shape that failed.
    pub(super) rank: Option<usize>,
    /// Probability of the answer in the first place.
    pub(super) confidence: f64,
}

impl Answer {
    /// The answer for a shape of this class, likeliest label first.
    pub(super) fn of(class: usize, top: &[Scored]) -> Self {
        Self {
            class,
            first: top.first().map(|scored| scored.index),
            rank: top.iter().position(|scored| scored.index == class),
            confidence: top.first().map_or(0., |scored| scored.score.into()),
        }
    }

    /// What a shape gets that failed.
    pub(super) fn none(class: usize) -> Self {
        Self::of(class, &[])
    }

    fn within(&self, places: usize) -> bool {
        self.rank.is_some_and(|rank| rank < places)
    }
}

/// Accuracy on one class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct ClassScore<'a> {
    class: &'a str,
    meshes: usize,
    top1: f64,
    top5: f64,
}

/// A mistake and how often it was made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Confusion<'a> {
    right: &'a str,
    answer: &'a str,
    times: usize,
}

impl Score {
    /// The score of `answers`, at least one, among so many labels; shapes that failed count as
    /// wrong.
    pub(super) fn of(answers: &[Answer], labels: usize) -> Self {
        let each: Vec<f64> = (0..labels)
            .map(|class| of_class(answers, class))
            .filter(|own| !own.is_empty())
            .map(|own| share(&own, 1))
            .collect();
        let all: Vec<&Answer> = answers.iter().collect();
        Self {
            top1: share(&all, 1),
            top5: share(&all, 5),
            mean_class: each.iter().sum::<f64>() / each.len() as f64,
            ece: calibration_error(answers),
            chance: [1, 5].map(|places| places.min(labels) as f64 / labels as f64),
        }
    }
}

/// The accuracy of each class that occurs, in the order of `classes`.
pub(super) fn by_class<'a>(answers: &[Answer], classes: &'a [String]) -> Vec<ClassScore<'a>> {
    let named = classes.iter().enumerate();
    let scores = named.map(|(class, name)| {
        let own = of_class(answers, class);
        ClassScore {
            class: name,
            meshes: own.len(),
            top1: share(&own, 1),
            top5: share(&own, 5),
        }
    });
    scores.filter(|score| score.meshes > 0).collect()
}

/// The `most` most frequent mistakes, most frequent first.
pub(super) fn confusions<'a>(
    answers: &[Answer],
    labels: &'a [String],
    most: usize,
) -> Vec<Confusion<'a>> {
    let mut counts = HashMap::new();
    for answer in answers {
        if let Some(first) = answer.first.filter(|&first| first != answer.class) {
            *counts.entry((answer.class, first)).or_insert(0) += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|&(pair, times)| (std::cmp::Reverse(times), pair));
    let named = |((right, answer), times): ((usize, usize), usize)| Confusion {
        right: &labels[right],
        answer: &labels[answer],
        times,
    };
    counts.into_iter().take(most).map(named).collect()
}

fn of_class(answers: &[Answer], class: usize) -> Vec<&Answer> {
    answers.iter().filter(|a| a.class == class).collect()
}

/// The share of `answers` whose class is among the first `places`; 0 of none.
fn share(answers: &[&Answer], places: usize) -> f64 {
    let hits = answers.iter().filter(|a| a.within(places)).count();
    hits as f64 / answers.len().max(1) as f64
}

fn calibration_error(answers: &[Answer]) -> f64 {
    let mut bins = [(0., 0.); BINS];
    for answer in answers {
        // The upper end of a bin belongs to it.
        let bin = (answer.confidence * BINS as f64).ceil() as usize;
        if let Some((hits, confidence)) = bins.get_mut(bin.saturating_sub(1).min(BINS - 1)) {
            *hits += f64::from(u8::from(answer.within(1)));
            *confidence += answer.confidence;
        }
    }
    bins.iter()
        .map(|(hits, confidence)| (hits - confidence).abs())
        .sum::<f64>()
        / answers.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(class: usize, first: usize, rank: usize, confidence: f64) -> Answer {
        Answer {
            class,
            first: Some(first),
            rank: Some(rank),
            confidence,
        }
    }

    fn answers() -> [Answer; 4] {
        [
            answer(0, 0, 0, 1.),
            answer(0, 0, 0, 0.8),
            answer(0, 1, 4, 0.8),
            answer(2, 1, 5, 0.4),
        ]
    }

    #[test]
    fn shares_are_counted_by_shape_and_by_class() {
        let score = Score::of(&answers(), 10);
        assert_eq!((score.top1, score.top5), (0.5, 0.75));
        assert!((score.mean_class - (2. / 3. + 0.) / 2.).abs() < 1e-12);
        // Bins: 1 hit of confidence 1; 1 hit against 1.6; none against 0.4.
        assert!((score.ece - (0. + 0.6 + 0.4) / 4.).abs() < 1e-12);
        assert_eq!(score.chance, [0.1, 0.5]);
        assert_eq!(Score::of(&answers(), 3).chance[1], 1.);
    }

    #[test]
    fn classes_and_mistakes_have_their_names() {
        let names = ["cup", "mug", "jug"].map(String::from);
        let classes = by_class(&answers(), &names);
        assert_eq!(classes.len(), 2);
        assert_eq!((classes[0].class, classes[0].meshes), ("cup", 3));
        assert_eq!((classes[1].top1, classes[1].top5), (0., 0.));
        let wrong = confusions(&answers(), &names, 5);
        let pairs: Vec<_> = wrong.iter().map(|c| (c.right, c.answer, c.times)).collect();
        assert_eq!(pairs, [("cup", "mug", 1), ("jug", "mug", 1)]);
        assert_eq!(confusions(&answers(), &names, 1).len(), 1);
    }

    #[test]
    fn a_shape_that_failed_is_wrong() {
        let score = Score::of(&[Answer::none(0)], 1);
        assert_eq!((score.top1, score.top5, score.mean_class), (0., 0., 0.));
        assert_eq!(score.ece, 0.);
        assert!(confusions(&[Answer::none(0)], &["cup".into()], 5).is_empty());
    }
}

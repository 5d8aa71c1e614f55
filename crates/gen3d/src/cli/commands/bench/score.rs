//! How well a recogniser did on a labelled set.

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
}

/// What one shape got.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    /// The shape's class.
    pub(super) class: usize,
    /// Place of that class among the answers, 0 the first; none for a shape that failed.
    pub(super) rank: Option<usize>,
    /// Probability of the answer in the first place.
    pub(super) confidence: f64,
}

impl Answer {
    fn within(&self, places: usize) -> bool {
        self.rank.is_some_and(|rank| rank < places)
    }
}

impl Score {
    /// The score of `answers`, at least one; shapes that failed count as wrong.
    pub(super) fn of(answers: &[Answer], classes: usize) -> Self {
        let share = |hits: usize, all: usize| hits as f64 / all as f64;
        let top = |places| {
            share(
                answers.iter().filter(|a| a.within(places)).count(),
                answers.len(),
            )
        };
        let mut by_class = vec![(0, 0); classes];
        for answer in answers {
            if let Some((hits, all)) = by_class.get_mut(answer.class) {
                *hits += usize::from(answer.within(1));
                *all += 1;
            }
        }
        let seen: Vec<f64> = by_class
            .iter()
            .filter(|(_, n)| *n > 0)
            .map(|&(hits, n)| share(hits, n))
            .collect();
        Self {
            top1: top(1),
            top5: top(5),
            mean_class: seen.iter().sum::<f64>() / seen.len() as f64,
            ece: calibration_error(answers),
        }
    }
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

    #[test]
    fn shares_are_counted_by_shape_and_by_class() {
        let answer = |class, rank, confidence| Answer {
            class,
            rank,
            confidence,
        };
        let answers = [
            answer(0, Some(0), 1.),
            answer(0, Some(0), 0.8),
            answer(0, Some(4), 0.8),
            answer(2, Some(5), 0.4),
        ];
        let score = Score::of(&answers, 3);
        assert_eq!((score.top1, score.top5), (0.5, 0.75));
        assert!((score.mean_class - (2. / 3. + 0.) / 2.).abs() < 1e-12);
        // Bins: 1 hit of confidence 1; 1 hit against 1.6; none against 0.4.
        assert!((score.ece - (0. + 0.6 + 0.4) / 4.).abs() < 1e-12);
    }

    #[test]
    fn a_shape_that_failed_is_wrong() {
        let failed = [Answer {
            class: 0,
            rank: None,
            confidence: 0.,
        }];
        let score = Score::of(&failed, 1);
        assert_eq!(
            score,
            Score {
                top1: 0.,
                top5: 0.,
                mean_class: 0.,
                ece: 0.
            }
        );
    }
}

//! UniPC (Zhao et al. 2023): a predictor of any order, and a corrector that uses the next
//! output for free.

use candle_core::Tensor;

use super::config::{SchedulerConfig, SolverType};
use super::{NoiseSource, Solver, Step, mix, noise_of, signal_of};
use crate::error::Result;

pub(super) struct UniPc {
    order: usize,
    bh1: bool,
    lower_order_final: bool,
    disable_corrector: Vec<usize>,
    /// Predicted clean samples, the newest last, `order` at most.
    clean: Vec<Tensor>,
    /// The sample before the last prediction, and its order.
    last: Option<(Tensor, usize)>,
}

impl UniPc {
    pub(super) fn new(config: &SchedulerConfig) -> Self {
        Self {
            order: config.solver_order,
            bh1: config.solver_type == SolverType::Bh1,
            lower_order_final: config.lower_order_final,
            disable_corrector: config.disable_corrector.clone(),
            clean: Vec::new(),
            last: None,
        }
    }

    /// The step from noise level number `base` (relative to the current one) to the one after it,
    /// of order `order`; with the clean sample of its end, corrected by it.
    fn solve(
        &self,
        at: &Step<'_>,
        base: isize,
        order: usize,
        x: &Tensor,
        end: Option<&Tensor>,
    ) -> Result<Tensor> {
        let log_snr = |ahead: isize| -at.sigma(ahead).ln();
        let (from, to) = (at.sigma(base), at.sigma(base + 1));
        let h = log_snr(base + 1) - log_snr(base);
        let growth = (-h).exp_m1();
        let scale = if self.bh1 { -h } else { growth };
        let signal = signal_of(to);
        let Some((newest, older)) = self.clean.split_last() else {
            return Ok(x.clone());
        };

        let mut ratios = Vec::new();
        let mut differences = Vec::new();
        for (past, clean) in older.iter().rev().take(order - 1).enumerate() {
            let r = (log_snr(base - 1 - past as isize) - log_snr(base)) / h;
            differences.push(mix(&[(1. / r, clean), (-1. / r, newest)])?);
            ratios.push(r);
        }
        ratios.push(1.);
        let weights = match (end, order) {
            (Some(_), 1) => vec![0.5],
            (None, 1) => Vec::new(),
            (None, 2) => vec![0.5],
            (Some(_), _) => moments(&ratios, -h, scale),
            (None, _) => moments(&ratios[..order - 1], -h, scale),
        };
        if let Some(end) = end {
            differences.push(mix(&[(1., end), (-1., newest)])?);
        }
        let mut terms = vec![
            (noise_of(to) / noise_of(from), x),
            (-signal * growth, newest),
        ];
        let corrections = weights.iter().zip(&differences);
        terms.extend(corrections.map(|(weight, d)| (-signal * scale * weight, d)));
        mix(&terms)
    }
}

/// Weights ρ with Σ_q ρ_q r_q^(p−1) = p!·φ_p(hh) / B for p = 1, 2, … (equation 10 of the paper).
fn moments(ratios: &[f64], hh: f64, scale: f64) -> Vec<f64> {
    let count = ratios.len();
    let mut rows = Vec::with_capacity(count);
    let mut phi = hh.exp_m1() / hh - 1.;
    let mut factorial = 1.;
    for p in 1..=count {
        let mut row: Vec<f64> = ratios.iter().map(|r| r.powi(p as i32 - 1)).collect();
        row.push(phi * factorial / scale);
        rows.push(row);
        factorial *= (p + 1) as f64;
        phi = phi / hh - 1. / factorial;
    }
    solved(rows)
}

/// Solves a small linear system by elimination with pivoting; each row holds its right side last.
fn solved(mut rows: Vec<Vec<f64>>) -> Vec<f64> {
    let count = rows.len();
    for column in 0..count {
        let largest = (column..count)
            .max_by(|&a, &b| rows[a][column].abs().total_cmp(&rows[b][column].abs()));
        rows.swap(column, largest.unwrap_or(column));
        let pivot = rows[column].clone();
        for (i, row) in rows.iter_mut().enumerate() {
            if i != column {
                let factor = row[column] / pivot[column];
                row.iter_mut()
                    .zip(&pivot)
                    .for_each(|(value, p)| *value -= factor * p);
            }
        }
    }
    rows.iter()
        .enumerate()
        .map(|(i, row)| row[count] / row[i])
        .collect()
}

impl Solver for UniPc {
    fn step(
        &mut self,
        at: &Step<'_>,
        output: &Tensor,
        x: &Tensor,
        _noise: &mut NoiseSource<'_>,
    ) -> Result<Tensor> {
        let sigma = at.sigma(0);
        let clean = at.clean(output, x, signal_of(sigma), noise_of(sigma))?;
        let mut x = x.clone();
        let corrects = at.index > 0 && !self.disable_corrector.contains(&(at.index - 1));
        if let Some((last, order)) = self.last.take().filter(|_| corrects) {
            // The clean sample is not predicted again from the corrected sample.
            x = self.solve(at, -1, order, &last, Some(&clean))?;
        }
        if self.clean.len() == self.order {
            self.clean.remove(0);
        }
        self.clean.push(clean);
        let left = at.schedule.timesteps.len() - at.index;
        let allowed = if self.lower_order_final {
            self.order.min(left)
        } else {
            self.order
        };
        let order = allowed.min(at.done + 1);
        let next = self.solve(at, 0, order, &x, None)?;
        self.last = Some((x, order));
        Ok(next)
    }

    fn reset(&mut self) {
        self.clean.clear();
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_systems_are_solved() {
        let rows = vec![vec![0., 2., 4.], vec![3., 1., 5.]];
        assert_eq!(solved(rows), [1., 2.]);
    }
}

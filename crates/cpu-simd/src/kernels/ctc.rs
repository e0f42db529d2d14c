//! Connectionist temporal classification (A. Graves et al., *Connectionist Temporal Classification*, 2006): the
//! likelihood of a sequence of targets, summed over all its alignments with frames, and its gradient.

use rustorch_backend::memory::Scratch;
use rustorch_backend::{CtcSample, DType, Operand, kernel};
use rustorch_error::{Result, RusTorchError};

use super::dense::{Dense, Shared, address, fill_contiguous, unsupported};
use super::walk::Elements;
use crate::threads::try_parallel_for;

const OP: &str = "ctc_loss";

/// What both passes read: log-probabilities by frame, sample and class, and the targets of all samples, which are a copy:
/// what was checked is what is used, whoever else can write to the tensor.
struct Problem<'a> {
    log_probs: *const f64,
    classes: usize,
    count: usize,
    targets: Scratch<i64>,
    blank: usize,
    samples: &'a [CtcSample],
    /// The states of the longest sample: its targets with blanks around them.
    states: usize,
    frames: usize,
    _held: Dense<f64>,
}

// SAFETY: tasks only read.
unsafe impl Sync for Problem<'_> {}

impl<'a> Problem<'a> {
    fn new(
        blank: usize,
        samples: &'a [CtcSample],
        log_probs: Operand<'_>,
        targets: Operand<'_>,
        log_alpha: Operand<'_>,
    ) -> Result<Self> {
        let (&[frames, count, classes], &[n, rows, states]) =
            (log_probs.layout.shape(), log_alpha.layout.shape())
        else {
            return Err(misfit(log_probs, log_alpha));
        };
        let given = targets.layout.numel();
        let fits = |sample: &CtcSample| {
            sample.frames <= frames
                && sample.first.checked_add(sample.targets).is_some_and(|end| end <= given)
                && sample.targets <= (states - 1) / 2
        };
        if [n, rows, samples.len()] != [count, frames, count]
            || states == 0
            || blank >= classes
            || !samples.iter().all(fits)
        {
            return Err(misfit(log_probs, log_alpha));
        }
        let held = wide(log_probs)?;
        Ok(Problem {
            log_probs: held.as_ptr(),
            frames,
            count,
            classes,
            targets: checked_targets(targets, samples, classes)?,
            blank,
            samples,
            states,
            _held: held,
        })
    }

    /// The class of a state of a sample: blanks and targets in turn.
    fn class(&self, sample: usize, state: usize) -> usize {
        if state.is_multiple_of(2) {
            return self.blank;
        }
        // SAFETY: a sample has a target for each odd state, all of which were copied.
        unsafe { *self.targets.as_ptr().add(self.samples[sample].first + state / 2) as usize }
    }

    fn log_prob(&self, frame: usize, sample: usize, class: usize) -> f64 {
        // SAFETY: the frame, the sample and the class are within the shape.
        unsafe { *self.log_probs.add((frame * self.count + sample) * self.classes + class) }
    }

    /// Whether an alignment may step over the blank before this state.
    fn skips(&self, sample: usize, state: usize) -> bool {
        state >= 2 && !state.is_multiple_of(2) && self.class(sample, state) != self.class(sample, state - 2)
    }
}

fn misfit(log_probs: Operand<'_>, log_alpha: Operand<'_>) -> RusTorchError {
    let (log_probs, log_alpha) = (log_probs.layout.shape(), log_alpha.layout.shape());
    RusTorchError::shape(OP, format!("lengths do not fit log_probs {log_probs:?} and prefixes {log_alpha:?}"))
}

/// A copy of the targets, those of every sample among the classes.
fn checked_targets(targets: Operand<'_>, samples: &[CtcSample], classes: usize) -> Result<Scratch<i64>> {
    let given = Dense::<i64>::contiguous(OP, targets)?;
    let (count, from) = (targets.layout.numel(), Elements::at_address(given.as_ptr()));
    let copy = Scratch::<i64>::zeroed(count)?;
    // SAFETY: both hold as many numbers; the scratch is this function's own.
    let own = unsafe { std::slice::from_raw_parts_mut(copy.as_ptr(), count) };
    for (i, target) in own.iter_mut().enumerate() {
        // SAFETY: as above.
        *target = unsafe { from.index(i as isize) };
    }
    for sample in samples {
        let listed = &own[sample.first..sample.first + sample.targets];
        if let Some(bad) = listed.iter().find(|&&class| class as u64 >= classes as u64) {
            let message = format!("target {bad} is out of bounds: there are {classes} classes");
            return Err(RusTorchError::index(OP, message));
        }
    }
    Ok(copy)
}

/// An operand as contiguous float64.
fn wide(operand: Operand<'_>) -> Result<Dense<f64>> {
    match operand.dtype {
        DType::Float64 => Dense::contiguous(OP, operand),
        dtype => Err(unsupported(OP, dtype)),
    }
}

/// `log Σ exp(x)` of a few numbers.
fn log_sum(terms: &[f64]) -> f64 {
    let most = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        // NaN if any is.
        return terms.iter().sum();
    }
    most + terms.iter().map(|x| (x - most).exp()).sum::<f64>().ln()
}

/// The negative log-likelihood of each sample, and the logarithms of the probabilities of its prefixes.
///
/// `log_probs` is `(T, N, C)`, `targets` int64 in one dimension, `losses` `(N)`, `log_alpha` `(N, T, states)`, where
/// there are `2 n + 1` states for the most targets n of a sample. All but the targets are float64.
///
/// # Errors
/// `Unsupported` for another dtype, `IndexOutOfRange` for a target that is no class, `ShapeMismatch` for lengths that do
/// not fit.
pub fn ctc_loss(kernel: &kernel::CtcLoss<Operand<'_>>) -> Result<()> {
    let &kernel::CtcLoss { blank, ref samples, log_probs, targets, losses, log_alpha } = kernel;
    let problem = Problem::new(blank, samples, log_probs, targets, log_alpha)?;
    let losses = Shared::new(address::<f64>(losses));
    let alpha = Shared::new(address::<f64>(log_alpha));
    try_parallel_for(samples.len(), 1, |range| {
        for sample in range {
            let size = problem.frames * problem.states;
            // SAFETY: the outputs are contiguous, and each sample's part belongs to one task.
            unsafe {
                let alpha = std::slice::from_raw_parts_mut(alpha.get().add(sample * size), size);
                losses.get().add(sample).write(prefixes(&problem, sample, alpha));
            }
        }
        Ok(())
    })
}

/// Fills in the prefixes' logarithms of one sample; the negative log-likelihood.
fn prefixes(problem: &Problem<'_>, sample: usize, alpha: &mut [f64]) -> f64 {
    let CtcSample { frames, targets, .. } = problem.samples[sample];
    let (width, states) = (problem.states, 2 * targets + 1);
    alpha.fill(f64::NEG_INFINITY);
    if frames == 0 {
        return negative_log_likelihood(problem, sample, alpha);
    }
    for (state, slot) in alpha.iter_mut().enumerate().take(states.min(2)) {
        *slot = problem.log_prob(0, sample, problem.class(sample, state));
    }
    for frame in 1..frames {
        let (before, now) = alpha.split_at_mut(frame * width);
        let before = &before[(frame - 1) * width..];
        for state in 0..states {
            let mut ways = [before[state], f64::NEG_INFINITY, f64::NEG_INFINITY];
            if state >= 1 {
                ways[1] = before[state - 1];
            }
            if problem.skips(sample, state) {
                ways[2] = before[state - 2];
            }
            now[state] = log_sum(&ways) + problem.log_prob(frame, sample, problem.class(sample, state));
        }
    }
    negative_log_likelihood(problem, sample, alpha)
}

/// What a sample's prefixes say of all of it.
fn negative_log_likelihood(problem: &Problem<'_>, sample: usize, alpha: &[f64]) -> f64 {
    let CtcSample { frames, targets, .. } = problem.samples[sample];
    if frames == 0 {
        return if targets == 0 { 0.0 } else { f64::INFINITY };
    }
    let last = &alpha[(frames - 1) * problem.states..];
    if targets == 0 { -last[0] } else { -log_sum(&last[2 * targets - 1..=2 * targets]) }
}

/// The gradient by the log-probabilities, taken as results of a log-softmax, from the gradient by each loss; with
/// `zero_infinity` 0 for samples whose loss is infinite.
///
/// # Errors
/// As [`ctc_loss`].
pub fn ctc_loss_grad(kernel: &kernel::CtcLossGrad<Operand<'_>>) -> Result<()> {
    let &kernel::CtcLossGrad {
        blank,
        ref samples,
        zero_infinity,
        grad,
        log_probs,
        targets,
        log_alpha,
        grad_log_probs,
    } = kernel;
    let problem = Problem::new(blank, samples, log_probs, targets, log_alpha)?;
    let (slopes, alpha) = (wide(grad)?, wide(log_alpha)?);
    let [slopes, alpha] = [slopes.as_ptr(), alpha.as_ptr()].map(|p| Shared::new(p.cast_mut()));
    fill_contiguous::<f64>(OP, grad_log_probs, |out| {
        // SAFETY: the output holds a number per log-probability.
        unsafe { out.write_bytes(0, problem.frames * problem.count * problem.classes) };
        let out = Shared::new(out);
        try_parallel_for(samples.len(), 1, |range| {
            let beta = Scratch::<f64>::with_room(2 * problem.states)?;
            let by_class = Scratch::<f64>::with_room(problem.classes)?;
            for sample in range {
                let size = problem.frames * problem.states;
                // SAFETY: the operands are contiguous; the scratch is two rows of states, and one of classes; each
                // sample's gradients belong to one task.
                unsafe {
                    let alpha = std::slice::from_raw_parts(alpha.get().add(sample * size), size);
                    let loss = negative_log_likelihood(&problem, sample, alpha);
                    if zero_infinity && loss == f64::INFINITY {
                        continue;
                    }
                    let slope = *slopes.get().add(sample);
                    let beta = std::slice::from_raw_parts_mut(beta.as_ptr(), 2 * problem.states);
                    let by_class = std::slice::from_raw_parts_mut(by_class.as_ptr(), problem.classes);
                    suffixes(&problem, sample, (slope, loss), alpha, beta, by_class, out);
                }
            }
            Ok(())
        })
    })
}

/// Walks one sample's frames backwards and writes its gradients.
fn suffixes(
    problem: &Problem<'_>,
    sample: usize,
    (slope, loss): (f64, f64),
    alpha: &[f64],
    beta: &mut [f64],
    by_class: &mut [f64],
    out: Shared<f64>,
) {
    let CtcSample { frames, targets, .. } = problem.samples[sample];
    let (width, states) = (problem.states, 2 * targets + 1);
    let (mut after, mut now) = beta.split_at_mut(width);
    for frame in (0..frames).rev() {
        by_class.fill(f64::NEG_INFINITY);
        for state in 0..states {
            let class = problem.class(sample, state);
            let rest = if frame + 1 == frames {
                if state + 2 >= states { 0.0 } else { f64::NEG_INFINITY }
            } else {
                let mut ways = [after[state], f64::NEG_INFINITY, f64::NEG_INFINITY];
                if state + 1 < states {
                    ways[1] = after[state + 1];
                }
                if state + 2 < states && problem.skips(sample, state + 2) {
                    ways[2] = after[state + 2];
                }
                log_sum(&ways)
            };
            now[state] = rest + problem.log_prob(frame, sample, class);
            by_class[class] = log_sum(&[by_class[class], alpha[frame * width + state] + now[state]]);
        }
        for (class, through) in by_class.iter().enumerate() {
            let log_prob = problem.log_prob(frame, sample, class);
            let grad = (log_prob.exp() - (through + loss - log_prob).exp()) * slope;
            let at = (frame * problem.count + sample) * problem.classes + class;
            // SAFETY: the frame, the sample and the class are within the shape.
            unsafe { out.get().add(at).write(grad) };
        }
        std::mem::swap(&mut after, &mut now);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use super::*;
    use crate::kernels::samples::{LayoutKind, Sample, noise};

    /// Frames, samples, classes; states of two targets.
    const SHAPE: [usize; 3] = [4, 2, 3];
    const STATES: usize = 5;

    /// The messages of both passes for these samples and targets.
    fn messages(blank: usize, samples: &[CtcSample], targets: &[i64]) -> [Option<String>; 2] {
        let float = |shape: &[usize]| {
            let values: Vec<f64> = noise(1, shape.iter().product()).iter().map(|v| v - 1.0).collect();
            Sample::new(DType::Float64, shape, LayoutKind::Contiguous, &values)
        };
        let [frames, count, _] = SHAPE;
        let (log_probs, to_log_probs, alpha) =
            (float(&SHAPE), float(&SHAPE), float(&[count, frames, STATES]));
        let (losses, grad) = (float(&[count]), float(&[count]));
        let targets = Sample::indices(&[targets.len()], LayoutKind::Contiguous, targets);
        let (from, listed, prefixes) = (log_probs.operand(), targets.operand(), alpha.operand());
        let forward = ctc_loss(&kernel::CtcLoss {
            blank,
            samples: Arc::new(Scratch::copied(samples).unwrap()),
            log_probs: from,
            targets: listed,
            losses: losses.operand(),
            log_alpha: prefixes,
        });
        let to = to_log_probs.operand();
        let backward = ctc_loss_grad(&kernel::CtcLossGrad {
            blank,
            samples: Arc::new(Scratch::copied(samples).unwrap()),
            zero_infinity: false,
            grad: grad.operand(),
            log_probs: from,
            targets: listed,
            log_alpha: prefixes,
            grad_log_probs: to,
        });
        [forward, backward].map(|outcome| outcome.err().map(|error| error.to_string()))
    }

    /// Whatever was checked when the loss was computed: the backward pass is told the same things, by memory that may
    /// have been written since.
    #[test]
    fn both_passes_check_what_they_use() {
        let sample = |frames, targets, first| CtcSample { frames, targets, first };
        let good = [sample(4, 2, 0), sample(3, 1, 2)];
        assert_eq!(messages(0, &good, &[1, 2, 1]), [None, None]);
        for bad in [3, 1 << 40, -1, i64::MIN] {
            for place in 0..3 {
                let mut targets = [1, 2, 1];
                targets[place] = bad;
                let message = format!("ctc_loss: target {bad} is out of bounds: there are 3 classes");
                assert_eq!(messages(0, &good, &targets), [Some(message.clone()), Some(message)]);
            }
        }
        for wrong in [
            [sample(5, 2, 0), good[1]],
            [sample(4, 3, 0), good[1]],
            [good[0], sample(3, 1, 3)],
            [good[0], sample(3, 1, usize::MAX)],
            [good[0], sample(3, usize::MAX, 1)],
        ] {
            let messages = messages(0, &wrong, &[1, 2, 1]);
            assert!(messages.iter().flatten().all(|m| m.contains("lengths do not fit")), "{wrong:?}");
            assert!(messages.iter().all(Option::is_some), "{wrong:?}");
        }
        assert!(messages(3, &good, &[1, 2, 1]).iter().all(Option::is_some));
        assert!(messages(0, &good[..1], &[1, 2, 1]).iter().all(Option::is_some));
    }
}

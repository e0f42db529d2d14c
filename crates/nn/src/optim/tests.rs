#![allow(clippy::unwrap_used)]

use std::slice::from_ref;

use rustorch_tensor::{DType, Tensor, ops};

use super::*;
use crate::testing::{assert_close, init, sample, values};

const SHAPES: [&[usize]; 4] = [&[3, 5], &[1], &[0], &[]];

/// Runs four steps of an optimizer and of a per-element reference over the same gradients, and compares.
fn compare(
    dtype: DType,
    tolerance: f64,
    make: impl Fn(Vec<Tensor>) -> Box<dyn Optimizer>,
    update: impl Fn(usize, f64, f64, &mut [f64; 3]) -> f64,
) {
    init();
    let parameters: Vec<Tensor> =
        SHAPES.iter().map(|shape| ops::to_dtype(&sample(shape, 0.5), Some(dtype)).unwrap()).collect();
    for parameter in &parameters {
        parameter.set_requires_grad(true).unwrap();
    }
    let mut expected: Vec<Vec<f64>> = parameters.iter().map(values).collect();
    let mut states: Vec<Vec<[f64; 3]>> = expected.iter().map(|p| vec![[0.0; 3]; p.len()]).collect();
    let mut optimizer = make(parameters.clone());
    for step in 1..=4 {
        for ((parameter, expected), states) in parameters.iter().zip(&mut expected).zip(&mut states) {
            let grad = ops::to_dtype(&sample(parameter.shape(), step as f64), Some(dtype)).unwrap();
            for ((p, g), state) in expected.iter_mut().zip(values(&grad)).zip(states) {
                *p = update(step, *p, g, state);
            }
            parameter.set_grad(Some(grad)).unwrap();
        }
        let versions: Vec<u32> = parameters.iter().map(|p| p.storage().version()).collect();
        optimizer.step().unwrap();
        for ((parameter, expected), version) in parameters.iter().zip(&expected).zip(versions) {
            assert_close(&values(parameter), expected, tolerance);
            assert!(parameter.numel() == 0 || parameter.storage().version() > version);
        }
    }
    optimizer.zero_grad().unwrap();
    assert!(parameters.iter().all(|p| p.grad().is_none()));
}

#[test]
fn sgd_in_all_its_variants() {
    let variants = [
        SgdOptions { learning_rate: 0.1, ..SgdOptions::default() },
        SgdOptions { learning_rate: 0.1, weight_decay: 0.2, maximize: true, ..SgdOptions::default() },
        SgdOptions { learning_rate: 0.1, momentum: 0.9, dampening: 0.3, ..SgdOptions::default() },
        SgdOptions {
            learning_rate: 0.1,
            momentum: 0.9,
            nesterov: true,
            weight_decay: 0.1,
            ..SgdOptions::default()
        },
        SgdOptions { learning_rate: 0.1, momentum: 0.5, maximize: true, ..SgdOptions::default() },
    ];
    for options in variants {
        let reference = |step: usize, p: f64, g: f64, state: &mut [f64; 3]| {
            let mut g = if options.maximize { -g } else { g } + options.weight_decay * p;
            if options.momentum != 0.0 {
                state[0] =
                    if step == 1 { g } else { options.momentum * state[0] + (1.0 - options.dampening) * g };
                g = if options.nesterov { g + options.momentum * state[0] } else { state[0] };
            }
            p - options.learning_rate * g
        };
        for (dtype, tolerance) in [(DType::Float64, 1e-13), (DType::Float32, 1e-6)] {
            compare(dtype, tolerance, |p| Box::new(Sgd::new(p, options).unwrap()), reference);
        }
    }
}

#[test]
fn adam_in_all_its_variants() {
    let base = Adam { learning_rate: 0.05, betas: (0.8, 0.95), eps: 1e-3, ..Adam::default() };
    let variants = [
        base,
        Adam { weight_decay: 0.1, ..base },
        Adam { amsgrad: true, maximize: true, ..base },
        Adam { weight_decay: 0.1, decay: WeightDecay::Decoupled, ..base },
        Adam { weight_decay: 0.1, decay: WeightDecay::Decoupled, amsgrad: true, ..base },
    ];
    for options in variants {
        let (beta1, beta2) = options.betas;
        let reference = |step: usize, mut p: f64, g: f64, [mean, square, largest]: &mut [f64; 3]| {
            let mut g = if options.maximize { -g } else { g };
            match options.decay {
                WeightDecay::Gradient => g += options.weight_decay * p,
                WeightDecay::Decoupled => p *= 1.0 - options.learning_rate * options.weight_decay,
            }
            *mean = beta1 * *mean + (1.0 - beta1) * g;
            *square = beta2 * *square + (1.0 - beta2) * g * g;
            *largest = largest.max(*square);
            let second = if options.amsgrad { *largest } else { *square };
            let corrected = (second / (1.0 - beta2.powi(step as i32))).sqrt();
            p - options.learning_rate / (1.0 - beta1.powi(step as i32)) * *mean / (corrected + options.eps)
        };
        for (dtype, tolerance) in [(DType::Float64, 1e-13), (DType::Float32, 2e-6)] {
            compare(dtype, tolerance, |p| Box::new(RuleOptimizer::new(p, options).unwrap()), reference);
        }
    }
}

#[test]
fn a_parameter_without_gradient_stays() {
    init();
    let (moved, still) = (sample(&[2], 0.0), sample(&[2], 1.0));
    let before = values(&still);
    moved.set_grad(Some(sample(&[2], 2.0))).unwrap();
    let mut optimizer = RuleOptimizer::new(vec![still.clone(), moved.clone()], Adam::adamw()).unwrap();
    let start = values(&moved);
    optimizer.step().unwrap();
    assert_eq!(values(&still), before);
    assert_ne!(values(&moved), start);
}

#[test]
fn strided_and_half_precision_parameters() {
    init();
    let storage = sample(&[4, 3], 0.0);
    let parameter = ops::transpose(&storage, 0, 1).unwrap();
    let expected: Vec<f64> =
        values(&parameter).iter().zip(values(&sample(&[3, 4], 1.0))).map(|(p, g)| p - 0.5 * g).collect();
    let options = SgdOptions { learning_rate: 0.5, ..SgdOptions::default() };
    sgd_step(&options, from_ref(&parameter), &[sample(&[3, 4], 1.0)], &mut [None]).unwrap();
    assert_close(&values(&parameter), &expected, 1e-15);
    for dtype in [DType::Float16, DType::BFloat16] {
        let parameter = ops::ones(&[3], Some(dtype), None, false).unwrap();
        let grad = ops::full(&[3], 0.5.into(), Some(dtype), None, false).unwrap();
        sgd_step(&options, from_ref(&parameter), &[grad], &mut [None]).unwrap();
        assert_eq!(values(&parameter), [0.75; 3]);
    }
}

#[test]
fn what_cannot_be_optimized_is_refused() {
    init();
    let options = SgdOptions::default();
    let integers = Tensor::from_slice(&[1_i64], &[1]).unwrap();
    let error = sgd_step(&options, from_ref(&integers), from_ref(&integers), &mut [None]).unwrap_err();
    assert_eq!(error.to_string(), "SGD: a parameter must be floating point to be updated, got int64");
    let error = sgd_step(&options, &[sample(&[2], 0.0)], &[sample(&[3], 0.0)], &mut [None]).unwrap_err();
    assert!(error.to_string().contains("[2]") && error.to_string().contains("[3]"), "{error}");
    let expanded = ops::expand(&sample(&[1], 0.0), &[3]).unwrap();
    assert!(sgd_step(&options, &[expanded], &[sample(&[3], 0.0)], &mut [None]).is_err());
    assert!(Sgd::new(vec![], SgdOptions { learning_rate: -1.0, ..options }).is_err());
    assert!(Sgd::new(vec![], SgdOptions { nesterov: true, ..options }).is_err());
    let betas = Adam { betas: (1.0, 0.9), ..Adam::default() };
    assert!(RuleOptimizer::new(vec![], betas).unwrap_err().to_string().contains("index 0"));
}

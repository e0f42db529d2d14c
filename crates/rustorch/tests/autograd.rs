//! The tape over the CPU backend: values in closed form, freeing, errors.
#![allow(clippy::unwrap_used, missing_docs)]

use rustorch::autograd::{self, GradMode};
use rustorch::{DType, Tensor, ops};

fn leaf(data: &[f64], shape: &[usize]) -> Tensor {
    rustorch::init().unwrap();
    Tensor::from_slice(data, shape).unwrap().requires_grad_().unwrap()
}

fn sum(t: &Tensor) -> Tensor {
    ops::sum(t, None, false, None).unwrap()
}

fn backward(t: &Tensor) -> Result<(), rustorch::RusTorchError> {
    autograd::backward(std::slice::from_ref(t), &[None], false, false, None)
}

fn grad_of(t: &Tensor) -> Vec<f64> {
    t.grad().unwrap().to_vec().unwrap()
}

#[test]
fn broadcasting_is_undone() {
    let x = leaf(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[2, 3]);
    let b = leaf(&[10.0, 20.0, 30.0], &[3]);
    backward(&sum(&ops::mul(&x, &b).unwrap())).unwrap();
    assert_eq!(grad_of(&x), [10.0, 20.0, 30.0, 10.0, 20.0, 30.0]);
    assert_eq!(grad_of(&b), [5.0, 7.0, 9.0]);
}

#[test]
fn gradients_accumulate_and_second_pass_raises() {
    let x = leaf(&[3.0], &[1]);
    let y = ops::mul(&x, &x).unwrap();
    autograd::backward(std::slice::from_ref(&y), &[None], true, false, None).unwrap();
    backward(&y).unwrap();
    assert_eq!(grad_of(&x), [12.0]);
    let error = backward(&y).unwrap_err().to_string();
    assert!(error.contains("second time") && error.contains("MulBackward0"), "{error}");
}

#[test]
fn passes_of_several_threads_over_the_same_leaves_all_count() {
    const THREADS: usize = 4;
    const TIMES: usize = 40;
    for elements in [1, 900, 40_000] {
        let x = leaf(&vec![3.0; elements], &[elements]);
        let shared = ops::mul(&x, &x).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for _ in 0..TIMES {
                        backward(&sum(&ops::mul(&x, &x).unwrap())).unwrap();
                        let kept = sum(&shared);
                        autograd::backward(std::slice::from_ref(&kept), &[None], true, false, None).unwrap();
                    }
                });
            }
        });
        // Both are x squared, whose derivative is 6.
        assert_eq!(grad_of(&x), vec![12.0 * (THREADS * TIMES) as f64; elements]);
    }
}

#[test]
#[ignore = "wrong on purpose: tests/tsan.sh must find it"]
fn fault_two_threads_write_to_one_tensor() {
    rustorch::init().unwrap();
    let shared = Tensor::from_slice(&vec![0.0; 8192], &[8192]).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..50 {
                    ops::mul_(&shared, &shared).unwrap();
                }
            });
        }
    });
}

#[test]
fn third_derivative_of_a_polynomial() {
    let x = leaf(&[2.0], &[]);
    let mut y = ops::mul(&ops::mul(&ops::mul(&x, &x).unwrap(), &x).unwrap(), &x).unwrap();
    for expected in [32.0, 48.0, 48.0] {
        let g = autograd::grad(&[y], std::slice::from_ref(&x), &[None], false, true).unwrap();
        y = g.into_iter().next().unwrap().unwrap();
        assert_eq!(y.item().unwrap().to_f64(), expected);
    }
}

#[test]
fn fused_and_recorded_gradients_agree() {
    let data = [-3.0, -0.5, 0.0, 0.25, 1.0, 4.0];
    let f = |x: &Tensor| ops::silu(x).unwrap();
    let a = leaf(&data, &[2, 3]);
    backward(&sum(&f(&a))).unwrap();
    let b = leaf(&data, &[2, 3]);
    let recorded = autograd::grad(&[sum(&f(&b))], std::slice::from_ref(&b), &[None], false, true).unwrap();
    let recorded: Vec<f64> = recorded[0].as_ref().unwrap().to_vec().unwrap();
    for (x, y) in grad_of(&a).iter().zip(&recorded) {
        assert!((x - y).abs() <= 1e-15 * y.abs().max(1.0), "{x} {y}");
    }
}

#[test]
fn in_place_change_of_a_saved_tensor_raises() {
    let x = leaf(&[1.0, 2.0], &[2]);
    let y = ops::exp(&x).unwrap();
    ops::add_(&y, &Tensor::number(1.0).unwrap(), 1.into()).unwrap();
    let error = backward(&sum(&y)).unwrap_err().to_string();
    assert!(error.contains("modified by an inplace operation"), "{error}");
}

#[test]
fn in_place_ops_are_recorded() {
    let x = leaf(&[2.0, 3.0], &[2]);
    let y = ops::mul(&x, &Tensor::number(2.0).unwrap()).unwrap();
    ops::mul_(&y, &x).unwrap();
    backward(&sum(&y)).unwrap();
    assert_eq!(grad_of(&x), [8.0, 12.0]);
    assert!(ops::mul_(&x, &x).unwrap_err().to_string().contains("leaf"));
    let _mode = GradMode::no_grad();
    ops::mul_(&x, &Tensor::number(0.5).unwrap()).unwrap();
    assert_eq!(x.to_vec::<f64>().unwrap(), [1.0, 1.5]);
}

#[test]
fn a_chain_of_a_million_nodes() {
    let x = leaf(&[1.0], &[1]);
    let one = Tensor::number(1.0).unwrap();
    let mut y = x.clone();
    for _ in 0..1_000_000 {
        y = ops::add(&y, &one, 1.into()).unwrap();
    }
    backward(&y).unwrap();
    assert_eq!(grad_of(&x), [1.0]);
    // Dropped without a backward pass, too.
    let mut z = x.clone();
    for _ in 0..1_000_000 {
        z = ops::mul(&z, &x).unwrap();
    }
    drop(z);
}

#[test]
fn a_missing_gradient_raises() {
    let x = leaf(&[1.5], &[1]);
    let error = backward(&ops::igamma(&x, &x).unwrap()).unwrap_err().to_string();
    assert!(error.contains("'igamma' by 'input'"), "{error}");
}

#[test]
fn mixed_dtypes_give_each_leaf_its_own() {
    let a = leaf(&[1.0, 2.0], &[2]);
    let b = Tensor::from_slice(&[3.0_f32, 4.0], &[2]).unwrap().requires_grad_().unwrap();
    backward(&sum(&ops::mul(&a, &b).unwrap())).unwrap();
    assert_eq!(b.grad().unwrap().dtype(), DType::Float32);
    assert_eq!(b.grad().unwrap().to_vec::<f32>().unwrap(), [1.0, 2.0]);
    assert_eq!(grad_of(&a), [3.0, 4.0]);
}

#[test]
fn views_and_joins() {
    let x = leaf(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[2, 3]);
    let first = ops::select(&x, 0, 0).unwrap();
    let tail = ops::reshape(&ops::slice(&x, 1, 1, 3, 1).unwrap(), &[-1]).unwrap();
    let joined = ops::cat(&[first, tail], 0).unwrap();
    assert_eq!(joined.to_vec::<f64>().unwrap(), [1.0, 2.0, 3.0, 2.0, 3.0, 5.0, 6.0]);
    backward(&sum(&ops::mul(&joined, &joined).unwrap())).unwrap();
    assert_eq!(grad_of(&x), [2.0, 8.0, 12.0, 0.0, 10.0, 12.0]);
}

#[test]
fn in_place_on_a_view_reaches_the_base_and_its_other_views() {
    let w = leaf(&[2.0, 3.0], &[2]);
    let x = Tensor::from_slice(&[1.0, 1.0, 5.0, 7.0], &[2, 2]).unwrap();
    let other = ops::select(&x, 0, 0).unwrap();
    let row = ops::select(&x, 0, 0).unwrap();
    ops::mul_(&row, &w).unwrap();
    assert!(x.requires_grad() && other.requires_grad());
    assert_eq!(x.grad_fn_name().unwrap(), "<CopySlices>");
    let column = ops::select(&x, 1, 1).unwrap();
    ops::mul_(&column, &w).unwrap();
    // x is now [[w0, w1 * w0], [5, 7 * w1]].
    assert_eq!(x.to_vec::<f64>().unwrap(), [2.0, 6.0, 5.0, 21.0]);
    autograd::backward(&[sum(&x)], &[None], true, false, None).unwrap();
    assert_eq!(grad_of(&w), [1.0 + 3.0, 2.0 + 7.0]);
    w.set_grad(None).unwrap();
    backward(&sum(&other)).unwrap();
    assert_eq!(grad_of(&w), [4.0, 2.0]);
}

#[test]
fn a_view_of_a_tensor_changed_afterwards_follows_it() {
    let w = leaf(&[2.0, 3.0], &[2]);
    let x = ops::mul(&w, &Tensor::number(1.0).unwrap()).unwrap();
    let first = ops::select(&x, 0, 0).unwrap();
    ops::mul_(&x, &w).unwrap();
    backward(&first).unwrap();
    assert_eq!(grad_of(&w), [4.0, 0.0]);
}

#[test]
fn a_view_made_without_recording_refuses() {
    let w = leaf(&[2.0, 3.0], &[2]);
    let x = ops::mul(&w, &w).unwrap();
    let view = {
        let _mode = GradMode::no_grad();
        ops::select(&x, 0, 0).unwrap()
    };
    let error = ops::mul_(&view, &Tensor::number(2.0).unwrap()).unwrap_err().to_string();
    assert!(error.contains("no_grad"), "{error}");
}

#[test]
fn a_view_that_reaches_beyond_its_base_is_not_recorded() {
    let w = leaf(&[2.0], &[1]);
    let whole = Tensor::from_slice(&[1.0, 2.0, 3.0, 4.0], &[4]).unwrap();
    let tail = ops::slice(&whole, 0, 2, 4, 1).unwrap().detach();
    let before = ops::as_strided(&tail, &[1], &[1], Some(0)).unwrap();
    let error = ops::mul_(&before, &w).unwrap_err().to_string();
    assert!(error.contains("reaches beyond"), "{error}");
    assert_eq!(whole.to_vec::<f64>().unwrap(), [1.0, 2.0, 3.0, 4.0]);
}

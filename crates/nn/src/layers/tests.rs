#![allow(clippy::unwrap_used)]

use rustorch_tensor::autograd::backward;
use rustorch_tensor::{DType, Scalar, Tensor, TensorOptions, ops};

use super::*;
use crate::functional::Padding;
use crate::testing::{assert_close, init, sample, values};

fn float64() -> TensorOptions {
    TensorOptions { dtype: Some(DType::Float64), ..TensorOptions::default() }
}

/// Compares the gradients of `Σ layer(input)²` by the input and each learned tensor with central differences.
fn check_gradients(layer: &dyn Layer, input: &Tensor) {
    let loss = || {
        let y = layer.forward(input).unwrap();
        ops::sum(&ops::mul(&y, &y).unwrap(), None, false, None).unwrap()
    };
    input.set_requires_grad(true).unwrap();
    let mut leaves = layer.learned();
    leaves.push(input.clone());
    backward(&[loss()], &[None], false, false, None).unwrap();
    for leaf in leaves {
        let grad = values(&leaf.grad().unwrap());
        let flat = ops::reshape(&leaf.detach(), &[-1]).unwrap();
        let numeric: Vec<f64> = (0..grad.len())
            .map(|i| {
                let element = ops::select(&flat, 0, i as i64).unwrap();
                let at = element.item().unwrap().to_f64();
                let mut moved = [1e-6, -1e-6].map(|h| {
                    element.backend().unwrap().fill(element.operand(), Scalar::Float(at + h)).unwrap();
                    loss().item().unwrap().to_f64()
                });
                moved.swap(0, 1);
                element.backend().unwrap().fill(element.operand(), Scalar::Float(at)).unwrap();
                (moved[1] - moved[0]) / 2e-6
            })
            .collect();
        assert_close(&grad, &numeric, 1e-6);
    }
}

#[test]
fn gradients_of_every_parameterized_layer() {
    init();
    check_gradients(&Linear::new(LinearConfig::new(3, 2), float64()).unwrap(), &sample(&[4, 3], 0.0));
    let conv = ConvConfig {
        stride: [1, 2],
        dilation: [2, 1],
        groups: 2,
        ..ConvConfig::new(4, 6, [2, 3]).padding(1)
    };
    check_gradients(&Conv2d::new(conv, float64()).unwrap(), &sample(&[2, 4, 4, 5], 0.1));
    let same = ConvConfig { padding: Padding::Same, ..ConvConfig::new(1, 2, [4]) };
    check_gradients(&Conv1d::new(same, float64()).unwrap(), &sample(&[2, 1, 5], 0.2));
    let volume = ConvConfig::new(2, 1, [2, 1, 2]);
    check_gradients(&Conv3d::new(volume, float64()).unwrap(), &sample(&[1, 2, 3, 2, 3], 0.3));
    check_gradients(
        &LayerNorm::new(LayerNormConfig::new(vec![2, 3]), float64()).unwrap(),
        &sample(&[4, 2, 3], 0.4),
    );
    check_gradients(
        &GroupNorm::new(GroupNormConfig::new(2, 4), float64()).unwrap(),
        &sample(&[2, 4, 3], 0.5),
    );
    check_gradients(&BatchNorm::new(BatchNormConfig::new(3), float64()).unwrap(), &sample(&[4, 3, 2], 0.6));
}

#[test]
fn gradients_of_layers_without_parameters() {
    init();
    check_gradients(&MaxPool::<2>::new(2), &sample(&[2, 1, 4, 5], 0.0));
    check_gradients(&AvgPool::<1>::new(3), &sample(&[2, 2, 7], 0.1));
    check_gradients(&AdaptiveAvgPool { output_size: [3] }, &sample(&[1, 2, 5], 0.2));
    let net =
        Sequential::new().then(Activation::Gelu).then(Flatten::default()).then(Activation::LogSoftmax(1));
    check_gradients(&net, &sample(&[2, 2, 3], 0.3));
}

#[test]
fn a_linear_layer_by_hand() {
    init();
    let layer = Linear::new(LinearConfig::new(2, 1), float64()).unwrap();
    let (weight, bias) =
        (values(layer.parameters().get("weight").unwrap()), values(layer.parameters().get("bias").unwrap()));
    assert!(weight.iter().chain(&bias).all(|v| v.abs() <= 1.0 / 2.0_f64.sqrt()));
    let input = sample(&[3, 2], 0.0);
    let x = values(&input);
    let expected: Vec<f64> =
        (0..3).map(|i| x[2 * i] * weight[0] + x[2 * i + 1] * weight[1] + bias[0]).collect();
    assert_close(&values(&layer.forward(&input).unwrap()), &expected, 1e-12);
}

#[test]
fn a_configuration_computes_with_what_it_is_handed() {
    init();
    let layer = Linear::configuration(LinearConfig { bias: false, ..LinearConfig::new(2, 3) });
    assert!(layer.forward(&sample(&[1, 2], 0.0)).unwrap_err().to_string().contains("forward_with"));
    let weight = sample(&[3, 2], 1.0);
    assert_eq!(layer.forward_with(&[Some(&weight), None], &sample(&[1, 2], 0.0)).unwrap().shape(), [1, 3]);
    let error = layer.forward_with(&[None, None], &sample(&[1, 2], 0.0)).unwrap_err();
    assert_eq!(error.to_string(), "linear: the layer was not handed its tensor 'weight'");
}

#[test]
fn batch_norm_gathers_statistics() {
    init();
    for (momentum, shares) in [(Some(0.1), [0.1, 0.1]), (None, [1.0, 0.5])] {
        let config = BatchNormConfig { momentum, ..BatchNormConfig::new(2) };
        let mut layer = BatchNorm::new(config, float64()).unwrap();
        let (mut mean, mut var) = ([0.0; 2], [1.0; 2]);
        for (batch, share) in shares.into_iter().enumerate() {
            let input = sample(&[3, 2, 2], batch as f64);
            layer.forward(&input).unwrap();
            let x = values(&input);
            for c in 0..2 {
                let channel: Vec<f64> = (0..6).map(|i| x[i / 2 * 4 + c * 2 + i % 2]).collect();
                let m = channel.iter().sum::<f64>() / 6.0;
                let v = channel.iter().map(|x| (x - m).powi(2)).sum::<f64>() / 5.0;
                mean[c] += share * (m - mean[c]);
                var[c] += share * (v - var[c]);
            }
        }
        let state: std::collections::HashMap<_, _> = layer.state().into_iter().collect();
        assert_close(&values(&state["running_mean"]), &mean, 1e-12);
        assert_close(&values(&state["running_var"]), &var, 1e-12);
        assert_eq!(state["num_batches_tracked"].item().unwrap(), Scalar::Int(2));
        layer.set_training(false);
        let input = sample(&[1, 2, 1], 5.0);
        let expected: Vec<f64> =
            values(&input).iter().enumerate().map(|(c, x)| (x - mean[c]) / (var[c] + 1e-5).sqrt()).collect();
        assert_close(&values(&layer.forward(&input).unwrap()), &expected, 1e-12);
    }
}

#[test]
fn an_embedding_reads_rows_and_leaves_its_padding_alone() {
    init();
    let config = EmbeddingConfig { padding_idx: Some(1), ..EmbeddingConfig::new(3, 2) };
    let layer = Embedding::new(config, float64()).unwrap();
    let weight = layer.parameters().get("weight").unwrap().clone();
    let table = values(&weight);
    assert_eq!(table[2..4], [0.0, 0.0]);
    let indices = Tensor::from_slice(&[2_i64, 1, 2], &[3]).unwrap();
    let output = layer.forward(&indices).unwrap();
    assert_eq!(values(&output), [table[4], table[5], 0.0, 0.0, table[4], table[5]]);
    backward(&[ops::sum(&output, None, false, None).unwrap()], &[None], false, false, None).unwrap();
    assert_eq!(values(&weight.grad().unwrap()), [0.0, 0.0, 0.0, 0.0, 2.0, 2.0]);
    assert!(
        Embedding::configuration(EmbeddingConfig { padding_idx: Some(3), ..EmbeddingConfig::new(3, 2) })
            .is_err()
    );
}

#[test]
fn dropout_keeps_the_mean_and_rests_when_not_training() {
    init();
    let mut layer = Dropout::new(0.25).unwrap();
    let ones = ops::ones(&[20_000], None, None, false).unwrap();
    let dropped = values(&layer.forward(&ones).unwrap());
    assert!(dropped.iter().all(|&v| v == 0.0 || (v - 4.0 / 3.0).abs() < 1e-6));
    let mean = dropped.iter().sum::<f64>() / 20_000.0;
    assert!((mean - 1.0).abs() < 0.02, "{mean}");
    layer.set_training(false);
    assert_eq!(values(&layer.forward(&ones).unwrap()), vec![1.0; 20_000]);
    assert!(Dropout::new(1.5).is_err());
}

#[test]
fn a_sequence_names_its_tensors_as_pytorch_does() {
    init();
    let net = Sequential::new()
        .then(Conv2d::new(ConvConfig::new(1, 2, [3, 3]), float64()).unwrap())
        .then(BatchNorm::new(BatchNormConfig::new(2), float64()).unwrap())
        .then(Activation::Relu)
        .then_named(
            "head",
            Linear::new(LinearConfig { bias: false, ..LinearConfig::new(2, 1) }, float64()).unwrap(),
        );
    let names: Vec<String> = net.state().into_iter().map(|(name, _)| name).collect();
    let expected = [
        "0.weight",
        "0.bias",
        "1.weight",
        "1.bias",
        "1.running_mean",
        "1.running_var",
        "1.num_batches_tracked",
        "head.weight",
    ];
    assert_eq!(names, expected);
    assert_eq!(net.learned().len(), 5);
}

#[test]
fn sizes_of_a_convolutions_output() {
    let config = ConvConfig { stride: [2, 1], dilation: [1, 2], ..ConvConfig::new(1, 1, [3, 2]).padding(1) };
    let layer = Conv2d::configuration(config).unwrap();
    assert_eq!(layer.output_size(&[8, 5]).unwrap(), [4, 5]);
    assert!(layer.output_size(&[0, 5]).is_err());
    let groups = ConvConfig { groups: 2, ..ConvConfig::new(3, 4, [1]) };
    let error = Conv1d::configuration(groups).unwrap_err();
    assert_eq!(error.to_string(), "conv: in_channels must be divisible by groups");
}

//! Trains a small convolutional network on handwritten digits, as `examples/digits/train.py` does from Python.
//!
//! `cargo run --release --example digits`

use std::path::Path;

use rustorch::autograd::{GradMode, backward};
use rustorch::model_io::safetensors::load_file;
use rustorch::nn::layers::{
    Activation, BatchNorm, BatchNormConfig, Conv2d, ConvConfig, Dropout, Flatten, Layer, Linear,
    LinearConfig, MaxPool, Sequential,
};
use rustorch::nn::loss::{CrossEntropyLoss, Loss};
use rustorch::nn::optim::{Adam, Optimizer, RuleOptimizer};
use rustorch::{Device, Result, RusTorchError, Tensor, TensorOptions, ops};

const EPOCHS: usize = 15;
const BATCH_SIZE: usize = 32;
const LEARNING_RATE: f64 = 3e-3;
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../python/rustorch/datasets/digits.safetensors");

/// Images (N, 1, 8, 8) and their labels (N).
struct Digits {
    images: Tensor,
    labels: Tensor,
}

impl Digits {
    /// The digits at the given positions.
    fn at(&self, indices: &Tensor) -> Result<(Tensor, Tensor)> {
        Ok((ops::index_select(&self.images, 0, indices)?, ops::index_select(&self.labels, 0, indices)?))
    }

    fn len(&self) -> usize {
        self.labels.numel()
    }
}

/// Every third digit is held out for testing. The file's packing is described in the README beside it.
fn load() -> Result<(Digits, Digits)> {
    let file = load_file(Path::new(FILE), Device::CPU)?;
    let bytes = |name: &str| {
        let found = file.tensors.iter().find(|(n, _)| n == name);
        found
            .ok_or_else(|| RusTorchError::model_format(format!("{FILE}: there is no tensor '{name}'")))
            .and_then(|(_, tensor)| tensor.to_vec::<u8>())
    };
    let (mask, ink, labels) = (bytes("mask")?, bytes("ink")?, bytes("labels")?);
    // One bit per pixel says whether there is ink; one half byte per inked pixel says how much, from 1 to 16.
    let mut amounts =
        ink.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|half| f32::from(half + 1) / 16.0);
    let inked = mask.iter().flat_map(|byte| (0..8).map(move |bit| byte >> (7 - bit) & 1 == 1));
    let pixels: Vec<f32> =
        inked.map(|inked| if inked { amounts.next().unwrap_or(0.0) } else { 0.0 }).collect();
    let part = |held_out: bool| -> Result<Digits> {
        let chosen = (0..labels.len()).filter(|i| (i % 3 == 2) == held_out);
        let (mut images, mut classes) = (Vec::new(), Vec::new());
        for i in chosen {
            images.extend_from_slice(&pixels[i * 64..(i + 1) * 64]);
            classes.push(i64::from(labels[i]));
        }
        let images = Tensor::from_slice(&images, &[classes.len(), 1, 8, 8])?;
        Ok(Digits { images, labels: Tensor::from_slice(&classes, &[classes.len()])? })
    };
    Ok((part(false)?, part(true)?))
}

/// Three convolutions and a linear layer: images (N, 1, 8, 8) to scores (N, 10). 26,090 parameters.
fn network() -> Result<Sequential> {
    let options = TensorOptions::default();
    let conv = |from, to| Conv2d::new(ConvConfig::new(from, to, [3, 3]).padding(1), options);
    let norm = |channels| BatchNorm::new(BatchNormConfig::new(channels), options);
    Ok(Sequential::new()
        .then(conv(1, 16)?)
        .then(norm(16)?)
        .then(Activation::Relu)
        .then(conv(16, 32)?)
        .then(norm(32)?)
        .then(Activation::Relu)
        .then(MaxPool::<2>::new(2))
        .then(conv(32, 64)?)
        .then(norm(64)?)
        .then(Activation::Relu)
        .then(MaxPool::<2>::new(2))
        .then(Flatten::default())
        .then(Dropout::new(0.5)?)
        .then(Linear::new(LinearConfig::new(64 * 2 * 2, 10), options)?))
}

/// One pass over the training digits in random order; gives the mean loss of its batches.
fn train_epoch(net: &mut Sequential, optimizer: &mut dyn Optimizer, digits: &Digits) -> Result<f64> {
    net.set_training(true);
    let loss = CrossEntropyLoss::default();
    let order = ops::randperm(digits.len() as i64, None, None, None, false)?;
    let batches = ops::split(&order, BATCH_SIZE as i64, 0)?;
    let mut total = 0.0;
    for indices in &batches {
        let (images, labels) = digits.at(indices)?;
        optimizer.zero_grad()?;
        let loss = loss.forward(&net.forward(&images)?, &labels)?;
        backward(std::slice::from_ref(&loss), &[None], false, false, None)?;
        optimizer.step()?;
        total += loss.item()?.to_f64();
    }
    Ok(total / batches.len() as f64)
}

/// The share of digits that the network names rightly.
fn accuracy(net: &mut Sequential, digits: &Digits) -> Result<f64> {
    net.set_training(false);
    let _mode = GradMode::no_grad();
    let seen = ops::argmax(&net.forward(&digits.images)?, Some(1), false)?.to_vec::<i64>()?;
    let right =
        seen.iter().zip(digits.labels.to_vec::<i64>()?).filter(|(seen, label)| **seen == *label).count();
    Ok(right as f64 / digits.len() as f64)
}

#[allow(clippy::print_stdout)] // What the example is for.
fn main() -> Result<()> {
    rustorch::init()?;
    rustorch::manual_seed(0);
    let (training, test) = load()?;
    let mut net = network()?;
    let parameters = net.learned();
    let count: usize = parameters.iter().map(Tensor::numel).sum();
    println!(
        "{count} parameters, {} digits to train on, {} held out for testing",
        training.len(),
        test.len()
    );
    let rule = Adam { learning_rate: LEARNING_RATE, weight_decay: 0.05, ..Adam::adamw() };
    let mut optimizer = RuleOptimizer::new(parameters, rule)?;
    let start = std::time::Instant::now();
    for epoch in 0..EPOCHS {
        optimizer.set_learning_rate(LEARNING_RATE * (1.0 - epoch as f64 / EPOCHS as f64))?;
        let loss = train_epoch(&mut net, &mut optimizer, &training)?;
        let share = accuracy(&mut net, &test)?;
        println!("epoch {:2}/{EPOCHS}   loss {loss:.4}   test accuracy {:.2}%", epoch + 1, share * 100.0);
    }
    println!("trained in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

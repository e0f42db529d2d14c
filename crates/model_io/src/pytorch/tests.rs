#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;

use rustorch_cpu_simd::CpuBackend;
use rustorch_tensor::{RusTorchError, Tensor, ops};

use crate::common::output::Output;
use crate::common::source::Source;
use crate::format::{Format, ReadOptions};
use crate::pytorch::PyTorch;
use crate::registry::detect;
use crate::tree::{Content, Dict, DictKind, Id, Node, TensorClass, TensorNode};

fn init() {
    static CPU: LazyLock<CpuBackend> = LazyLock::new(|| CpuBackend::new().unwrap());
    rustorch_tensor::registry::register(&*CPU);
}

/// Two tensors of one storage, and a third.
fn content() -> Content {
    let whole = Tensor::from_slice(&[1.0_f32, 2.0, 3.0, 4.0], &[2, 2]).unwrap();
    let row = ops::select(&whole, 0, 1).unwrap();
    let other = Tensor::from_slice(&[7_i64], &[1]).unwrap();
    let mut content = Content { tensors: vec![whole, row, other], ..Content::default() };
    let nodes = &mut content.tree.nodes;
    let mut items = Vec::new();
    for (index, name) in ["whole", "row", "other"].into_iter().enumerate() {
        let class = if index == 1 { TensorClass::Parameter } else { TensorClass::Plain };
        let node = TensorNode { index: index as u32, class, requires_grad: false, attributes: None };
        nodes.push(Node::Text(name.into()));
        nodes.push(Node::Tensor(Box::new(node)));
        items.push((Id(nodes.len() as u32 - 2), Id(nodes.len() as u32 - 1)));
    }
    nodes.push(Node::Dict(Box::new(Dict { kind: DictKind::Ordered, items, attributes: None })));
    content.tree.root = Some(Id(nodes.len() as u32 - 1));
    content
}

fn written(content: &Content) -> Vec<u8> {
    let mut bytes = Vec::new();
    PyTorch.write(content, &mut Output::new("bytes", &mut bytes)).unwrap();
    bytes
}

fn read(bytes: &[u8]) -> Result<Content, RusTorchError> {
    let source = Source::memory("bytes", bytes);
    detect(&source)?.read(&source, &mut ReadOptions::default())
}

fn tensor<'c>(content: &'c Content, name: &str) -> &'c Tensor {
    let tree = &content.tree;
    match tree.get(tree.entry(tree.root.unwrap(), name).unwrap()) {
        Node::Tensor(node) => &content.tensors[node.index as usize],
        other => panic!("{name} is {}", other.kind()),
    }
}

#[test]
fn what_is_written_comes_back_with_its_sharing() {
    init();
    let found = read(&written(&content())).unwrap();
    assert_eq!(tensor(&found, "whole").to_vec::<f32>().unwrap(), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(tensor(&found, "row").to_vec::<f32>().unwrap(), [3.0, 4.0]);
    assert_eq!(tensor(&found, "other").to_vec::<i64>().unwrap(), [7]);
    let address = |name| tensor(&found, name).storage().buffer().address();
    assert_eq!(address("whole"), address("row"));
    assert_ne!(address("whole"), address("other"));
}

#[test]
fn inspecting_names_the_tensors() {
    init();
    let bytes = written(&content());
    let found = PyTorch.inspect(&Source::memory("bytes", &bytes[..])).unwrap();
    let tensors: Vec<_> =
        found.tensors.iter().map(|t| (t.name.as_str(), t.dtype.as_str(), &t.shape[..])).collect();
    assert_eq!(
        tensors,
        [("whole", "float32", &[2, 2][..]), ("row", "float32", &[2]), ("other", "int64", &[1])]
    );
    assert!(found.names.is_empty());
}

/// No file that is nearly a good one ends the process or is read beyond its end.
#[test]
fn files_that_are_cut_or_changed_are_refused_or_read() {
    init();
    let good = written(&content());
    for length in 0..good.len() {
        assert!(read(&good[..length]).is_err(), "{length} bytes");
    }
    let mut refused = 0;
    for at in 0..good.len() {
        for bit in [0, 3, 7] {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << bit;
            if let Err(error) = read(&bytes) {
                assert!(
                    matches!(error, RusTorchError::ModelFormat { .. } | RusTorchError::Device { .. }),
                    "{error:?}"
                );
                refused += 1;
            }
        }
    }
    // Times, padding and attributes may change; checksums see the rest.
    assert!(refused > good.len());
}

#[test]
fn what_is_not_plain_data_is_not_written() {
    let mut content = Content::default();
    content.tree.nodes.push(Node::Class("os.system".into()));
    content.tree.root = Some(Id(0));
    let mut bytes = Vec::new();
    let error = PyTorch.write(&content, &mut Output::new("bytes", &mut bytes)).unwrap_err();
    assert!(error.to_string().contains("os.system"), "{error}");
}

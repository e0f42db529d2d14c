#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::LazyLock;

use rustorch_cpu_simd::CpuBackend;
use rustorch_tensor::{DType, Device, RusTorchError, Scalar, Tensor, ops};

use super::*;

fn init() {
    static CPU: LazyLock<CpuBackend> = LazyLock::new(|| CpuBackend::new().unwrap());
    rustorch_tensor::registry::register(&*CPU);
}

/// A folder of its own, removed when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rustorch-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn assert_same(a: &Tensor, b: &Tensor) {
    assert_eq!((a.shape(), a.dtype()), (b.shape(), b.dtype()));
    let numbers = |t: &Tensor| {
        let t = if t.dtype().is_complex() { ops::view_as_real(t).unwrap() } else { t.clone() };
        t.to_vec::<f64>().unwrap().into_iter().map(f64::to_bits).collect::<Vec<_>>()
    };
    assert_eq!(numbers(a), numbers(b));
}

#[test]
fn every_dtype_comes_back() {
    init();
    let folder = Folder::new("dtypes");
    let path = folder.0.join("model.safetensors");
    let values = Tensor::from_slice(&[0.0, 1.0, 100.0, f64::NAN, 1.5, -0.0], &[2, 3]).unwrap();
    let mut tensors = Vec::new();
    for dtype in DType::ALL.into_iter().filter(|&d| d != DType::Complex128) {
        let source = if dtype.is_floating_point() {
            values.clone()
        } else {
            ops::ones(&[2, 3], None, None, false).unwrap()
        };
        tensors.push((dtype.name().to_owned(), ops::to_dtype(&source, Some(dtype)).unwrap()));
    }
    tensors.push(("strided".into(), ops::transpose(&values, 0, 1).unwrap()));
    tensors.push(("offset".into(), ops::select(&values, 0, 1).unwrap()));
    tensors.push(("empty".into(), ops::zeros(&[0, 3], None, None, false).unwrap()));
    tensors.push(("scalar".into(), Tensor::scalar(Scalar::Float(2.5), DType::Float32, Device::CPU).unwrap()));
    let about = FileMetadata::from([("epoch".to_owned(), "3".to_owned())]);
    save_file(&tensors, &path, Some(about.clone())).unwrap();
    let file = load_file(&path, Device::CPU).unwrap();
    assert_eq!(file.metadata, about);
    assert_eq!(file.tensors.len(), tensors.len());
    for (name, tensor) in &tensors {
        assert_same(&file.tensors.iter().find(|(n, _)| n == name).unwrap().1, tensor);
    }
    let only: Vec<_> = std::fs::read_dir(&folder.0).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(only, ["model.safetensors"]);
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(load(&bytes, Device::CPU).unwrap().tensors.len(), tensors.len());
    assert_eq!(save(&tensors, Some(about)).unwrap(), bytes);
}

/// The layout of the format's specification, byte for byte.
#[test]
fn the_bytes_are_those_of_the_format() {
    init();
    let header = br#"{"x":{"dtype":"I16","shape":[2],"data_offsets":[0,4]}}  "#;
    let mut expected = (header.len() as u64).to_le_bytes().to_vec();
    expected.extend(header);
    expected.extend([1, 0, 254, 255]);
    let tensor = Tensor::from_slice(&[1_i16, -2], &[2]).unwrap();
    assert_eq!(save(&[("x".into(), tensor.clone())], None).unwrap(), expected);
    assert_same(&load(&expected, Device::CPU).unwrap().tensors[0].1, &tensor);
}

#[test]
fn broken_files_are_refused_by_name() {
    init();
    let folder = Folder::new("broken");
    let good = save(&[("weight".into(), ops::ones(&[4], None, None, false).unwrap())], None).unwrap();
    let path = folder.0.join("broken.safetensors");
    let mut foreign = good.clone();
    let at = foreign.windows(3).position(|w| w == b"F32").unwrap();
    foreign[at..at + 3].copy_from_slice(b"U32");
    let mut offsets = good.clone();
    let at = offsets.windows(6).position(|w| w == b"[0,16]").unwrap();
    offsets[at..at + 6].copy_from_slice(b"[0,15]");
    let entry = r#""a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;
    let header = format!("{{{entry},{entry}}}");
    let twice = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &[0; 4]].concat();
    let cases: [(&[u8], &str); 8] = [
        (&twice, "'a' twice"),
        (b"", "has 0 bytes"),
        (&good[..20], "truncated"),
        (&good[..good.len() - 1], "truncated"),
        (b"PK\x03\x04 a zip archive, as PyTorch writes", "another format"),
        (b"\x02\0\0\0\0\0\0\0xx", "header"),
        (&foreign, "'weight' has dtype U32"),
        (&offsets, "invalid"),
    ];
    for (bytes, reason) in cases {
        std::fs::write(&path, bytes).unwrap();
        let error = load_file(&path, Device::CPU).unwrap_err();
        assert!(matches!(error, RusTorchError::ModelFormat { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("broken.safetensors") && text.contains(reason), "{text}");
    }
}

#[test]
fn what_cannot_be_written_leaves_the_old_file_alone() {
    init();
    let folder = Folder::new("unwritable");
    let path = folder.0.join("model.safetensors");
    let ones = ops::ones(&[2], None, None, false).unwrap();
    save_file(&[("a".into(), ones.clone())], &path, None).unwrap();
    let before = std::fs::read(&path).unwrap();
    let complex = Tensor::empty(&[1], DType::Complex128, Device::CPU).unwrap();
    let error = save_file(&[("c".into(), complex)], &path, None).unwrap_err();
    assert!(error.to_string().contains("complex128") && error.to_string().contains("'c'"), "{error}");
    let twice = [("a".to_owned(), ones.clone()), ("a".to_owned(), ones.clone())];
    assert!(save_file(&twice, &path, None).unwrap_err().to_string().contains("two tensors"));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let nowhere = folder.0.join("missing").join("model.safetensors");
    assert!(matches!(save_file(&[("a".into(), ones)], &nowhere, None), Err(RusTorchError::Io { .. })));
    assert!(matches!(load_file(&nowhere, Device::CPU), Err(RusTorchError::Io { .. })));
}

//! Storages out of their records, and the tensors that show them.

use std::collections::HashMap;
use std::sync::Arc;

use rustorch_backend::memory::{Scratch, gathered};
use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::{Device, Layout, Storage, Tensor, ops, registry};

use crate::common::conversion::{ElementType, swap_bytes};
use crate::common::destination::{Destination, device_of, moved};
use crate::common::source::Source;
use crate::pytorch::pickle::{StorageSpec, TensorSpec, Unpickled};
use crate::tree::{Content, Node};

/// Where the bytes of storages are.
pub(in crate::pytorch) trait Records {
    /// The file.
    fn source(&self) -> &Source<'_>;

    /// Whether numbers are in the other byte order than this machine's.
    fn swap(&self) -> bool;

    /// Fails unless there is a record with as many bytes as the storage is said to have.
    fn check(&self, spec: &StorageSpec) -> Result<()>;

    /// Where the bytes lie in the file, if they lie there as they are.
    fn stored_at(&self, spec: &StorageSpec) -> Result<Option<u64>>;

    /// Hands the bytes to `sink`, piece by piece.
    fn stream(&self, spec: &StorageSpec, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()>;
}

/// The values that a pickle describes, with their tensors.
pub(in crate::pytorch) fn filled(
    read: Unpickled,
    records: &dyn Records,
    destination: &mut Destination<'_>,
) -> Result<Content> {
    // All is looked at before memory is taken for any of it.
    for spec in &read.storages {
        records.check(spec)?;
    }
    let fail = |what: String| records.source().error(what);
    for spec in &read.tensors {
        spec.element.dtype().ok_or_else(|| {
            fail(format!("it holds a tensor of dtype {}, which RusTorch does not have", spec.element))
        })?;
        layout(spec, read.storages[spec.storage as usize].bytes).map_err(fail)?;
    }
    let storages = gathered(read.storages.iter().map(|spec| {
        let storage = load(spec, records)?;
        match destination {
            Destination::Saved if spec.location == "cpu" => Ok(storage),
            Destination::Saved => moved(&storage, device_of(&spec.location)?),
            Destination::Device(device) => moved(&storage, *device),
            Destination::Ask(place) => place(&spec.location, storage),
        }
    }))?;
    let asked = match destination {
        Destination::Device(device) => Some(*device),
        _ => None,
    };
    let tensors = gathered(read.tensors.iter().map(|spec| tensor(spec, &storages, asked, &fail)))?;
    let mut content = Content { tree: read.tree, tensors, storages, metadata: HashMap::new() };
    give_each_object_its_tensor(&mut content);
    Ok(content)
}

/// Two objects of one tensor, as a parameter and the tensor that it was made of, are two tensors that share a storage.
fn give_each_object_its_tensor(content: &mut Content) {
    // Short: one per tensor in the file.
    let mut taken: Vec<bool> = content.tensors.iter().map(|_| false).collect();
    for node in &mut content.tree.nodes {
        let Node::Tensor(node) = node else { continue };
        let index = node.index as usize;
        if std::mem::replace(&mut taken[index], true) {
            node.index = content.tensors.len() as u32;
            content.tensors.push(content.tensors[index].detach());
        }
    }
}

fn load(spec: &StorageSpec, records: &dyn Records) -> Result<Arc<Storage>> {
    let size =
        usize::try_from(spec.bytes).map_err(|_| records.source().error("a storage is larger than memory"))?;
    let swapped = spec.element.filter(|_| records.swap()).map_or(1, ElementType::swapped);
    if swapped == 1
        && let Some(at) = records.stored_at(spec)?
        && let Some(part) = records.source().lend(at, size)
    {
        return Ok(Arc::new(Storage::from_buffer(part, Device::CPU)));
    }
    let storage = Storage::allocate(Device::CPU, size)?;
    let (backend, _) = registry::resolve(Device::CPU)?;
    let mut at = 0;
    if swapped > 1 {
        let mut whole = Scratch::zeroed(size)?;
        records.stream(spec, &mut |piece| {
            whole[at..at + piece.len()].copy_from_slice(piece);
            at += piece.len();
            Ok(())
        })?;
        swap_bytes(&mut whole, swapped);
        backend.write(storage.buffer(), 0, &whole)?;
    } else {
        records.stream(spec, &mut |piece| {
            backend.write(storage.buffer(), at, piece)?;
            at += piece.len();
            Ok(())
        })?;
    }
    Ok(Arc::new(storage))
}

/// How a tensor lies in the whole of its storage.
fn layout(spec: &TensorSpec, bytes: u64) -> Result<Layout, String> {
    let (start, within) = spec.window;
    let layout = spec.placement.layout(spec.element, within)?;
    let element = spec.element.size() as u64;
    if start % element != 0 || start + within > bytes {
        return Err(format!("a view of a storage begins at byte {start} and has {within}, of {bytes}"));
    }
    let offset = layout.offset() + (start / element) as usize;
    layout.at_offset("load", offset).map_err(|error| error.to_string())
}

fn tensor(
    spec: &TensorSpec,
    storages: &[Arc<Storage>],
    asked: Option<Device>,
    fail: &dyn Fn(String) -> RusTorchError,
) -> Result<Tensor> {
    let storage = &storages[spec.storage as usize];
    let unknown =
        || fail(format!("it holds a tensor of dtype {}, which RusTorch does not have", spec.element));
    let dtype = spec.element.dtype().ok_or_else(unknown)?;
    let layout = layout(spec, storage.buffer().bytes() as u64).map_err(fail)?;
    let mut tensor = Tensor::from_storage(storage.clone(), layout, dtype)?;
    // RusTorch's tensors show their storage's numbers as they are: what the file shows otherwise is computed, of as many
    // numbers as the storage has.
    let held = storage.buffer().bytes() / dtype.size();
    if (spec.conjugated || spec.negated) && tensor.numel() > held {
        return Err(fail(format!(
            "a tensor shows {} conjugates or negatives of {held} numbers",
            tensor.numel()
        )));
    }
    if spec.conjugated {
        tensor = ops::conj(&tensor)?.detach();
    }
    if spec.negated {
        tensor = ops::neg(&tensor)?.detach();
    }
    match (&spec.device, asked) {
        (Some(_), Some(_)) | (None, _) => Ok(tensor),
        (Some(device), None) => ops::to_device(&tensor, Some(device_of(device)?), false),
    }
}

//! Checkpoints as PyTorch wrote them before version 1.6: a magic number, a version and facts about the machine, each a pickle;
//! the values; the storages' keys; and the storages' bytes one after the other.

use std::collections::HashMap;

use rustorch_backend::memory::Scratch;
use rustorch_error::{Result, RusTorchError};

use super::storages::Records;
use crate::common::conversion::ElementType;
use crate::common::source::Source;
use crate::pytorch::pickle::{Input, Machine, Persistent, Rules, StorageSpec, Unpickled};
use crate::tree::{Id, Node};

/// The magic number: 0x1950a86a20f9469cfc6c, the lowest byte first.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const VERSION: i64 = 1001;

/// How many bytes are read at once.
const CHUNK: usize = 256 << 10;

/// Where the storages of a file are that has them one after the other.
#[derive(Debug)]
pub(in crate::pytorch) struct Sequence<'a> {
    source: &'a Source<'a>,
    swap: bool,
    places: HashMap<String, (u64, u64)>,
}

impl<'a> Sequence<'a> {
    /// No storages yet.
    pub(super) fn new(source: &'a Source<'a>, swap: bool) -> Self {
        Sequence { source, swap, places: HashMap::new() }
    }

    /// Reads the number of elements that a storage begins with, notes where its bytes are, and passes over them.
    pub(super) fn pass(
        &mut self,
        input: &mut Input<'_>,
        key: &str,
        element: Option<ElementType>,
    ) -> Result<u64> {
        let count = i64::from_le_bytes(input.array()?);
        let unit = element.map_or(1, ElementType::size) as u64;
        let bytes = u64::try_from(count).ok().and_then(|count| count.checked_mul(unit));
        let bytes = bytes.ok_or_else(|| input.error(format!("a storage's number of elements is {count}")))?;
        self.places.insert(key.to_owned(), (input.position(), bytes));
        input.skip(bytes, &format!("the storage '{key}'"))?;
        Ok(bytes)
    }

    fn place(&self, spec: &StorageSpec) -> Result<(u64, u64)> {
        let found = self.places.get(&spec.key).copied();
        found.ok_or_else(|| self.source.error(format!("the storage '{}' is not in the file", spec.key)))
    }
}

impl Records for Sequence<'_> {
    fn source(&self) -> &Source<'_> {
        self.source
    }

    fn swap(&self) -> bool {
        self.swap
    }

    fn check(&self, spec: &StorageSpec) -> Result<()> {
        let (_, there) = self.place(spec)?;
        if there != spec.bytes {
            let (key, told) = (&spec.key, spec.bytes);
            return Err(self
                .source
                .error(format!("the storage '{key}' has {there} bytes where its size is {told}")));
        }
        Ok(())
    }

    fn stored_at(&self, spec: &StorageSpec) -> Result<Option<u64>> {
        Ok(Some(self.place(spec)?.0))
    }

    fn stream(&self, spec: &StorageSpec, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let (start, bytes) = self.place(spec)?;
        let mut chunk = Scratch::zeroed(CHUNK.min(bytes as usize))?;
        let mut at = 0;
        while at < bytes {
            let count = (bytes - at).min(CHUNK as u64) as usize;
            self.source.read(start + at, &mut chunk[..count])?;
            sink(&chunk[..count])?;
            at += count as u64;
        }
        Ok(())
    }
}

fn is_magic(node: &Node) -> bool {
    matches!(node, Node::BigInt(bytes) if **bytes == MAGIC)
}

/// Reads the pickles, and where the storages are.
pub(in crate::pytorch) fn read<'a>(
    source: &'a Source<'a>,
    rules: &Rules,
) -> Result<(Unpickled, Sequence<'a>)> {
    let mut input = Input::new(source, "pickle", 0, source.length());
    let mut machine = Machine::new(rules, source.length());
    let magic = machine.run(&mut input)?;
    if !is_magic(machine.tree().get(magic)) {
        return Err(not_a_checkpoint(source));
    }
    let version = machine.run(&mut input)?;
    match machine.tree().get(version) {
        Node::Int(VERSION) => {}
        _ => return Err(source.error("its version is not 1001, the only one of this format")),
    }
    let system = machine.run(&mut input)?;
    let swap = little_endian(&machine, system).is_some_and(|little| !little);
    machine.set_persistent(Persistent::Storages);
    let root = machine.run(&mut input)?;
    machine.set_persistent(Persistent::None);
    let keys = machine.run(&mut input)?;
    let mut places = Sequence::new(source, swap);
    for key in keys_of(source, &machine, keys)? {
        let Some(spec) = machine.find_storage(&key) else {
            return Err(source.error(format!("it has a storage with the key '{key}', which no tensor uses")));
        };
        places.pass(&mut input, &key, spec.element)?;
    }
    Ok((machine.finish(root), places))
}

fn not_a_checkpoint(source: &Source<'_>) -> RusTorchError {
    source.error("it is a pickle, but not a checkpoint: it does not begin with PyTorch's magic number")
}

/// What the facts about a machine say of its byte order.
pub(super) fn little_endian(machine: &Machine<'_>, system: Id) -> Option<bool> {
    let tree = machine.tree();
    match tree.get(tree.entry(system, "little_endian")?) {
        Node::Bool(little) => Some(*little),
        _ => None,
    }
}

fn keys_of(source: &Source<'_>, machine: &Machine<'_>, keys: Id) -> Result<Vec<String>> {
    let tree = machine.tree();
    let Node::List(keys) = tree.get(keys) else {
        return Err(source.error("its storages' keys are not a list"));
    };
    let key = |id: &Id| match tree.get(*id) {
        Node::Text(key) => Ok(key.to_string()),
        Node::Int(key) => Ok(key.to_string()),
        other => Err(source.error(format!("a storage's key is {}", other.kind()))),
    };
    rustorch_backend::memory::gathered(keys.iter().map(key))
}

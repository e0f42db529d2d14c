//! The machine: a stack, a memo, and an opcode after the other.

use std::collections::HashMap;

use rustorch_error::{Result, RusTorchError};

use super::globals::{self, Function, Global};
use super::{Input, Persistent, Rules, StorageSpec, TensorSpec};
use crate::common::conversion::ElementType;
use crate::common::validation::Budget;
use crate::tree::{Dict, DictKind, Id, Node, Object, Sequence, Tree};

/// How deep a key may be nested: Python computes hashes with its stack.
const MOST_DEPTH: u32 = 200;

/// What one use of a key of which many may have the same hash is counted as.
const COLLIDING: u32 = 512;

/// Reads pickles. What several of one file make is one tree.
#[derive(Debug)]
pub struct Machine<'r> {
    pub(super) tree: Tree,
    pub(super) tensors: Vec<TensorSpec>,
    pub(super) storages: Vec<StorageSpec>,
    pub(super) keys: HashMap<String, u32>,
    pub(super) persistent: Persistent,
    pub(super) functions: HashMap<Id, Function>,
    rules: &'r Rules,
    names: HashMap<String, Id>,
    foreign: Vec<String>,
    pub(super) stack: Vec<Id>,
    pub(super) marks: Vec<usize>,
    pub(super) memo: HashMap<u64, Id>,
    memory: Budget,
    hashing: Budget,
}

/// What a machine has read.
#[derive(Debug)]
pub struct Unpickled {
    /// The values.
    pub tree: Tree,
    /// The tensors among them.
    pub tensors: Vec<TensorSpec>,
    /// Their storages.
    pub storages: Vec<StorageSpec>,
    /// Names that were kept as names.
    pub foreign: Vec<String>,
}

impl<'r> Machine<'r> {
    /// A machine for the pickles of a file of `length` bytes.
    pub fn new(rules: &'r Rules, length: u64) -> Self {
        Machine {
            tree: Tree::default(),
            tensors: Vec::new(),
            storages: Vec::new(),
            keys: HashMap::new(),
            persistent: Persistent::None,
            functions: HashMap::new(),
            rules,
            names: HashMap::new(),
            foreign: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            memory: Budget::of(length),
            hashing: Budget::of(length),
        }
    }

    /// What persistent ids mean from now on.
    pub fn set_persistent(&mut self, persistent: Persistent) {
        self.persistent = persistent;
    }

    /// What has been read so far.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Adds a storage that is described outside of pickles; gives its number.
    pub fn add_storage(&mut self, spec: StorageSpec) -> u32 {
        self.storages.push(spec);
        self.storages.len() as u32 - 1
    }

    /// A storage that has been described.
    pub fn storage(&self, index: u32) -> Option<&StorageSpec> {
        self.storages.get(index as usize)
    }

    /// The dtype of a type of storages, `None` inside for bytes; `None` where it is no such type.
    #[allow(clippy::option_option)]
    pub fn storage_type(&self, id: Id) -> Option<Option<ElementType>> {
        match self.functions.get(&id) {
            Some(Function::StorageType(element)) => Some(*element),
            _ => None,
        }
    }

    /// The storage of a key.
    pub fn find_storage(&self, key: &str) -> Option<&StorageSpec> {
        self.keys.get(key).map(|&index| &self.storages[index as usize])
    }

    /// Adds a tensor that is described outside of pickles; gives its number.
    pub fn add_tensor(&mut self, spec: TensorSpec) -> u32 {
        self.tensors.push(spec);
        self.tensors.len() as u32 - 1
    }

    /// All that has been read, of which `root` is the whole.
    pub fn finish(mut self, root: Id) -> Unpickled {
        self.tree.root = Some(root);
        Unpickled { tree: self.tree, tensors: self.tensors, storages: self.storages, foreign: self.foreign }
    }

    /// Reads a pickle.
    ///
    /// # Errors
    /// What the file does that it must not do, or how it is broken, and where.
    pub fn run(&mut self, input: &mut Input<'_>) -> Result<Id> {
        self.stack.clear();
        self.marks.clear();
        self.memo.clear();
        loop {
            match self.step(input) {
                Ok(None) => {}
                Ok(Some(whole)) => return Ok(whole),
                Err(Failure::Known(error)) => return Err(error),
                Err(Failure::Text(what)) => return Err(input.error(what)),
            }
        }
    }

    /// A value of this tree's.
    pub(super) fn node(&self, id: Id) -> &Node {
        self.tree.get(id)
    }

    /// Adds a value to the tree.
    pub(super) fn add(&mut self, node: Node) -> Step<Id> {
        self.charge(size_of::<Node>() + beside(&node))?;
        let id = u32::try_from(self.tree.nodes.len()).map_err(|_| "more than 2**32 values")?;
        self.tree.nodes.push(node);
        Ok(Id(id))
    }

    /// Counts memory.
    pub(super) fn charge(&mut self, bytes: usize) -> Step<()> {
        if self.memory.take(bytes) {
            Ok(())
        } else {
            Err("its values take many times the file's size; a checkpoint's do not".into())
        }
    }

    pub(super) fn push(&mut self, node: Node) -> Step<()> {
        let id = self.add(node)?;
        self.push_id(id)
    }

    pub(super) fn push_id(&mut self, id: Id) -> Step<()> {
        // What is pushed again and again without new values is bounded, too.
        if self.stack.len() == self.stack.capacity() {
            self.charge(self.stack.len() * size_of::<Id>())?;
        }
        self.stack.push(id);
        Ok(())
    }

    /// A tuple, with what its hash costs.
    pub(super) fn tuple(&self, items: Vec<Id>) -> Node {
        Node::Tuple(Box::new(self.sequence(items)))
    }

    pub(super) fn push_tuple(&mut self, items: Vec<Id>) -> Step<()> {
        let made = self.tuple(items);
        self.push(made)
    }

    fn sequence(&self, items: Vec<Id>) -> Sequence {
        let (mut steps, mut depth) = (1_u32, 0);
        for &item in &items {
            if let Some((more, deep)) = self.hash_cost(item) {
                steps = steps.saturating_add(more);
                depth = depth.max(deep);
            } else {
                // Not to be hashed at all: said when it becomes a key.
                steps = u32::MAX;
            }
        }
        Sequence { items: items.into(), steps, depth: depth.saturating_add(1) }
    }

    /// How many values a hash visits and how deep they are nested; `None` for what has no hash.
    fn hash_cost(&self, id: Id) -> Option<(u32, u32)> {
        match self.node(id) {
            Node::Tuple(sequence) | Node::FrozenSet(sequence) => Some((sequence.steps, sequence.depth)),
            Node::List(_) | Node::Set(_) | Node::Dict(_) | Node::ByteArray(_) | Node::Array(_) => None,
            Node::BigInt(_) | Node::Complex(..) => Some((COLLIDING, 0)),
            _ => Some((1, 0)),
        }
    }

    /// Fails for what cannot be a key, or is so nested that its hash takes for ever.
    pub(super) fn check_key(&mut self, key: Id) -> Step<()> {
        match self.hash_cost(key) {
            Some((steps, depth)) if depth <= MOST_DEPTH && steps < u32::MAX && self.hashing.take(steps as usize) => {
                Ok(())
            }
            Some((u32::MAX, depth)) if depth <= 1 => {
                Err("a tuple that holds something unhashable is a key or an element of a set".into())
            }
            Some((_, depth)) => Err(format!(
                "a key or an element of a set is nested so deep or so often ({depth} levels) that its hash is beyond the limit"
            )
            .into()),
            None => Err(format!("{} is unhashable, and is a key or an element of a set", self.node(key).kind()).into()),
        }
    }

    pub(super) fn frozen(&mut self, values: Vec<Id>) -> Step<Node> {
        for &value in &values {
            self.check_key(value)?;
        }
        Ok(Node::FrozenSet(Box::new(self.sequence(values))))
    }

    pub(super) fn mark(&mut self) -> Step<()> {
        if self.marks.len() == self.marks.capacity() {
            self.charge(self.marks.len() * size_of::<usize>())?;
        }
        self.marks.push(self.stack.len());
        Ok(())
    }

    pub(super) fn pop(&mut self) -> Step<Id> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err("a value is taken from an empty stack".into());
        }
        self.stack.pop().ok_or_else(|| "a value is taken from an empty stack".into())
    }

    pub(super) fn top(&mut self) -> Step<Id> {
        let top = self.pop()?;
        self.stack.push(top);
        Ok(top)
    }

    pub(super) fn pop_mark(&mut self) -> Step<Vec<Id>> {
        let mark = self.marks.pop().ok_or("values up to a mark, but there is no mark")?;
        Ok(self.stack.split_off(mark))
    }

    pub(super) fn recall(&mut self, index: u64) -> Step<()> {
        let found = self.memo.get(&index).copied();
        let found = found.ok_or_else(|| format!("number {index} of the memo, where nothing is"))?;
        self.push_id(found)
    }

    pub(super) fn remember(&mut self, index: u64) -> Step<()> {
        self.charge(2 * size_of::<(u64, Id)>())?;
        let top = self.top()?;
        self.memo.insert(index, top);
        Ok(())
    }

    pub(super) fn append(&mut self, list: Id, values: &[Id]) -> Step<()> {
        self.charge(size_of_val(values))?;
        match self.tree.get_mut(list) {
            Node::List(items) => items.extend_from_slice(values),
            Node::Object(object) => object.appended.extend_from_slice(values),
            other => return Err(format!("values are appended to {}, which is no list", other.kind()).into()),
        }
        Ok(())
    }

    pub(super) fn set_items(&mut self, target: Id, flat: &[Id]) -> Step<()> {
        if !flat.len().is_multiple_of(2) {
            return Err("a key without a value is set in a dict".into());
        }
        self.charge(size_of_val(flat))?;
        let pairs = flat.chunks_exact(2).map(|pair| (pair[0], pair[1]));
        for (key, _) in pairs.clone() {
            self.check_key(key)?;
        }
        match self.tree.get_mut(target) {
            Node::Dict(dict) => dict.items.extend(pairs),
            Node::Object(object) => object.entries.extend(pairs),
            other => return Err(format!("keys are set in {}, which is no dict", other.kind()).into()),
        }
        Ok(())
    }

    pub(super) fn add_items(&mut self, set: Id, values: &[Id]) -> Step<()> {
        self.charge(size_of_val(values))?;
        for &value in values {
            self.check_key(value)?;
        }
        match self.tree.get_mut(set) {
            Node::Set(items) => items.extend_from_slice(values),
            other => return Err(format!("values are added to {}, which is no set", other.kind()).into()),
        }
        Ok(())
    }

    /// What a name stands for.
    pub(super) fn global(&mut self, module: &str, name: &str) -> Step<Id> {
        let full = format!("{module}.{name}");
        if let Some(&known) = self.names.get(&full) {
            return Ok(known);
        }
        let (node, function) = match globals::find(module, name) {
            Global::DType(element) => (Node::DType(element), None),
            Global::MemoryFormat(format) => (Node::MemoryFormat(format), None),
            Global::Function(function) => (Node::Class(full.as_str().into()), Some(function)),
            Global::Refused(why) if !self.rules.keep_unknown => return Err(format!("{full}: {why}").into()),
            _ if self.rules.allowed.contains(&full) => {
                (Node::Class(full.as_str().into()), Some(Function::Foreign))
            }
            _ if self.rules.keep_unknown => {
                self.charge(full.len())?;
                self.foreign.push(full.clone());
                (Node::Class(full.as_str().into()), Some(Function::Foreign))
            }
            Global::Refused(_) | Global::Unknown => {
                return Err(format!(
                    "{full:?} is not a name that a checkpoint may use, and was not run. If you trust the file, \
                     serialization.add_safe_globals([...]) or serialization.safe_globals([...]) allows a class of yours; \
                     load(..., as_state=True) gives a whole pickled module's tensors without its classes"
                )
                .into());
            }
        };
        let id = self.add(node)?;
        if let Some(function) = function {
            self.functions.insert(id, function);
        }
        self.names.insert(full, id);
        Ok(id)
    }

    pub(super) fn call_with(&mut self, class: Id, items: Vec<Id>) -> Step<()> {
        let arguments = self.tuple(items);
        let arguments = self.add(arguments)?;
        self.call(class, arguments, None, false)
    }
}

/// What an opcode gives, or why it cannot.
pub(super) type Step<T> = Result<T, Failure>;

/// Why an opcode cannot be run: where it stands is added to a text.
#[derive(Debug)]
pub(super) enum Failure {
    Text(String),
    Known(RusTorchError),
}

impl From<RusTorchError> for Failure {
    fn from(error: RusTorchError) -> Self {
        Failure::Known(error)
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Failure::Text(text)
    }
}

impl From<&str> for Failure {
    fn from(text: &str) -> Self {
        Failure::Text(text.to_owned())
    }
}

/// An object of a class that the caller named.
pub(super) fn foreign_object(callee: Id, arguments: Id, named: Option<Id>, is_new: bool) -> Node {
    let (appended, entries) = (Vec::new(), Vec::new());
    Node::Object(Box::new(Object { callee, arguments, named, is_new, state: None, appended, entries }))
}

/// A dictionary without items.
pub(super) fn dict(kind: DictKind) -> Node {
    Node::Dict(Box::new(Dict { kind, items: Vec::new(), attributes: None }))
}

/// The bytes that a value has beside its node.
fn beside(node: &Node) -> usize {
    match node {
        Node::BigInt(bytes) | Node::Surrogates(bytes) | Node::Bytes(bytes) | Node::ByteArray(bytes) => {
            bytes.len()
        }
        Node::Text(text) => text.len(),
        Node::List(items) | Node::Set(items) => items.len() * size_of::<Id>(),
        Node::Tuple(sequence) | Node::FrozenSet(sequence) => {
            size_of::<Sequence>() + sequence.items.len() * size_of::<Id>()
        }
        Node::Dict(_) => size_of::<Dict>(),
        Node::Size(sizes) => size_of_val(&**sizes),
        Node::Tensor(_) => 2 * size_of::<TensorSpec>(),
        Node::Array(array) | Node::ArrayScalar(array) => array.data.len() + 64,
        Node::Object(_) => size_of::<Object>(),
        _ => 0,
    }
}

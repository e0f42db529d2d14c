//! What a file holds, as plain data: values that refer to each other by number. A value may stand in several places, and in
//! itself, as in Python; nothing here runs code, and nothing needs a stack as deep as the values are nested.

use std::collections::HashMap;
use std::sync::Arc;

use rustorch_tensor::{Storage, Tensor};

use crate::common::conversion::ElementType;

/// The number of a value in its [`Tree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub u32);

/// Which dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DictKind {
    /// `dict`.
    Plain,
    /// `collections.OrderedDict`.
    Ordered,
    /// `collections.Counter`.
    Counter,
    /// `collections.defaultdict`, with what makes the values that are missing.
    Default(Option<Id>),
}

/// Pairs of key and value, in order; of equal keys the last one counts.
#[derive(Debug, Clone)]
pub struct Dict {
    /// Which dictionary.
    pub kind: DictKind,
    /// The pairs.
    pub items: Vec<(Id, Id)>,
    /// A dictionary of what was set on the object.
    pub attributes: Option<Id>,
}

/// The elements of what may be a key, and what it costs to compute its hash, which Python does anew for every use.
#[derive(Debug, Clone)]
pub struct Sequence {
    /// The elements.
    pub items: Box<[Id]>,
    /// How many values are visited.
    pub steps: u32,
    /// How deep they are nested.
    pub depth: u32,
}

/// Of which class the object of a tensor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TensorClass {
    /// `Tensor`.
    Plain,
    /// `nn.Parameter`.
    Parameter,
}

/// A tensor of a file: which of [`Content::tensors`] it shows, and the object around it.
#[derive(Debug, Clone)]
pub struct TensorNode {
    /// Which tensor.
    pub index: u32,
    /// The object's class.
    pub class: TensorClass,
    /// Whether it gets a gradient.
    pub requires_grad: bool,
    /// A dictionary of what was set on the object.
    pub attributes: Option<Id>,
}

/// A part of a storage as a value of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StorageNode {
    /// Which of [`Content::storages`].
    pub index: u32,
    /// The dtype of its elements; `None` for bytes.
    pub element: Option<ElementType>,
    /// The first byte.
    pub offset: u64,
    /// How many bytes.
    pub bytes: u64,
}

/// An array of NumPy's.
#[derive(Debug, Clone)]
pub struct Array {
    /// NumPy's spelling of the dtype, with its byte order, such as `<f4`.
    pub dtype: Box<str>,
    /// The sizes.
    pub shape: Box<[u64]>,
    /// Whether the first index runs fastest.
    pub fortran: bool,
    /// The elements' bytes.
    pub data: Box<[u8]>,
}

/// How an object of a class that only the caller knows is made.
#[derive(Debug, Clone)]
pub struct Object {
    /// The class or function.
    pub callee: Id,
    /// What it is called with: a tuple.
    pub arguments: Id,
    /// Named arguments: a dictionary.
    pub named: Option<Id>,
    /// Whether the class's `__new__` is called instead of the class.
    pub is_new: bool,
    /// What its `__setstate__` is given, or what is set on it.
    pub state: Option<Id>,
    /// What is appended to it.
    pub appended: Vec<Id>,
    /// What is set in it, by key.
    pub entries: Vec<(Id, Id)>,
}

/// A value.
#[derive(Debug, Clone)]
pub enum Node {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A larger integer: two's complement, the lowest byte first.
    BigInt(Box<[u8]>),
    /// A floating-point number.
    Float(f64),
    /// A complex number.
    Complex(f64, f64),
    /// A text.
    Text(Box<str>),
    /// A text with halves of surrogate pairs, in UTF-8 as Python's `surrogatepass` writes it.
    Surrogates(Box<[u8]>),
    /// `bytes`.
    Bytes(Box<[u8]>),
    /// `bytearray`.
    ByteArray(Box<[u8]>),
    /// A list.
    List(Vec<Id>),
    /// A tuple.
    Tuple(Box<Sequence>),
    /// A set.
    Set(Vec<Id>),
    /// A frozenset.
    FrozenSet(Box<Sequence>),
    /// A dictionary.
    Dict(Box<Dict>),
    /// The sizes of a tensor's dimensions.
    Size(Box<[i64]>),
    /// The dtype of tensors.
    DType(ElementType),
    /// A device's name, such as `cuda:0`.
    Device(Box<str>),
    /// A layout's name, such as `strided`.
    Layout(Box<str>),
    /// A memory format's name, such as `channels_last`.
    MemoryFormat(&'static str),
    /// `range(start, stop, step)`.
    Range([i64; 3]),
    /// `slice(start, stop, step)`.
    Slice([Id; 3]),
    /// A class by its name: one of Python's own, such as `builtins.list`, or one that the caller named.
    Class(Box<str>),
    /// A storage.
    Storage(Box<StorageNode>),
    /// A tensor.
    Tensor(Box<TensorNode>),
    /// An array of NumPy's.
    Array(Box<Array>),
    /// A number of NumPy's: an array without dimensions.
    ArrayScalar(Box<Array>),
    /// A dtype of NumPy's, in its spelling.
    ArrayType(Box<str>),
    /// What a class that the caller named makes.
    Object(Box<Object>),
}

impl Node {
    /// What kind of value, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Node::None => "None",
            Node::Bool(_) => "bool",
            Node::Int(_) | Node::BigInt(_) => "int",
            Node::Float(_) => "float",
            Node::Complex(..) => "complex",
            Node::Text(_) | Node::Surrogates(_) => "str",
            Node::Bytes(_) => "bytes",
            Node::ByteArray(_) => "bytearray",
            Node::List(_) => "list",
            Node::Tuple(_) => "tuple",
            Node::Set(_) => "set",
            Node::FrozenSet(_) => "frozenset",
            Node::Dict(dict) => match dict.kind {
                DictKind::Plain => "dict",
                DictKind::Ordered => "OrderedDict",
                DictKind::Counter => "Counter",
                DictKind::Default(_) => "defaultdict",
            },
            Node::Size(_) => "torch.Size",
            Node::DType(_) => "torch.dtype",
            Node::Device(_) => "torch.device",
            Node::Layout(_) => "torch.layout",
            Node::MemoryFormat(_) => "torch.memory_format",
            Node::Range(_) => "range",
            Node::Slice(_) => "slice",
            Node::Class(_) => "a class",
            Node::Storage(_) => "a storage",
            Node::Tensor(_) => "a tensor",
            Node::Array(_) => "numpy.ndarray",
            Node::ArrayScalar(_) => "a number of NumPy's",
            Node::ArrayType(_) => "numpy.dtype",
            Node::Object(_) => "an object",
        }
    }
}

impl Node {
    /// The values that this one holds, in order; attributes and states last.
    pub fn children(&self, see: &mut dyn FnMut(Id)) {
        match self {
            Node::List(items) | Node::Set(items) => items.iter().copied().for_each(see),
            Node::Tuple(items) | Node::FrozenSet(items) => items.items.iter().copied().for_each(see),
            Node::Slice(parts) => parts.iter().copied().for_each(see),
            Node::Dict(dict) => {
                if let DictKind::Default(Some(factory)) = dict.kind {
                    see(factory);
                }
                dict.items.iter().flat_map(|&(key, value)| [key, value]).chain(dict.attributes).for_each(see);
            }
            Node::Tensor(tensor) => tensor.attributes.into_iter().for_each(see),
            Node::Object(object) => {
                let made = [object.callee, object.arguments].into_iter().chain(object.named);
                let entries = object.entries.iter().flat_map(|&(key, value)| [key, value]);
                made.chain(object.appended.iter().copied()).chain(entries).chain(object.state).for_each(see);
            }
            _ => {}
        }
    }
}

/// When a value is given its attributes or its state: once the values before a number are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Build {
    /// How many values there were.
    pub after: u32,
    /// Which value.
    pub target: Id,
}

/// Values, and which of them is the whole.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// The values, by [`Id`]. In what readers give, what makes up a tuple, a tensor or an object comes before it; what a list, a
    /// set or a dictionary holds may come after.
    pub nodes: Vec<Node>,
    /// Attributes and states in the order in which they are given.
    pub builds: Vec<Build>,
    /// The number of the whole.
    pub root: Option<Id>,
}

impl Tree {
    /// A value.
    ///
    /// # Panics
    /// The number is not one of this tree's, which are what its functions gave.
    pub fn get(&self, id: Id) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// A value, to be changed.
    ///
    /// # Panics
    /// As [`Self::get`].
    pub fn get_mut(&mut self, id: Id) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }

    /// The elements of a tuple.
    pub fn tuple(&self, id: Id) -> Option<&[Id]> {
        match self.get(id) {
            Node::Tuple(sequence) => Some(&sequence.items),
            _ => None,
        }
    }

    /// A text.
    pub fn text(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A dictionary.
    pub fn dict(&self, id: Id) -> Option<&Dict> {
        match self.get(id) {
            Node::Dict(dict) => Some(dict),
            _ => None,
        }
    }

    /// What a dictionary has for a text.
    pub fn entry(&self, dict: Id, key: &str) -> Option<Id> {
        let items = &self.dict(dict)?.items;
        items.iter().rev().find(|(k, _)| self.text(*k) == Some(key)).map(|&(_, value)| value)
    }
}

/// What a file holds: values, and the tensors and storages that they show.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// The values.
    pub tree: Tree,
    /// Tensors, by the number in a [`TensorNode`]. They share storages as the file says.
    pub tensors: Vec<Tensor>,
    /// Storages, by the number in a [`StorageNode`].
    pub storages: Vec<Arc<Storage>>,
    /// What the file says about itself.
    pub metadata: HashMap<String, String>,
}

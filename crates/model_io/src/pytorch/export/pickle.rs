//! Values as a pickle of protocol 2, with the names that PyTorch's own reader allows.

use std::collections::HashMap;
use std::sync::Arc;

use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::{DType, Device, DeviceKind, Storage, Tensor};

use crate::common::conversion::ElementType;
use crate::tree::{Array, Content, Dict, DictKind, Id, Node, TensorClass, TensorNode};

/// What is still to be written: the last one is next.
pub(super) enum Next {
    Value(Id),
    /// An opcode.
    Opcode(u8),
    /// A value is done, and is remembered.
    Remember(Id),
    /// So many elements of a tuple are done.
    Tuple(Id, usize),
}

pub(super) struct Pickler<'c> {
    content: &'c Content,
    pub(super) bytes: Vec<u8>,
    pub(super) memo: HashMap<Id, u32>,
    pub(super) names: HashMap<(&'static str, String), u32>,
    pub(super) remembered: u32,
    pub(super) next: Vec<Next>,
    /// The key of a storage by its address and length, and the dtype under which it was first written.
    keys: HashMap<(usize, usize), (usize, ElementType)>,
    /// The storages in the order of their keys.
    storages: Vec<Arc<Storage>>,
}

/// The pickle of values, and the storages that it names, in the order of their keys.
pub(super) fn pickled(content: &Content) -> Result<(Vec<u8>, Vec<Arc<Storage>>)> {
    let root =
        content.tree.root.ok_or_else(|| RusTorchError::argument("save", "there is no value to save"))?;
    let mut pickler = Pickler {
        content,
        // Protocol 2.
        bytes: vec![0x80, 2],
        memo: HashMap::new(),
        names: HashMap::new(),
        remembered: 0,
        next: vec![Next::Value(root)],
        keys: HashMap::new(),
        storages: Vec::new(),
    };
    while let Some(next) = pickler.next.pop() {
        match next {
            Next::Value(id) => pickler.value(id)?,
            Next::Opcode(opcode) => pickler.bytes.push(opcode),
            Next::Remember(id) => pickler.remember(id),
            Next::Tuple(id, count) => pickler.end_tuple(id, count),
        }
    }
    pickler.bytes.push(b'.');
    Ok((pickler.bytes, pickler.storages))
}

impl Pickler<'_> {
    /// Writes these one after the other.
    fn then<const N: usize>(&mut self, mut next: [Next; N]) {
        next.reverse();
        self.next.extend(next);
    }

    /// Writes values between a mark and an opcode.
    fn then_all(&mut self, values: impl DoubleEndedIterator<Item = Id>, opcode: u8) {
        self.bytes.push(b'(');
        self.next.push(Next::Opcode(opcode));
        self.next.extend(values.rev().map(Next::Value));
    }

    #[allow(clippy::too_many_lines, reason = "a table, with an arm per case")]
    fn value(&mut self, id: Id) -> Result<()> {
        if let Some(&index) = self.memo.get(&id) {
            self.get(index);
            return Ok(());
        }
        let content = self.content;
        match content.tree.get(id) {
            Node::None => self.bytes.push(b'N'),
            Node::Bool(value) => self.bool(*value),
            Node::Int(number) => self.int(*number),
            Node::BigInt(bytes) => self.long(bytes),
            Node::Float(number) => self.float(*number),
            Node::Complex(real, imaginary) => {
                self.name("__builtin__", "complex");
                self.float(*real);
                self.float(*imaginary);
                self.bytes.extend([0x86, b'R']);
            }
            Node::Text(text) => {
                self.text(text.as_bytes())?;
                self.remember(id);
            }
            Node::Surrogates(text) => {
                self.text(text)?;
                self.remember(id);
            }
            Node::Bytes(bytes) => {
                self.name("_codecs", "encode");
                self.latin(bytes)?;
                self.bytes.extend([0x86, b'R']);
                self.remember(id);
            }
            Node::ByteArray(bytes) => {
                self.name("__builtin__", "bytearray");
                self.latin(bytes)?;
                self.bytes.extend([0x86, b'R']);
                self.remember(id);
            }
            Node::List(items) => {
                self.bytes.push(b']');
                self.remember(id);
                if !items.is_empty() {
                    self.then_all(items.iter().copied(), b'e');
                }
            }
            Node::Tuple(items) if items.items.is_empty() => self.bytes.push(b')'),
            Node::Tuple(items) => {
                if items.items.len() > 3 {
                    self.bytes.push(b'(');
                }
                self.next.push(Next::Tuple(id, items.items.len()));
                self.next.extend(items.items.iter().rev().copied().map(Next::Value));
            }
            Node::Set(items) => self.collection(id, "set", items),
            Node::FrozenSet(items) => self.collection(id, "frozenset", &items.items),
            Node::Dict(dict) => self.dict(id, dict),
            Node::Size(sizes) => {
                self.name("torch", "Size");
                self.ints(sizes.iter().copied());
                self.bytes.extend([0x85, b'R']);
                self.remember(id);
            }
            Node::DType(element) => self.name("torch", element.name()),
            Node::MemoryFormat(name) => self.name("torch", name),
            Node::Device(name) => {
                self.name("torch", "device");
                let (kind, index) =
                    name.split_once(':').map_or((&**name, None), |(kind, index)| (kind, Some(index)));
                self.text(kind.replace("metal", "mps").as_bytes())?;
                match index.and_then(|index| index.parse().ok()) {
                    Some(index) => {
                        self.int(index);
                        self.bytes.extend([0x86, b'R']);
                    }
                    None => self.bytes.extend([0x85, b'R']),
                }
                self.remember(id);
            }
            Node::Layout(name) => {
                self.name("torch.serialization", "_get_layout");
                self.text(format!("torch.{name}").as_bytes())?;
                self.bytes.extend([0x85, b'R']);
            }
            Node::Range([start, stop, step]) => {
                self.name("__builtin__", "xrange");
                for number in [start, stop, step] {
                    self.int(*number);
                }
                self.bytes.extend([0x87, b'R']);
            }
            Node::Slice(parts) => {
                self.name("__builtin__", "slice");
                let [start, stop, step] = parts.map(Next::Value);
                self.then([start, stop, step, Next::Opcode(0x87), Next::Opcode(b'R')]);
            }
            Node::Class(name) => match name.strip_prefix("builtins.") {
                Some(own) => self.name("__builtin__", own),
                None => return Err(unsaved(name)),
            },
            Node::Storage(node) => {
                let storage = &content.storages[node.index as usize];
                self.storage(storage, node.element)?;
                self.remember(id);
            }
            Node::Tensor(node) => self.tensor(id, node)?,
            Node::Array(array) => {
                self.array(array)?;
                self.remember(id);
            }
            Node::ArrayScalar(array) => {
                self.name("numpy._core.multiarray", "scalar");
                self.array_type(&array.dtype)?;
                self.name("_codecs", "encode");
                self.latin(&array.data)?;
                self.bytes.extend([0x86, b'R', 0x86, b'R']);
                self.remember(id);
            }
            Node::ArrayType(spelling) => {
                self.array_type(spelling)?;
                self.remember(id);
            }
            Node::Object(_) => return Err(unsaved("an object")),
        }
        Ok(())
    }

    /// The end of a tuple, which may have become whole on the way, being in what it holds.
    fn end_tuple(&mut self, id: Id, count: usize) {
        if let Some(&index) = self.memo.get(&id) {
            match count {
                1..=3 => self.bytes.extend(std::iter::repeat_n(b'0', count)),
                _ => self.bytes.push(b'1'),
            }
            return self.get(index);
        }
        self.bytes.push(match count {
            1 => 0x85,
            2 => 0x86,
            3 => 0x87,
            _ => b't',
        });
        self.remember(id);
    }

    /// A set, made of a list.
    fn collection(&mut self, id: Id, class: &str, items: &[Id]) {
        self.name("__builtin__", class);
        self.bytes.push(b']');
        self.then([Next::Opcode(0x85), Next::Opcode(b'R'), Next::Remember(id)]);
        if !items.is_empty() {
            self.then_all(items.iter().copied(), b'e');
        }
    }

    fn dict(&mut self, id: Id, dict: &Dict) {
        let pairs = dict.items.iter().flat_map(|&(key, value)| [key, value]);
        // Short: as long as the dict, which is there already.
        let pairs = pairs.collect::<Vec<_>>();
        if let Some(attributes) = dict.attributes {
            self.then([Next::Value(attributes), Next::Opcode(b'b')]);
        }
        match dict.kind {
            DictKind::Plain => self.bytes.push(b'}'),
            DictKind::Ordered => {
                self.name("collections", "OrderedDict");
                self.bytes.extend(*b")R");
            }
            DictKind::Counter => {
                self.name("collections", "Counter");
                self.bytes.push(b'}');
                self.then([Next::Opcode(0x85), Next::Opcode(b'R'), Next::Remember(id)]);
                if !pairs.is_empty() {
                    self.then_all(pairs.into_iter(), b'u');
                }
                return;
            }
            DictKind::Default(factory) => {
                self.name("collections", "defaultdict");
                match factory.map(|factory| self.content.tree.get(factory)) {
                    Some(Node::Class(name)) => {
                        let own = name.strip_prefix("builtins.").unwrap_or(name).to_owned();
                        self.name("__builtin__", &own);
                        self.bytes.push(0x85);
                    }
                    _ => self.bytes.push(b')'),
                }
                self.bytes.push(b'R');
            }
        }
        self.remember(id);
        if !pairs.is_empty() {
            self.then_all(pairs.into_iter(), b'u');
        }
    }

    /// The description of a storage, as a persistent id.
    fn storage(&mut self, storage: &Arc<Storage>, element: Option<ElementType>) -> Result<()> {
        let (address, bytes) = (storage.buffer().address().addr().get(), storage.buffer().bytes());
        let seen = element.unwrap_or(ElementType::UInt8);
        let next = self.storages.len();
        // Storages without bytes have no memory to be known by.
        let (key, first) = if bytes == 0 {
            (next, seen)
        } else {
            *self.keys.entry((address, bytes)).or_insert((next, seen))
        };
        if key == next {
            self.storages.push(storage.clone());
        }
        if first != seen || !bytes.is_multiple_of(seen.size()) {
            let message = format!(
                "tensors of {first} and {seen} show one storage of {bytes} bytes, which the format does not have; clone() one of them"
            );
            return Err(RusTorchError::argument("save", message));
        }
        self.bytes.push(b'(');
        self.text(b"storage")?;
        match element {
            Some(element) => self.name("torch", &format!("{}Storage", element.class())),
            None => self.name("torch.storage", "UntypedStorage"),
        }
        self.text(key.to_string().as_bytes())?;
        self.text(location(storage.device()).as_bytes())?;
        self.int((bytes / seen.size()) as i64);
        self.bytes.extend(*b"tQ");
        Ok(())
    }

    /// The arguments of `_rebuild_tensor_v2`, as a tuple.
    fn tensor_arguments(&mut self, tensor: &Tensor, requires_grad: bool) -> Result<()> {
        let dtype = tensor.dtype();
        let element = ElementType::of(dtype).ok_or_else(|| unknown(dtype))?;
        self.bytes.push(b'(');
        self.storage(tensor.storage(), Some(element))?;
        self.int(tensor.layout().offset() as i64);
        self.ints(tensor.shape().iter().map(|&size| size as i64));
        self.ints(tensor.strides().iter().map(|&stride| stride as i64));
        self.bool(requires_grad);
        self.no_hooks();
        self.bytes.push(b't');
        Ok(())
    }

    fn no_hooks(&mut self) {
        self.name("collections", "OrderedDict");
        self.bytes.extend(*b")R");
    }

    fn tensor(&mut self, id: Id, node: &TensorNode) -> Result<()> {
        let tensor = &self.content.tensors[node.index as usize];
        match (node.class, node.attributes) {
            (TensorClass::Plain, None) => {
                self.name("torch._utils", "_rebuild_tensor_v2");
                self.tensor_arguments(tensor, node.requires_grad)?;
                self.bytes.push(b'R');
                self.remember(id);
            }
            (TensorClass::Plain, Some(attributes)) => {
                self.name("torch._tensor", "_rebuild_from_type_v2");
                self.bytes.push(b'(');
                self.name("torch._utils", "_rebuild_tensor_v2");
                self.name("torch", "Tensor");
                self.tensor_arguments(tensor, node.requires_grad)?;
                let end = [Next::Opcode(b't'), Next::Opcode(b'R'), Next::Remember(id)];
                self.then(end);
                self.next.push(Next::Value(attributes));
            }
            (TensorClass::Parameter, attributes) => {
                let function =
                    if attributes.is_some() { "_rebuild_parameter_with_state" } else { "_rebuild_parameter" };
                self.name("torch._utils", function);
                self.bytes.push(b'(');
                self.name("torch._utils", "_rebuild_tensor_v2");
                self.tensor_arguments(tensor, false)?;
                self.bytes.push(b'R');
                self.bool(node.requires_grad);
                self.no_hooks();
                self.then([Next::Opcode(b't'), Next::Opcode(b'R'), Next::Remember(id)]);
                self.next.extend(attributes.map(Next::Value));
            }
        }
        Ok(())
    }

    fn array_type(&mut self, spelling: &str) -> Result<()> {
        let (order, bare) = spelling.split_at(spelling.len().min(1));
        self.name("numpy", "dtype");
        self.text(bare.as_bytes())?;
        self.bytes.extend([0x89, 0x88, 0x87, b'R', b'(']);
        self.int(3);
        self.text(order.as_bytes())?;
        self.bytes.extend(*b"NNN");
        self.int(-1);
        self.int(-1);
        self.int(0);
        self.bytes.extend(*b"tb");
        Ok(())
    }

    fn array(&mut self, array: &Array) -> Result<()> {
        self.name("numpy._core.multiarray", "_reconstruct");
        self.name("numpy", "ndarray");
        self.ints(std::iter::once(0));
        self.name("_codecs", "encode");
        self.latin(b"b")?;
        self.bytes.extend([0x86, b'R', 0x87, b'R', b'(']);
        self.int(1);
        self.ints(array.shape.iter().map(|&size| size as i64));
        self.array_type(&array.dtype)?;
        self.bool(array.fortran);
        self.name("_codecs", "encode");
        self.latin(&array.data)?;
        self.bytes.extend([0x86, b'R', b't', b'b']);
        Ok(())
    }
}

/// What PyTorch calls a device.
fn location(device: Device) -> String {
    match device.kind {
        DeviceKind::Cpu => "cpu".into(),
        DeviceKind::Metal => "mps".into(),
        kind => format!("{kind}:{}", device.index.unwrap_or(0)),
    }
}

#[cold]
fn unsaved(what: &str) -> RusTorchError {
    RusTorchError::argument("save", format!("{what} is not plain data, which is all that files hold"))
}

#[cold]
fn unknown(dtype: DType) -> RusTorchError {
    RusTorchError::dtype("save", format!("PyTorch's files have no dtype for {dtype}"))
}

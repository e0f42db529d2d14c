//! Tensors, parameters and storages, as pickles describe them.

use super::globals::{Function, TensorForm};
use super::machine::{Machine, Step};
use super::{Persistent, StorageSpec, TensorSpec};
use crate::common::conversion::ElementType;
use crate::common::validation::Placement;
use crate::tree::{Id, Node, StorageNode, TensorClass, TensorNode};

/// The kinds of devices that files name.
pub(super) const DEVICES: [&str; 18] = [
    "cpu",
    "cuda",
    "mps",
    "xpu",
    "hip",
    "xla",
    "meta",
    "hpu",
    "mtia",
    "ipu",
    "vulkan",
    "opencl",
    "metal",
    "ve",
    "fpga",
    "maia",
    "lazy",
    "privateuseone",
];

impl Machine<'_> {
    /// What a persistent id names.
    pub(super) fn persistent_id(&mut self, description: Id) -> Step<()> {
        match &self.persistent {
            Persistent::None => Err("a persistent id, where no storage can be".into()),
            Persistent::Storages => {
                let made = self.storage_of(description)?;
                self.push(made)
            }
            Persistent::Tensors(known) => {
                let number = match self.node(description) {
                    Node::Int(number) => Some(*number),
                    Node::Text(text) => text.parse().ok(),
                    _ => None,
                };
                let index = number.and_then(|number| known.get(&number).copied());
                let index = index.ok_or("a persistent id that is the number of no tensor")?;
                self.push(Node::Tensor(Box::new(plain(index, false))))
            }
        }
    }

    /// The storage that `("storage", type, key, location, elements)` names; old files add a view: its key, offset and elements.
    fn storage_of(&mut self, description: Id) -> Step<Node> {
        const EXPECTED: &str = "a persistent id (pid) that describes no storage";
        // Short: a description.
        let parts = self.tree.tuple(description).ok_or(EXPECTED)?.to_vec();
        let (class, key, location, count, view) = match parts[..] {
            [word, class, key, location, count] if self.tree.text(word) == Some("storage") => {
                (class, key, location, count, None)
            }
            [word, class, key, location, count, view] if self.tree.text(word) == Some("storage") => {
                (class, key, location, count, Some(view))
            }
            _ => return Err(EXPECTED.into()),
        };
        let Some(Function::StorageType(element)) = self.functions.get(&class).copied() else {
            return Err(format!("{EXPECTED}: its type is {}", self.node(class).kind()).into());
        };
        let key = match self.node(key) {
            Node::Text(key) => key.to_string(),
            Node::Int(key) => key.to_string(),
            other => return Err(format!("{EXPECTED}: its key is {}", other.kind()).into()),
        };
        let location = self.tree.text(location).ok_or("a storage whose location is no text")?.to_owned();
        let count = self.count(count, "the number of elements (numel) of a storage")?;
        let unit = element.map_or(1, ElementType::size) as u64;
        let bytes = count.checked_mul(unit).ok_or("the number of bytes of a storage overflows")?;
        let index = if let Some(&index) = self.keys.get(&key) {
            let known = self.storages[index as usize].bytes;
            if known != bytes {
                return Err(format!("the storage {key:?} has {known} bytes, and {bytes} elsewhere").into());
            }
            index
        } else {
            self.charge(size_of::<StorageSpec>() + 2 * key.len() + location.len())?;
            self.keys.insert(key.clone(), self.storages.len() as u32);
            self.add_storage(StorageSpec { key, element, bytes, location })
        };
        let whole = StorageNode { index, element, offset: 0, bytes };
        let Some(view) = view.filter(|view| !matches!(self.node(*view), Node::None)) else {
            return Ok(Node::Storage(Box::new(whole)));
        };
        // Short: three.
        let parts = self.tree.tuple(view).ok_or("a storage's view that is no tuple")?.to_vec();
        let [_, offset, count] = parts[..] else {
            return Err("a storage's view that is not key, offset and size".into());
        };
        let (offset, count) =
            (self.count(offset, "a storage's view's offset")?, self.count(count, "a storage's view's size")?);
        let end = offset.checked_add(count).and_then(|end| end.checked_mul(unit));
        if end.is_none_or(|end| end > bytes) {
            return Err(format!(
                "a view of {count} elements from {offset} on is beyond its storage of {bytes} bytes"
            )
            .into());
        }
        Ok(Node::Storage(Box::new(StorageNode { offset: offset * unit, bytes: count * unit, ..whole })))
    }

    /// A number that is not negative.
    fn count(&self, id: Id, what: &str) -> Step<u64> {
        match self.node(id) {
            Node::Int(number) => {
                u64::try_from(*number).map_err(|_| format!("{what} is negative: {number}").into())
            }
            Node::BigInt(_) => Err(format!("{what} overflows 64 bits").into()),
            other => Err(format!("{what} is {}, not an int", other.kind()).into()),
        }
    }

    /// A tuple or list of numbers that are not negative.
    fn counts(&self, id: Id, what: &str) -> Step<Box<[u64]>> {
        let items = match self.node(id) {
            Node::Tuple(items) => &items.items[..],
            Node::List(items) => &items[..],
            Node::Size(sizes) => {
                let size = |&size: &i64| {
                    u64::try_from(size).map_err(|_| format!("{what} has a negative number: {size}"))
                };
                // Short: a tensor's dimensions.
                return Ok(sizes.iter().map(size).collect::<Result<Vec<_>, _>>()?.into());
            }
            other => return Err(format!("{what} is {}, not a tuple", other.kind()).into()),
        };
        // Short: as long as a tuple in the file, whose memory has been counted.
        Ok(items.iter().map(|&item| self.count(item, what)).collect::<Step<Vec<_>>>()?.into())
    }

    fn flag(&self, id: Id, what: &str) -> Step<bool> {
        match self.node(id) {
            Node::Bool(flag) => Ok(*flag),
            Node::Int(number @ 0..=1) => Ok(*number == 1),
            other => Err(format!("{what} is {}, not a bool", other.kind()).into()),
        }
    }

    pub(super) fn rebuild_tensor(&mut self, form: TensorForm, items: &[Id]) -> Step<Node> {
        let (&[storage, offset, size, stride, ref rest @ ..],) = (items,) else {
            return Err("takes a storage, an offset, a size and strides".into());
        };
        let (grad, hooks, dtype, metadata) = match (form, rest) {
            (TensorForm::First, []) => (None, None, None, None),
            (TensorForm::Second, &[grad, hooks]) => (Some(grad), Some(hooks), None, None),
            (TensorForm::Second, &[grad, hooks, metadata]) => (Some(grad), Some(hooks), None, Some(metadata)),
            (TensorForm::Third, &[grad, hooks, dtype]) => (Some(grad), Some(hooks), Some(dtype), None),
            (TensorForm::Third, &[grad, hooks, dtype, metadata]) => {
                (Some(grad), Some(hooks), Some(dtype), Some(metadata))
            }
            _ => return Err(format!("is called with {} arguments", items.len()).into()),
        };
        let Node::Storage(storage) = self.node(storage) else {
            return Err(format!("takes a storage, not {}", self.node(storage).kind()).into());
        };
        let storage = **storage;
        let dtype = dtype.map(|dtype| self.element(dtype)).transpose()?;
        let element = dtype.or(storage.element).ok_or("a storage of bytes, of which no dtype is told")?;
        let placement = Placement {
            sizes: self.counts(size, "a tensor's size")?,
            strides: self.counts(stride, "a tensor's stride")?,
            offset: self.count(offset, "a tensor's offset")?,
        };
        // A long size may be named by many tensors, each of which has it for itself.
        self.charge(2 * size_of_val(&*placement.sizes) + 2 * size_of_val(&*placement.strides))?;
        placement.layout(element, storage.bytes)?;
        let requires_grad = grad.map(|grad| self.flag(grad, "requires_grad")).transpose()?.unwrap_or(false);
        check_gradient(element, requires_grad)?;
        if let Some(hooks) = hooks {
            self.check_hooks(hooks)?;
        }
        let mut spec = TensorSpec {
            storage: storage.index,
            window: (storage.offset, storage.bytes),
            element,
            placement,
            conjugated: false,
            negated: false,
            device: None,
        };
        if let Some(metadata) = metadata {
            self.set_metadata(&mut spec, metadata)?;
        }
        Ok(Node::Tensor(Box::new(plain(self.add_tensor(spec), requires_grad))))
    }

    /// Whether a tensor shows conjugates or negatives of its storage's numbers.
    fn set_metadata(&self, spec: &mut TensorSpec, metadata: Id) -> Step<()> {
        let items = match self.node(metadata) {
            Node::None => return Ok(()),
            Node::Dict(dict) => &dict.items,
            other => return Err(format!("a tensor's metadata are {}, not a dict", other.kind()).into()),
        };
        let is_complex =
            matches!(spec.element, ElementType::Complex64 | ElementType::Complex128 | ElementType::Complex32);
        for &(key, value) in items {
            match self.tree.text(key) {
                Some("conj") if is_complex || !self.flag(value, "conj")? => {
                    spec.conjugated = self.flag(value, "conj")?;
                }
                Some("neg") => spec.negated = self.flag(value, "neg")?,
                Some("conj") => return Err("metadata with conj, of numbers that are not complex".into()),
                other => {
                    return Err(
                        format!("metadata that are not known: {:?}", other.unwrap_or("no text")).into()
                    );
                }
            }
        }
        Ok(())
    }

    /// Hooks are functions, which no file brings.
    fn check_hooks(&self, hooks: Id) -> Step<()> {
        match self.node(hooks) {
            Node::None => Ok(()),
            Node::Dict(dict) if dict.items.is_empty() => Ok(()),
            Node::Tuple(items) if items.items.is_empty() => Ok(()),
            _ => Err("a tensor with hooks, which are functions; save tensors without".into()),
        }
    }

    fn tensor(&self, id: Id) -> Step<TensorNode> {
        match self.node(id) {
            Node::Tensor(tensor) => Ok((**tensor).clone()),
            other => Err(format!("takes a tensor as a parameter's data, not {}", other.kind()).into()),
        }
    }

    pub(super) fn rebuild_parameter(&mut self, with_state: bool, items: &[Id]) -> Step<Node> {
        let (data, grad, hooks, state) = match *items {
            [data, grad, hooks] if !with_state => (data, grad, hooks, None),
            [data, grad, hooks, state] if with_state => (data, grad, hooks, Some(state)),
            _ => return Err(format!("is called with {} arguments", items.len()).into()),
        };
        let mut tensor = self.tensor(data)?;
        tensor.class = TensorClass::Parameter;
        tensor.requires_grad = self.flag(grad, "requires_grad")?;
        check_gradient(self.tensors[tensor.index as usize].element, tensor.requires_grad)?;
        self.check_hooks(hooks)?;
        tensor.attributes = match state {
            Some(state) => self.attributes(state)?,
            None => None,
        };
        Ok(Node::Tensor(Box::new(tensor)))
    }

    /// `Parameter(data, requires_grad)`, as the first files have it.
    pub(super) fn old_parameter(&mut self, items: &[Id]) -> Step<Node> {
        let [data, grad] = *items else {
            return Err("a parameter takes its data and whether it requires grad".into());
        };
        let hooks = self.add(Node::None)?;
        self.rebuild_parameter(false, &[data, grad, hooks])
    }

    /// What is set on a tensor: a dict, or a dict and slots, of which there are none.
    fn attributes(&self, state: Id) -> Step<Option<Id>> {
        let state = match self.node(state) {
            Node::Tuple(pair) if pair.items.len() == 2 => {
                if !matches!(self.node(pair.items[1]), Node::None) {
                    return Err("a tensor with slots, which it has none of".into());
                }
                pair.items[0]
            }
            _ => state,
        };
        if matches!(self.node(state), Node::None) {
            return Ok(None);
        }
        self.check_attributes(state)?;
        let is_empty = self.tree.dict(state).is_none_or(|state| state.items.is_empty());
        Ok((!is_empty).then_some(state))
    }

    /// `(function, type, arguments, state)`: a tensor that is made anew as of a type, and given what was set on it.
    pub(super) fn rebuild_from_type(&mut self, items: &[Id]) -> Step<Node> {
        let [function, class, arguments, state] = *items else {
            return Err(format!("is called with {} arguments", items.len()).into());
        };
        if !matches!(self.functions.get(&class), Some(Function::TensorType | Function::Parameter)) {
            return Err("a tensor of a class that is not the library's own".into());
        }
        let rebuilds = matches!(
            self.functions.get(&function),
            Some(Function::RebuildTensor(_) | Function::RebuildParameter(_) | Function::RebuildOnDevice)
        );
        if !rebuilds {
            return Err(format!("makes a tensor by {}, which makes none", self.node(function).kind()).into());
        }
        self.call(function, arguments, None, false)?;
        let made = self.pop()?;
        let mut tensor = self.tensor(made)?;
        tensor.attributes = self.attributes(state)?;
        Ok(Node::Tensor(Box::new(tensor)))
    }

    /// `(tensor, dtype, device, requires_grad)`: a copy of a tensor of the CPU's on another device.
    pub(super) fn rebuild_on_device(&mut self, items: &[Id]) -> Step<Node> {
        let [data, dtype, device, grad] = *items else {
            return Err(format!("is called with {} arguments", items.len()).into());
        };
        let mut tensor = self.tensor(data)?;
        let mut spec = self.tensors[tensor.index as usize].clone();
        if self.element(dtype)? != spec.element {
            return Err("a copy on another device whose dtype is another one, too".into());
        }
        spec.device = Some(match self.node(device) {
            Node::Text(name) | Node::Device(name) => name.to_string(),
            other => return Err(format!("takes a device, not {}", other.kind()).into()),
        });
        tensor.requires_grad = self.flag(grad, "requires_grad")?;
        check_gradient(spec.element, tensor.requires_grad)?;
        tensor.index = self.add_tensor(spec);
        Ok(Node::Tensor(Box::new(tensor)))
    }
}

fn check_gradient(element: ElementType, requires_grad: bool) -> Step<()> {
    let is_whole = element.dtype().is_some_and(|dtype| !dtype.is_floating_point() && !dtype.is_complex());
    if requires_grad && is_whole {
        return Err(format!("a tensor of {element} requires grad; only float and complex ones do").into());
    }
    Ok(())
}

fn plain(index: u32, requires_grad: bool) -> TensorNode {
    TensorNode { index, class: TensorClass::Plain, requires_grad, attributes: None }
}

//! Plain values as Python's objects.
//!
//! Values are made in the order of their numbers, each once. What a list, set or dictionary holds is put in as soon as it is there,
//! so that values that hold themselves, or are nested without end, need no recursion.

use std::collections::HashMap;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyByteArray, PyBytes, PyComplex, PyDict, PyFrozenSet, PyList, PySet, PySlice, PyString, PyTuple,
};
use rustorch::model_io::Content;
use rustorch::model_io::tree::{
    Array, Dict, DictKind, Id, Node, Object, StorageNode, TensorClass, TensorNode,
};
use rustorch_tensor::{Device, RusTorchError};

use crate::device::PyDevice;
use crate::errors::IntoPyResult;
use crate::tensor::memory::PyStorage;
use crate::tensor::{PyTensor, wrap};

/// A value that is not whole yet: how many of its parts it has, and which it waits for.
struct Waiting {
    id: Id,
    done: usize,
}

struct Maker<'a, 'py> {
    py: Python<'py>,
    content: &'a Content,
    allowed: &'a Bound<'py, PyDict>,
    made: Vec<Option<Bound<'py, PyAny>>>,
    waiting: HashMap<Id, Vec<Waiting>>,
}

/// The object that a file's values are as a whole.
pub fn whole<'py>(
    py: Python<'py>,
    content: Content,
    allowed: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyAny>> {
    let root = content.tree.root.ok_or_else(|| RusTorchError::model_format("load: the file holds no value"));
    let root = root.into_py(py)?;
    let needed = needed(&content, root);
    let nodes = content.tree.nodes.len();
    let mut maker = Maker { py, content: &content, allowed, made: Vec::new(), waiting: HashMap::new() };
    rustorch_backend::memory::reserve(&mut maker.made, nodes).into_py(py)?;
    maker.made.resize(nodes, None);
    let mut builds = content.tree.builds.iter().peekable();
    for index in 0..nodes as u32 {
        while let Some(build) = builds.next_if(|build| build.after <= index) {
            maker.build(build.target)?;
        }
        if needed[index as usize] {
            maker.make(Id(index))?;
        }
        if index % 65536 == 0 {
            py.check_signals()?;
        }
    }
    for build in builds {
        maker.build(build.target)?;
    }
    maker.object(root)
}

/// Which values the whole holds.
fn needed(content: &Content, root: Id) -> Vec<bool> {
    let mut needed = vec![false; content.tree.nodes.len()];
    let mut next = vec![root];
    needed[root.0 as usize] = true;
    while let Some(id) = next.pop() {
        content.tree.get(id).children(&mut |child| {
            if !std::mem::replace(&mut needed[child.0 as usize], true) {
                next.push(child);
            }
        });
    }
    needed
}

impl<'py> Maker<'_, 'py> {
    fn refuse<T>(&self, what: String) -> PyResult<T> {
        let refused: rustorch_tensor::Result<T> = Err(RusTorchError::model_format(format!("load: {what}")));
        refused.into_py(self.py)
    }

    /// An object that has been made.
    fn object(&self, id: Id) -> PyResult<Bound<'py, PyAny>> {
        match &self.made[id.0 as usize] {
            Some(object) => Ok(object.clone()),
            None => self.refuse(match self.content.tree.get(id) {
                Node::Class(name) => {
                    format!("the file has {name} as a value, which is not one that files may have")
                }
                other => format!("{} holds itself, which no file can mean", other.kind()),
            }),
        }
    }

    fn objects(&self, ids: &[Id]) -> PyResult<Vec<Bound<'py, PyAny>>> {
        ids.iter().map(|&id| self.object(id)).collect()
    }

    fn module(&self, name: &str) -> PyResult<Bound<'py, PyModule>> {
        self.py.import(name)
    }

    /// Makes a value, and puts it where others wait for it.
    fn make(&mut self, id: Id) -> PyResult<()> {
        let Some(object) = self.created(id)? else { return Ok(()) };
        self.made[id.0 as usize] = Some(object);
        self.fill(Waiting { id, done: 0 })?;
        for waiting in self.waiting.remove(&id).unwrap_or_default() {
            self.fill(waiting)?;
        }
        Ok(())
    }

    /// The object of a value, empty where it can be filled; `None` for a name that is no value.
    fn created(&self, id: Id) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = self.py;
        let content = self.content;
        let object = match content.tree.get(id) {
            Node::None => py.None().into_bound(py),
            Node::Bool(value) => value.into_pyobject(py)?.to_owned().into_any(),
            Node::Int(value) => value.into_pyobject(py)?.into_any(),
            Node::BigInt(bytes) => {
                let named = PyDict::new(py);
                named.set_item(intern!(py, "signed"), true)?;
                let class = py.get_type::<pyo3::types::PyInt>();
                class.call_method(
                    intern!(py, "from_bytes"),
                    (PyBytes::new(py, bytes), "little"),
                    Some(&named),
                )?
            }
            Node::Float(value) => value.into_pyobject(py)?.into_any(),
            Node::Complex(real, imaginary) => PyComplex::from_doubles(py, *real, *imaginary).into_any(),
            Node::Text(text) => PyString::new(py, text).into_any(),
            Node::Surrogates(bytes) => {
                PyBytes::new(py, bytes).call_method1(intern!(py, "decode"), ("utf-8", "surrogatepass"))?
            }
            Node::Bytes(bytes) => PyBytes::new(py, bytes).into_any(),
            Node::ByteArray(bytes) => PyByteArray::new(py, bytes).into_any(),
            Node::List(_) => PyList::empty(py).into_any(),
            Node::Set(_) => PySet::empty(py)?.into_any(),
            Node::Tuple(items) => PyTuple::new(py, self.objects(&items.items)?)?.into_any(),
            Node::FrozenSet(items) => PyFrozenSet::new(py, self.objects(&items.items)?)?.into_any(),
            Node::Dict(dict) => self.empty_dict(dict)?,
            Node::Size(sizes) => self.module("rustorch")?.getattr("Size")?.call1((sizes.to_vec(),))?,
            Node::DType(element) => match element.dtype() {
                Some(dtype) => crate::dtype::object(py, dtype)?.into_any(),
                None => {
                    return self
                        .refuse(format!("it holds the dtype {element}, which RusTorch does not have"));
                }
            },
            Node::Device(name) => {
                let device: Device = name.parse().into_py(py)?;
                Bound::new(py, PyDevice { device })?.into_any()
            }
            Node::Layout(name) if **name == *"strided" => crate::memory_format::strided(py)?,
            Node::Layout(name) => {
                return self
                    .refuse(format!("it holds the layout {name}; RusTorch's tensors are all strided"));
            }
            Node::MemoryFormat(name) => self.module("rustorch")?.getattr(*name)?,
            Node::Range(numbers) => {
                self.module("builtins")?.getattr("range")?.call1(PyTuple::new(py, numbers)?)?
            }
            Node::Slice(parts) => {
                let class = py.get_type::<PySlice>();
                class.call1(PyTuple::new(py, self.objects(parts)?)?)?
            }
            Node::Class(name) => return self.class(name),
            Node::Storage(storage) => self.storage(*storage.as_ref())?,
            Node::Tensor(tensor) => self.tensor(tensor)?,
            Node::Array(array) => self.array(array)?.call_method0(intern!(py, "copy"))?,
            Node::ArrayScalar(array) => self.array(array)?.get_item(PyTuple::empty(py))?,
            Node::ArrayType(spelling) => self.module("numpy")?.getattr("dtype")?.call1((&**spelling,))?,
            Node::Object(object) => self.called(object)?,
        };
        Ok(Some(object))
    }

    fn empty_dict(&self, dict: &Dict) -> PyResult<Bound<'py, PyAny>> {
        let collections = || self.module("collections");
        match dict.kind {
            DictKind::Plain => Ok(PyDict::new(self.py).into_any()),
            DictKind::Ordered => collections()?.getattr("OrderedDict")?.call0(),
            DictKind::Counter => collections()?.getattr("Counter")?.call0(),
            DictKind::Default(factory) => {
                let factory = factory.map(|factory| self.object(factory)).transpose()?;
                collections()?.getattr("defaultdict")?.call1((factory,))
            }
        }
    }

    /// One of the caller's classes, or of Python's own.
    fn class(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        if let Some(class) = self.allowed.get_item(name)? {
            return Ok(Some(class));
        }
        const OWN: [&str; 9] = ["list", "dict", "tuple", "set", "int", "float", "bool", "str", "frozenset"];
        let bare = name.strip_prefix("builtins.").or_else(|| name.strip_prefix("__builtin__."));
        match (bare, name) {
            (Some(own), _) if OWN.contains(&own) => self.module("builtins")?.getattr(own).map(Some),
            (_, "collections.OrderedDict" | "collections.Counter") => {
                self.module("collections")?.getattr(&name["collections.".len()..]).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn storage(&self, node: StorageNode) -> PyResult<Bound<'py, PyAny>> {
        let storage = &self.content.storages[node.index as usize];
        if node.offset != 0 || node.bytes != storage.buffer().bytes() as u64 {
            return self.refuse("it holds a part of a storage as a value; only whole ones can be one".into());
        }
        let bytes = Bound::new(self.py, PyStorage { storage: storage.clone() })?.into_any();
        let Some(element) = node.element else { return Ok(bytes) };
        let Some(dtype) = element.dtype() else {
            return self.refuse(format!("it holds a storage of {element}, which RusTorch does not have"));
        };
        let named = PyDict::new(self.py);
        named.set_item("wrap_storage", bytes)?;
        named.set_item("dtype", crate::dtype::object(self.py, dtype)?)?;
        self.module("rustorch.storage")?.getattr("TypedStorage")?.call((), Some(&named))
    }

    fn tensor(&self, node: &TensorNode) -> PyResult<Bound<'py, PyAny>> {
        let py = self.py;
        let tensor = &self.content.tensors[node.index as usize];
        let object = match node.class {
            TensorClass::Plain => {
                tensor.set_requires_grad(node.requires_grad).into_py(py)?;
                wrap(py, tensor.clone())?
            }
            TensorClass::Parameter => {
                let data = wrap(py, tensor.clone())?;
                let class = self.module("rustorch.nn.parameter")?.getattr("Parameter")?;
                class.call1((data.cast::<PyTensor>()?, node.requires_grad))?
            }
        };
        if let Some(attributes) = node.attributes {
            set_attributes(&object, &self.object(attributes)?)?;
        }
        Ok(object)
    }

    fn array(&self, array: &Array) -> PyResult<Bound<'py, PyAny>> {
        let order = if array.fortran { "F" } else { "C" };
        let shape = PyTuple::new(self.py, array.shape.iter())?;
        let data = PyBytes::new(self.py, &array.data);
        let class = self.module("numpy")?.getattr("ndarray")?;
        class.call1((shape, &*array.dtype, data, 0, self.py.None(), order))
    }

    fn called(&self, object: &Object) -> PyResult<Bound<'py, PyAny>> {
        let callee = self.object(object.callee)?;
        let arguments = self.object(object.arguments)?.cast_into::<PyTuple>()?;
        let named = object.named.map(|named| self.object(named)).transpose()?;
        let named = named.map(Bound::cast_into::<PyDict>).transpose()?;
        if !object.is_new {
            return callee.call(arguments, named.as_ref());
        }
        let all = PyTuple::new(self.py, [callee.clone()])?.add(arguments)?.cast_into::<PyTuple>()?;
        callee.call_method(intern!(self.py, "__new__"), all, named.as_ref())
    }

    /// Puts parts into a value until one is missing, for which it then waits.
    fn fill(&mut self, mut waiting: Waiting) -> PyResult<()> {
        let content = self.content;
        let Some(target) = self.made[waiting.id.0 as usize].clone() else { return Ok(()) };
        match content.tree.get(waiting.id) {
            Node::List(items) => {
                let list = target.cast::<PyList>()?;
                for (index, &item) in items.iter().enumerate().skip(waiting.done) {
                    let Some(value) = self.ready(item, &mut waiting, index) else { return Ok(()) };
                    list.append(value)?;
                }
            }
            Node::Set(items) => {
                let set = target.cast::<PySet>()?;
                for (index, &item) in items.iter().enumerate().skip(waiting.done) {
                    let Some(value) = self.ready(item, &mut waiting, index) else { return Ok(()) };
                    set.add(value)?;
                }
            }
            Node::Dict(dict) => self.fill_items(&target, &dict.items, waiting)?,
            Node::Object(object) => {
                let appended = object.appended.len();
                for (index, &item) in object.appended.iter().enumerate().skip(waiting.done) {
                    let Some(value) = self.ready(item, &mut waiting, index) else { return Ok(()) };
                    target.call_method1(intern!(self.py, "append"), (value,))?;
                }
                let pairs = object.entries.iter().enumerate().skip(waiting.done.saturating_sub(appended));
                for (index, &(key, value)) in pairs {
                    let Some(key) = self.ready(key, &mut waiting, appended + index) else { return Ok(()) };
                    let Some(value) = self.ready(value, &mut waiting, appended + index) else {
                        return Ok(());
                    };
                    target.set_item(key, value)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn fill_items(
        &mut self,
        target: &Bound<'py, PyAny>,
        items: &[(Id, Id)],
        mut waiting: Waiting,
    ) -> PyResult<()> {
        for (index, &(key, value)) in items.iter().enumerate().skip(waiting.done) {
            let Some(key) = self.ready(key, &mut waiting, index) else { return Ok(()) };
            let Some(value) = self.ready(value, &mut waiting, index) else { return Ok(()) };
            target.set_item(key, value)?;
        }
        Ok(())
    }

    /// The object of a part; `None`, and the whole waits for it, where it is still to be made.
    fn ready(&mut self, part: Id, waiting: &mut Waiting, done: usize) -> Option<Bound<'py, PyAny>> {
        let object = self.made[part.0 as usize].clone();
        if object.is_none() {
            waiting.done = done;
            let id = waiting.id;
            self.waiting.entry(part).or_default().push(Waiting { id, done });
        }
        object
    }

    /// Gives a value its attributes or its state.
    fn build(&mut self, target: Id) -> PyResult<()> {
        let Some(object) = self.made[target.0 as usize].clone() else { return Ok(()) };
        match self.content.tree.get(target) {
            Node::Dict(dict) => match dict.attributes {
                Some(attributes) => set_attributes(&object, &self.object(attributes)?),
                None => Ok(()),
            },
            Node::Object(made) => match made.state {
                Some(state) => set_state(&object, &self.object(state)?),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

fn set_attributes(object: &Bound<'_, PyAny>, attributes: &Bound<'_, PyAny>) -> PyResult<()> {
    object
        .getattr(intern!(object.py(), "__dict__"))?
        .call_method1(intern!(object.py(), "update"), (attributes,))?;
    Ok(())
}

/// As pickle gives a state to an object: to its `__setstate__`, or as attributes, those in slots apart.
fn set_state(object: &Bound<'_, PyAny>, state: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = object.py();
    if let Some(set) = object.getattr_opt(intern!(py, "__setstate__"))? {
        set.call1((state,))?;
        return Ok(());
    }
    let (attributes, slots) = match state.cast::<PyTuple>() {
        Ok(pair) if pair.len() == 2 => (pair.get_item(0)?, Some(pair.get_item(1)?)),
        _ => (state.clone(), None),
    };
    if attributes.is_truthy()? {
        set_attributes(object, &attributes)?;
    }
    if let Some(slots) = slots.filter(|slots| !slots.is_none()) {
        for (name, value) in slots.cast::<PyDict>()? {
            object.setattr(name.cast::<PyString>()?, value)?;
        }
    }
    Ok(())
}

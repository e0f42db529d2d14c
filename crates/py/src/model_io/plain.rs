//! Python's objects as plain values.
//!
//! Every object gets a number when it is first met and waits in a queue until it is looked at, so that what holds itself, or is
//! nested without end, needs no recursion.

use std::collections::HashMap;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyComplex, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PySlice,
    PyString, PyTuple, PyType,
};
use rustorch::model_io::Content;
use rustorch::model_io::common::conversion::ElementType;
use rustorch::model_io::tree::{
    Array, Dict, DictKind, Id, Node, Sequence, StorageNode, TensorClass, TensorNode,
};

use crate::device::PyDevice;
use crate::dtype::PyDType;
use crate::memory_format::PyMemoryFormat;
use crate::tensor::PyTensor;
use crate::tensor::memory::PyStorage;

/// Python's own types that are values.
const TYPES: [&str; 9] = ["list", "dict", "tuple", "set", "int", "float", "bool", "str", "frozenset"];

struct Reader<'py> {
    py: Python<'py>,
    content: Content,
    numbers: HashMap<usize, Id>,
    /// Every object that has a number: none is freed, and its address given to another, meanwhile.
    objects: Vec<Bound<'py, PyAny>>,
}

/// What a file is to hold of a value.
pub fn content(value: &Bound<'_, PyAny>) -> PyResult<Content> {
    let mut reader =
        Reader { py: value.py(), content: Content::default(), numbers: HashMap::new(), objects: Vec::new() };
    let root = reader.number(value.clone());
    let mut done = 0;
    while let Some(object) = reader.objects.get(done).cloned() {
        let node = reader.node(&object)?;
        reader.content.tree.nodes[done] = node;
        done += 1;
        if done % 65536 == 0 {
            reader.py.check_signals()?;
        }
    }
    reader.content.tree.root = Some(root);
    Ok(reader.content)
}

fn sequence(items: Vec<Id>) -> Sequence {
    Sequence { items: items.into(), steps: 0, depth: 0 }
}

impl<'py> Reader<'py> {
    fn number(&mut self, object: Bound<'py, PyAny>) -> Id {
        let next = Id(self.objects.len() as u32);
        let id = *self.numbers.entry(object.as_ptr() as usize).or_insert(next);
        if id == next {
            self.content.tree.nodes.push(Node::None);
            self.objects.push(object);
        }
        id
    }

    fn all(&mut self, objects: impl Iterator<Item = Bound<'py, PyAny>>) -> Vec<Id> {
        objects.map(|object| self.number(object)).collect()
    }

    fn node(&mut self, object: &Bound<'py, PyAny>) -> PyResult<Node> {
        if object.is_none() {
            return Ok(Node::None);
        }
        if let Ok(value) = object.cast::<PyBool>() {
            return Ok(Node::Bool(value.is_true()));
        }
        if object.is_exact_instance_of::<PyInt>() {
            return self.int(object);
        }
        if let Ok(value) = object.cast_exact::<PyFloat>() {
            return Ok(Node::Float(value.value()));
        }
        if let Ok(value) = object.cast_exact::<PyString>() {
            if let Ok(text) = value.to_str() {
                return Ok(Node::Text(text.into()));
            }
            let bytes = value.call_method1("encode", ("utf-8", "surrogatepass"))?;
            return Ok(Node::Surrogates(bytes.cast::<PyBytes>()?.as_bytes().into()));
        }
        if let Ok(value) = object.cast_exact::<PyList>() {
            return Ok(Node::List(self.all(value.iter())));
        }
        if let Ok(value) = object.cast_exact::<PyTuple>() {
            return Ok(Node::Tuple(Box::new(sequence(self.all(value.iter())))));
        }
        if let Ok(value) = object.cast_exact::<PyDict>() {
            let items = self.items(value);
            return Ok(Node::Dict(Box::new(Dict { kind: DictKind::Plain, items, attributes: None })));
        }
        if let Ok(value) = object.cast::<PyTensor>() {
            return self.tensor(value);
        }
        if let Ok(value) = object.cast_exact::<PyBytes>() {
            return Ok(Node::Bytes(value.as_bytes().into()));
        }
        if let Ok(value) = object.cast_exact::<PyByteArray>() {
            return Ok(Node::ByteArray(value.to_vec().into()));
        }
        if let Ok(value) = object.cast_exact::<PyComplex>() {
            return Ok(Node::Complex(value.real(), value.imag()));
        }
        if let Ok(value) = object.cast_exact::<PySet>() {
            return Ok(Node::Set(self.all(value.iter())));
        }
        if let Ok(value) = object.cast_exact::<PyFrozenSet>() {
            return Ok(Node::FrozenSet(Box::new(sequence(self.all(value.iter())))));
        }
        if let Ok(value) = object.cast_exact::<PySlice>() {
            let part = |name| value.getattr(name);
            let [start, stop, step] =
                [part("start")?, part("stop")?, part("step")?].map(|part| self.number(part));
            return Ok(Node::Slice([start, stop, step]));
        }
        if let Ok(value) = object.cast::<PyDType>() {
            let dtype = value.get().dtype;
            let element = ElementType::of(dtype).ok_or_else(|| self.unsaved(object, ""))?;
            return Ok(Node::DType(element));
        }
        if let Ok(value) = object.cast::<PyDevice>() {
            return Ok(Node::Device(value.get().device.to_string().into()));
        }
        if let Ok(value) = object.cast::<PyStorage>() {
            return Ok(self.storage(value, None));
        }
        if let Ok(value) = object.cast::<PyMemoryFormat>() {
            return Ok(Node::MemoryFormat(value.get().name));
        }
        if object.is(crate::memory_format::strided(self.py)?) {
            return Ok(Node::Layout("strided".into()));
        }
        if let Ok(class) = object.cast::<PyType>() {
            return self.class(class);
        }
        self.rarer(object)
    }

    fn int(&self, object: &Bound<'py, PyAny>) -> PyResult<Node> {
        if let Ok(number) = object.extract() {
            return Ok(Node::Int(number));
        }
        let bits: usize = object.call_method0("bit_length")?.extract()?;
        let named = PyDict::new(self.py);
        named.set_item("signed", true)?;
        let bytes = object.call_method("to_bytes", (bits / 8 + 1, "little"), Some(&named))?;
        Ok(Node::BigInt(bytes.cast::<PyBytes>()?.as_bytes().into()))
    }

    fn items(&mut self, dict: &Bound<'py, PyDict>) -> Vec<(Id, Id)> {
        dict.iter().map(|(key, value)| (self.number(key), self.number(value))).collect()
    }

    fn tensor(&mut self, object: &Bound<'py, PyTensor>) -> PyResult<Node> {
        let py = self.py;
        let class = object.get_type();
        let parameters = py.import("rustorch.nn.parameter")?;
        let is_buffer = class.is(parameters.getattr("Buffer")?);
        let kind = if class.is(py.get_type::<PyTensor>()) || is_buffer {
            TensorClass::Plain
        } else if class.is(parameters.getattr("Parameter")?) {
            TensorClass::Parameter
        } else {
            return Err(self.unsaved(object, "; save it as a plain tensor"));
        };
        let attributes = match object.getattr_opt("__dict__")? {
            Some(attributes) => attributes.cast_into::<PyDict>()?.copy()?,
            None => PyDict::new(py),
        };
        if is_buffer {
            // As PyTorch tells buffers.
            attributes.set_item("_is_buffer", true)?;
        }
        let attributes = (!attributes.is_empty()).then(|| self.number(attributes.into_any()));
        let tensor = object.get().tensor(object);
        let requires_grad = tensor.requires_grad();
        self.content.tensors.push(tensor);
        let index = self.content.tensors.len() as u32 - 1;
        Ok(Node::Tensor(Box::new(TensorNode { index, class: kind, requires_grad, attributes })))
    }

    fn storage(&mut self, storage: &Bound<'py, PyStorage>, element: Option<ElementType>) -> Node {
        let storage = storage.get().storage.clone();
        let bytes = storage.buffer().bytes() as u64;
        self.content.storages.push(storage);
        let index = self.content.storages.len() as u32 - 1;
        Node::Storage(Box::new(StorageNode { index, element, offset: 0, bytes }))
    }

    fn class(&self, class: &Bound<'py, PyType>) -> PyResult<Node> {
        let name = class.name()?.to_string();
        let is_own =
            class.module().is_ok_and(|module| module == "builtins") && TYPES.contains(&name.as_str());
        if is_own { Ok(Node::Class(format!("builtins.{name}").into())) } else { Err(self.unsaved(class, "")) }
    }

    /// What is met less often: the dictionaries of `collections`, sizes, typed storages, ranges, and NumPy's.
    fn rarer(&mut self, object: &Bound<'py, PyAny>) -> PyResult<Node> {
        let class = object.get_type();
        let is = |module: &str, name: &str| -> PyResult<bool> {
            Ok(class.name()? == name && class.module()? == module)
        };
        let kind = if is("collections", "OrderedDict")? {
            Some(DictKind::Ordered)
        } else if is("collections", "Counter")? {
            Some(DictKind::Counter)
        } else if is("collections", "defaultdict")? {
            let factory = object.getattr("default_factory")?;
            Some(DictKind::Default((!factory.is_none()).then(|| self.number(factory))))
        } else {
            None
        };
        if let Some(kind) = kind {
            let items = self.items(object.cast::<PyDict>()?);
            let attributes = match object.getattr_opt("__dict__")? {
                Some(own) if own.is_truthy()? => Some(self.number(own)),
                _ => None,
            };
            return Ok(Node::Dict(Box::new(Dict { kind, items, attributes })));
        }
        if class.is(self.py.import("rustorch._size")?.getattr("Size")?) {
            return Ok(Node::Size(object.extract::<Vec<i64>>()?.into()));
        }
        if class.is(self.py.import("rustorch.storage")?.getattr("TypedStorage")?) {
            let dtype = object.getattr("dtype")?.cast_into::<PyDType>()?.get().dtype;
            let bytes = object.call_method0("untyped")?;
            return Ok(self.storage(bytes.cast::<PyStorage>()?, ElementType::of(dtype)));
        }
        if is("builtins", "range")? {
            let part = |name| object.getattr(name)?.extract();
            return Ok(Node::Range([part("start")?, part("stop")?, part("step")?]));
        }
        if let Some(node) = self.of_numpy(object)? {
            return Ok(node);
        }
        let is_module = object.hasattr("state_dict")?;
        Err(self.unsaved(object, if is_module { "; save its state_dict()" } else { "" }))
    }

    /// Arrays, numbers and dtypes of NumPy's.
    fn of_numpy(&self, object: &Bound<'py, PyAny>) -> PyResult<Option<Node>> {
        let modules = self.py.import("sys")?.getattr("modules")?;
        let Ok(numpy) = modules.get_item("numpy") else { return Ok(None) };
        let is = |name: &str| object.is_instance(&numpy.getattr(name)?);
        if is("dtype")? {
            return Ok(Some(Node::ArrayType(self.spelling(object)?)));
        }
        let is_scalar = is("generic")?;
        if !is_scalar && !object.get_type().is(numpy.getattr("ndarray")?) {
            return Ok(None);
        }
        let array = Array {
            dtype: self.spelling(&object.getattr("dtype")?)?,
            shape: object.getattr("shape")?.extract::<Vec<u64>>()?.into(),
            fortran: false,
            data: object.call_method0("tobytes")?.cast::<PyBytes>()?.as_bytes().into(),
        };
        Ok(Some(if is_scalar { Node::ArrayScalar(Box::new(array)) } else { Node::Array(Box::new(array)) }))
    }

    /// A plain dtype's spelling, with its byte order.
    fn spelling(&self, dtype: &Bound<'py, PyAny>) -> PyResult<Box<str>> {
        let kind: String = dtype.getattr("kind")?.extract()?;
        let size: usize = dtype.getattr("itemsize")?.extract()?;
        if !"biufcSU".contains(&kind) || "fc".contains(&kind) && size > 8 * (1 + usize::from(kind == "c")) {
            return Err(PyValueError::new_err(format!(
                "save(): NumPy's dtype {dtype} is not a plain one; bools, integers, floating-point and complex numbers and texts are"
            )));
        }
        Ok(dtype.getattr("str")?.extract::<String>()?.into())
    }

    fn unsaved(&self, object: &Bound<'py, PyAny>, hint: &str) -> PyErr {
        let class = object.get_type();
        let name =
            class.fully_qualified_name().map_or_else(|_| "an object".to_owned(), |name| name.to_string());
        PyTypeError::new_err(format!(
            "save(): a value of type {name} is not plain data (tensors, parameters, dicts, lists, tuples, sets, numbers, texts, bytes, \
             NumPy's arrays), which is all that files hold{hint}"
        ))
    }
}

//! What the functions of plain values do, and how a state is given to what they made.

use super::globals::Function;
use super::machine::{Failure, Machine, Step, dict, foreign_object};
use super::tensors::DEVICES;
use crate::common::conversion::ElementType;
use crate::tree::{Build, DictKind, Id, Node};

impl Machine<'_> {
    /// Calls `callee`, or its `__new__`, with a tuple of arguments.
    pub(super) fn call(&mut self, callee: Id, arguments: Id, named: Option<Id>, is_new: bool) -> Step<()> {
        let Some(&function) = self.functions.get(&callee) else {
            let (kind, what) = (self.node(callee).kind(), self.describe(callee));
            return Err(format!("a call (REDUCE) of {what}, which is {kind} and cannot be called").into());
        };
        let Some(items) = self.tree.tuple(arguments) else {
            let name = self.describe(callee);
            return Err(format!("{name} is called with arguments that are no tuple").into());
        };
        // Short: the arguments of a call.
        let items = items.to_vec();
        if function == Function::Foreign {
            let made = foreign_object(callee, arguments, named, is_new);
            return self.push(made);
        }
        if named.is_some_and(|named| self.tree.dict(named).is_none_or(|named| !named.items.is_empty())) {
            let name = self.describe(callee);
            return Err(format!("{name} is called with named arguments, which it has none of").into());
        }
        let made = self.invoke(function, &items);
        match made {
            Ok(made) => self.push(made),
            Err(Failure::Text(what)) => {
                let name = self.describe(callee);
                Err(format!("{name}: {what}").into())
            }
            Err(known) => Err(known),
        }
    }

    /// A name for messages.
    fn describe(&self, id: Id) -> String {
        match self.node(id) {
            Node::Class(name) => name.to_string(),
            Node::DType(element) => element.name().to_owned(),
            other => other.kind().to_owned(),
        }
    }

    fn invoke(&mut self, function: Function, items: &[Id]) -> Step<Node> {
        match function {
            Function::RebuildTensor(form) => self.rebuild_tensor(form, items),
            Function::RebuildParameter(with_state) => self.rebuild_parameter(with_state, items),
            Function::Parameter => self.old_parameter(items),
            Function::RebuildFromType => self.rebuild_from_type(items),
            Function::RebuildOnDevice => self.rebuild_on_device(items),
            Function::TensorType => {
                Err("a tensor made by its class, which has no storage; it is not made".into())
            }
            Function::StorageType(_) => {
                Err("a storage made by its class, which has no record; it is not made".into())
            }
            Function::Size => self.size(items),
            Function::Device => self.device(items),
            Function::Layout => self.layout(items),
            Function::OrderedDict => self.ordered_dict(items),
            Function::DefaultDict => self.default_dict(items),
            Function::Counter => self.counter(items),
            Function::Set => {
                let values = self.iterable(items)?;
                self.filled(Node::Set(Vec::new()), |machine, set| machine.add_items(set, &values))
            }
            Function::FrozenSet => {
                let values = self.iterable(items)?;
                self.frozen(values)
            }
            Function::Bytes => Ok(Node::Bytes(self.encoded(items)?)),
            Function::ByteArray => Ok(Node::ByteArray(self.encoded(items)?)),
            Function::Reconstruct => self.reconstruct(items),
            Function::Encode => self.encode(items),
            Function::Complex => self.complex(items),
            Function::Range => {
                let numbers = self.numbers(items)?;
                match numbers[..] {
                    [start, stop, step] if step != 0 => Ok(Node::Range([start, stop, step])),
                    _ => Err("takes start, stop and a step that is not 0".into()),
                }
            }
            Function::Slice => match *items {
                [start, stop, step] => Ok(Node::Slice([start, stop, step])),
                _ => Err("takes start, stop and step".into()),
            },
            Function::Type => Err("a type that is a value here, and is not called".into()),
            Function::NumpyReconstruct => self.numpy_reconstruct(items),
            Function::NumpyScalar => self.numpy_scalar(items),
            Function::NumpyFromBuffer => self.numpy_from_buffer(items),
            Function::NumpyDType => self.numpy_dtype(items),
            Function::NumpyArray => Err("an array made by its class; it is not made".into()),
            Function::Foreign => Err("a class of the caller's, which is not called here".into()),
        }
    }

    /// `(class, object, None)`: an object of a class that is made without arguments.
    fn reconstruct(&mut self, items: &[Id]) -> Step<Node> {
        let [class, base, state] = *items else { return Err("takes a class, its base and a state".into()) };
        let is_plain = matches!(self.node(base), Node::Class(name) if name.ends_with(".object"));
        if self.functions.get(&class) != Some(&Function::Foreign)
            || !is_plain
            || !matches!(self.node(state), Node::None)
        {
            return Err("makes an object of a class that is no plain one of the caller's".into());
        }
        let arguments = self.tuple(Vec::new());
        let arguments = self.add(arguments)?;
        Ok(foreign_object(class, arguments, None, true))
    }

    /// The elements of the only argument, a list, tuple or set; none without one.
    fn iterable(&self, items: &[Id]) -> Step<Vec<Id>> {
        let [only] = *items else {
            return if items.is_empty() { Ok(Vec::new()) } else { Err("takes at most one argument".into()) };
        };
        match self.node(only) {
            // Short: as long as the list in the file, whose memory has been counted.
            Node::List(values) | Node::Set(values) => Ok(values.clone()),
            // Short: as above.
            Node::Tuple(values) | Node::FrozenSet(values) => Ok(values.items.to_vec()),
            other => {
                Err(format!("takes a list of its elements (set(iterable)), not {}", other.kind()).into())
            }
        }
    }

    fn ordered_dict(&mut self, items: &[Id]) -> Step<Node> {
        let pairs = self.iterable(items)?;
        self.filled(dict(DictKind::Ordered), |machine, made| {
            for pair in pairs {
                let (key, value) = match machine.node(pair) {
                    Node::List(pair) if pair.len() == 2 => (pair[0], pair[1]),
                    Node::Tuple(pair) if pair.items.len() == 2 => (pair.items[0], pair.items[1]),
                    other => return Err(format!("takes pairs of key and value, not {}", other.kind()).into()),
                };
                machine.set_items(made, &[key, value])?;
            }
            Ok(())
        })
    }

    /// A value after it has been filled as a pickle fills one.
    fn filled(&mut self, empty: Node, fill: impl FnOnce(&mut Self, Id) -> Step<()>) -> Step<Node> {
        let id = self.add(empty)?;
        fill(self, id)?;
        Ok(std::mem::replace(self.tree.get_mut(id), Node::None))
    }

    fn default_dict(&mut self, items: &[Id]) -> Step<Node> {
        let factory = match *items {
            [] => None,
            [factory] => match self.node(factory) {
                Node::None => None,
                Node::Class(_) => match self.functions.get(&factory) {
                    Some(
                        Function::Type
                        | Function::Foreign
                        | Function::Set
                        | Function::OrderedDict
                        | Function::Counter,
                    ) => Some(factory),
                    _ => return Err("takes a type that makes its values".into()),
                },
                other => {
                    return Err(format!("takes a type that makes its values, not {}", other.kind()).into());
                }
            },
            _ => return Err("takes a type that makes its values, and no more".into()),
        };
        Ok(dict(DictKind::Default(factory)))
    }

    fn counter(&mut self, items: &[Id]) -> Step<Node> {
        let pairs = match *items {
            [] => Vec::new(),
            [counts] => match self.tree.dict(counts) {
                Some(counts) => {
                    // Short: as long as the dict in the file, whose memory has been counted.
                    counts.items.iter().flat_map(|&(key, count)| [key, count]).collect::<Vec<_>>()
                }
                None => {
                    return Err(
                        format!("Counter takes a dict of counts, not {}", self.node(counts).kind()).into()
                    );
                }
            },
            _ => return Err("Counter takes a dict of counts".into()),
        };
        self.filled(dict(DictKind::Counter), |machine, made| machine.set_items(made, &pairs))
    }

    /// `bytes` and `bytearray`: of nothing, of bytes, or of a text that Latin-1 encodes.
    fn encoded(&mut self, items: &[Id]) -> Step<Box<[u8]>> {
        match *items {
            [] => Ok(Box::default()),
            [data] => match self.node(data) {
                Node::Bytes(bytes) | Node::ByteArray(bytes) => {
                    let bytes = bytes.clone();
                    self.charge(bytes.len())?;
                    Ok(bytes)
                }
                Node::List(numbers) => {
                    let byte = |id: &Id| match self.node(*id) {
                        Node::Int(number) => u8::try_from(*number).map_err(|_| "takes numbers of 0 to 255"),
                        _ => Err("takes numbers of 0 to 255"),
                    };
                    // Short: as long as the list in the file.
                    Ok(numbers.iter().map(byte).collect::<Result<Vec<u8>, _>>()?.into())
                }
                other => Err(format!("takes bytes, not {}", other.kind()).into()),
            },
            [data, encoding] => match self.latin(data, encoding)? {
                Node::Bytes(bytes) => Ok(bytes),
                other => Err(format!("takes bytes, not {}", other.kind()).into()),
            },
            _ => Err("takes bytes, or a text and 'latin1'".into()),
        }
    }

    fn encode(&mut self, items: &[Id]) -> Step<Node> {
        match *items {
            [data, encoding] => self.latin(data, encoding),
            _ => Err("takes the arguments of encode(text, 'latin1')".into()),
        }
    }

    fn latin(&mut self, data: Id, encoding: Id) -> Step<Node> {
        if !matches!(self.tree.text(encoding), Some("latin1" | "latin-1")) {
            let encoding = self.tree.text(encoding).unwrap_or("no text");
            return Err(format!("the encoding (codec) is {encoding:?}; only 'latin1' is known").into());
        }
        let Some(text) = self.tree.text(data) else {
            return Err(format!("encodes a text, not {}", self.node(data).kind()).into());
        };
        let byte = |c: char| u8::try_from(u32::from(c)).map_err(|_| "a text that Latin-1 does not have");
        // Short: no longer than the text in the file.
        let bytes = text.chars().map(byte).collect::<Result<Vec<u8>, _>>()?;
        Ok(Node::Bytes(bytes.into()))
    }

    fn complex(&self, items: &[Id]) -> Step<Node> {
        let part = |id: Id| match self.node(id) {
            Node::Float(number) => Ok(*number),
            Node::Int(number) => Ok(*number as f64),
            other => Err(format!("complex takes two numbers, not {}", other.kind())),
        };
        match *items {
            [real, imaginary] => Ok(Node::Complex(part(real)?, part(imaginary)?)),
            _ => Err("complex takes a real and an imaginary part".into()),
        }
    }

    /// Integers of 64 bits.
    pub(super) fn numbers(&self, items: &[Id]) -> Step<Vec<i64>> {
        let number = |id: &Id| match self.node(*id) {
            Node::Int(number) => Ok(*number),
            Node::BigInt(_) => {
                Err("an integer that overflows 64 bits, as a size or a number of elements".to_owned())
            }
            Node::Float(number) => {
                Err(format!("{number} (a float) where an int is expected, such as a size"))
            }
            other => Err(format!("{} where an int is expected, such as a size", other.kind())),
        };
        // Short: as long as a tuple in the file, whose memory has been counted.
        Ok(items.iter().map(number).collect::<Result<Vec<i64>, _>>()?)
    }

    fn size(&self, items: &[Id]) -> Step<Node> {
        let [sizes] = *items else { return Err("takes a tuple of sizes".into()) };
        let sizes = match self.node(sizes) {
            Node::Tuple(sizes) => self.numbers(&sizes.items)?,
            Node::List(sizes) => self.numbers(sizes)?,
            other => return Err(format!("takes a tuple of sizes, not {}", other.kind()).into()),
        };
        Ok(Node::Size(sizes.into()))
    }

    fn device(&self, items: &[Id]) -> Step<Node> {
        let (kind, index) = match *items {
            [kind] => (kind, None),
            [kind, index] => (kind, Some(index)),
            _ => return Err("takes a device's type and number".into()),
        };
        let Some(kind) = self.tree.text(kind) else { return Err("takes a device's type, a text".into()) };
        let name = match index.map(|index| self.node(index)) {
            None => kind.to_owned(),
            Some(Node::Int(index)) if (0..256).contains(index) => format!("{kind}:{index}"),
            Some(_) => return Err("takes a device's number, of 0 to 255".into()),
        };
        let known = name.split(':').next().is_some_and(|kind| DEVICES.contains(&kind));
        if !known {
            return Err(format!("{name:?} is no device; the kinds are {}", DEVICES.join(", ")).into());
        }
        Ok(Node::Device(name.into()))
    }

    fn layout(&self, items: &[Id]) -> Step<Node> {
        const LAYOUTS: [&str; 7] =
            ["strided", "sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc", "jagged"];
        let name = match *items {
            [name] => self.tree.text(name).unwrap_or_default(),
            _ => "",
        };
        match name.strip_prefix("torch.").filter(|name| LAYOUTS.contains(name)) {
            Some(name) => Ok(Node::Layout(name.into())),
            None => Err(format!("{name:?} is no layout").into()),
        }
    }

    /// Gives a state to what has been made.
    pub(super) fn build(&mut self, target: Id, state: Id) -> Step<()> {
        self.charge(size_of::<Build>())?;
        self.tree.builds.push(Build { after: self.tree.nodes.len() as u32, target });
        match self.node(target) {
            Node::Array(_) => self.set_array_state(target, state),
            Node::ArrayType(_) => self.set_array_type_state(target, state),
            Node::Object(_) => {
                if let Node::Object(object) = self.tree.get_mut(target) {
                    object.state = Some(state);
                }
                Ok(())
            }
            Node::Dict(dict) if dict.kind != DictKind::Plain => {
                self.check_attributes(state)?;
                if let Node::Dict(dict) = self.tree.get_mut(target) {
                    dict.attributes = Some(state);
                }
                Ok(())
            }
            other => Err(format!("a state (BUILD) is given to {}, which takes none", other.kind()).into()),
        }
    }

    /// Fails where a state is not a dict of names that may be set on an object: none of Python's own.
    pub(super) fn check_attributes(&self, state: Id) -> Step<()> {
        let Some(state) = self.tree.dict(state) else {
            return Err(format!(
                "a state is {}, where a dict of attributes is expected",
                self.node(state).kind()
            )
            .into());
        };
        for &(name, _) in &state.items {
            match self.tree.text(name) {
                Some(name) if !name.starts_with("__") => {}
                Some(name) => {
                    return Err(format!("the attribute {name:?} is Python's own and is not set").into());
                }
                None => return Err("an attribute whose name is no text".into()),
            }
        }
        Ok(())
    }

    /// The element type that a value names.
    pub(super) fn element(&self, id: Id) -> Step<ElementType> {
        match self.node(id) {
            Node::DType(element) => Ok(*element),
            other => Err(format!("takes a dtype, not {}", other.kind()).into()),
        }
    }
}

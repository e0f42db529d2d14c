//! NumPy's arrays, numbers and dtypes, as pickles describe them.

use super::globals::Function;
use super::machine::{Machine, Step};
use crate::tree::{Array, Id, Node};

/// The sizes of the elements that a kind of dtype may have; texts may have any.
fn sizes(kind: u8) -> Option<&'static [u64]> {
    match kind {
        b'b' => Some(&[1]),
        b'i' | b'u' => Some(&[1, 2, 4, 8]),
        b'f' => Some(&[2, 4, 8]),
        b'c' => Some(&[8, 16]),
        b'S' | b'U' => Some(&[]),
        _ => None,
    }
}

/// A dtype's spelling without its byte order, and how many bytes an element has.
fn parse(spelling: &str) -> Step<(&str, u64)> {
    let bare = spelling.trim_start_matches(['<', '>', '=', '|']);
    let refused = || {
        format!(
            "numpy's dtype {spelling:?} is not a plain one (bool, int, float, complex, text); objects are not read"
        )
    };
    let (&kind, digits) = bare.as_bytes().split_first().ok_or_else(refused)?;
    let known = sizes(kind).ok_or_else(refused)?;
    let number: u64 = std::str::from_utf8(digits).ok().and_then(|d| d.parse().ok()).ok_or_else(refused)?;
    if !known.is_empty() && !known.contains(&number) {
        return Err(refused().into());
    }
    let bytes = if kind == b'U' { number.checked_mul(4) } else { Some(number) };
    Ok((bare, bytes.ok_or_else(refused)?))
}

impl Machine<'_> {
    /// `dtype(spelling, align, copy)`, whose byte order comes with its state.
    pub(super) fn numpy_dtype(&self, items: &[Id]) -> Step<Node> {
        let (&[spelling, ..],) = (items,) else { return Err("numpy's dtype takes its spelling".into()) };
        let Some(text) = self.tree.text(spelling) else {
            return Err("numpy's dtype takes its spelling, a text".into());
        };
        let (bare, bytes) = parse(text)?;
        let order = if bytes == 1 || bare.starts_with('S') { '|' } else { '<' };
        Ok(Node::ArrayType(format!("{order}{bare}").into()))
    }

    /// The state of a dtype: version, byte order, and nothing of what structured dtypes have.
    pub(super) fn set_array_type_state(&mut self, target: Id, state: Id) -> Step<()> {
        let parts = self.tree.tuple(state).ok_or("numpy's dtype is given a state that is no tuple")?;
        let (&[_, order, subarray, names, fields, ..],) = (parts,) else {
            return Err("numpy's dtype is given a state that is too short".into());
        };
        if [subarray, names, fields].iter().any(|part| !matches!(self.node(*part), Node::None)) {
            return Err("numpy's dtype is a structured one, which is not read".into());
        }
        let order = match self.tree.text(order) {
            Some("<" | "=" | "|") => "<",
            Some(">") => ">",
            _ => return Err("numpy's dtype has a byte order that is none of <, >, = and |".into()),
        };
        if let Node::ArrayType(spelling) = self.tree.get_mut(target)
            && !spelling.starts_with('|')
        {
            *spelling = format!("{order}{}", &spelling[1..]).into();
        }
        Ok(())
    }

    /// An array whose elements come with its state.
    pub(super) fn numpy_reconstruct(&self, items: &[Id]) -> Step<Node> {
        let [class, shape, _] = *items else {
            return Err("numpy's _reconstruct takes a class, a shape and a type".into());
        };
        if self.functions.get(&class) != Some(&Function::NumpyArray) {
            return Err("a numpy array of a class that is not numpy.ndarray".into());
        }
        // The sizes come with the state; here NumPy itself writes one of 0.
        let shape = self.tree.tuple(shape).unwrap_or_default();
        if shape.len() != 1 || !matches!(self.node(shape[0]), Node::Int(0)) {
            return Err("a numpy array that is not made empty first".into());
        }
        Ok(Node::Array(Box::new(Array {
            dtype: "|i1".into(),
            shape: [0].into(),
            fortran: false,
            data: Box::default(),
        })))
    }

    /// The state of an array: version, shape, dtype, order and bytes.
    pub(super) fn set_array_state(&mut self, target: Id, state: Id) -> Step<()> {
        let parts = self.tree.tuple(state).ok_or("a numpy array is given a state that is no tuple")?;
        let [_, shape, dtype, fortran, data] = *parts else {
            return Err(
                "a numpy array is given a state that is not version, shape, dtype, order and data".into()
            );
        };
        let Node::Bool(fortran) = *self.node(fortran) else {
            return Err("a numpy array whose order is no bool".into());
        };
        let made = self.array(shape, dtype, fortran, data)?;
        *self.tree.get_mut(target) = Node::Array(Box::new(made));
        Ok(())
    }

    /// `_frombuffer(bytes, dtype, shape, order)`, as the newest protocol writes arrays.
    pub(super) fn numpy_from_buffer(&mut self, items: &[Id]) -> Step<Node> {
        let [data, dtype, shape, order] = *items else {
            return Err("numpy's _frombuffer takes bytes, a dtype, a shape and an order".into());
        };
        let fortran = match self.tree.text(order) {
            Some("C") => false,
            Some("F") => true,
            _ => return Err("a numpy array whose order is neither 'C' nor 'F'".into()),
        };
        Ok(Node::Array(Box::new(self.array(shape, dtype, fortran, data)?)))
    }

    /// `scalar(dtype, bytes)`.
    pub(super) fn numpy_scalar(&mut self, items: &[Id]) -> Step<Node> {
        let [dtype, data] = *items else { return Err("numpy's scalar takes a dtype and bytes".into()) };
        let made = self.shaped(Box::default(), dtype, false, data)?;
        Ok(Node::ArrayScalar(Box::new(made)))
    }

    fn array(&mut self, shape: Id, dtype: Id, fortran: bool, data: Id) -> Step<Array> {
        let numbers = match self.node(shape) {
            Node::Tuple(items) => self.numbers(&items.items)?,
            _ => return Err("a numpy array whose shape is no tuple".into()),
        };
        let size = |n: i64| u64::try_from(n).map_err(|_| format!("a numpy array with a negative size: {n}"));
        // Short: a dimension each.
        let shape = numbers.into_iter().map(size).collect::<Result<Vec<_>, _>>()?;
        self.shaped(shape.into(), dtype, fortran, data)
    }

    fn shaped(&mut self, shape: Box<[u64]>, dtype: Id, fortran: bool, data: Id) -> Step<Array> {
        let Node::ArrayType(spelling) = self.node(dtype) else {
            return Err(format!("a numpy array whose dtype is {}", self.node(dtype).kind()).into());
        };
        let spelling = spelling.clone();
        let (_, element) = parse(&spelling)?;
        let bytes = match self.node(data) {
            Node::Bytes(bytes) | Node::ByteArray(bytes) => bytes.clone(),
            other => {
                return Err(format!(
                    "a numpy array whose elements are {}, not bytes; objects are not read",
                    other.kind()
                )
                .into());
            }
        };
        let expected = shape.iter().try_fold(element, |product, &size| product.checked_mul(size));
        if expected != Some(bytes.len() as u64) {
            return Err(format!(
                "a numpy array of shape {shape:?} and dtype {spelling} has {} bytes",
                bytes.len()
            )
            .into());
        }
        self.charge(bytes.len())?;
        Ok(Array { dtype: spelling, shape, fortran, data: bytes })
    }
}

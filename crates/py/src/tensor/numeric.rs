//! The operators. They are slots of the type, so `a + b` reaches the op without a method look-up.

use pyo3::basic::CompareOp;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use rustorch_backend::Scalar;
use rustorch_tensor::{Result, Tensor, ops};

use super::{PyTensor, wrap};
use crate::arguments::{convert, type_name};
use crate::errors::IntoPyResult;
use crate::interrupts;

/// From how many elements on an op runs without the GIL: below, handing it over costs more than the op.
const RELEASE_FROM: usize = 1 << 15;
/// The same for products of matrices, whose work grows faster than their elements.
const RELEASE_PRODUCTS_FROM: usize = 1 << 12;

type Binary = fn(&Tensor, &Tensor) -> Result<Tensor>;
type InPlace = fn(&Tensor, &Tensor) -> Result<()>;

fn add(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    ops::add(a, b, Scalar::Int(1))
}

fn sub(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    ops::sub(a, b, Scalar::Int(1))
}

fn div(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    ops::div(a, b, None)
}

fn add_(a: &Tensor, b: &Tensor) -> Result<()> {
    ops::add_(a, b, Scalar::Int(1))
}

fn sub_(a: &Tensor, b: &Tensor) -> Result<()> {
    ops::sub_(a, b, Scalar::Int(1))
}

fn div_(a: &Tensor, b: &Tensor) -> Result<()> {
    ops::div_(a, b, None)
}

/// The operands' elements, or the result's where shapes differ and it has more.
#[inline]
fn work(a: &Tensor, b: &Tensor) -> usize {
    let (m, n) = (a.numel(), b.numel());
    let both = m.saturating_add(n);
    // Nothing to spread: one of them is a number.
    if m.saturating_mul(n) <= both || a.shape() == b.shape() {
        return both;
    }
    let (long, short) = if a.ndim() < b.ndim() { (b.shape(), a.shape()) } else { (a.shape(), b.shape()) };
    let (head, tail) = long.split_at(long.len() - short.len());
    let spread = tail.iter().zip(short).map(|(&m, &n)| m.max(n)).chain(head.iter().copied());
    both.max(spread.fold(1, usize::saturating_mul))
}

/// Runs an op on two tensors, without the GIL where that pays.
#[inline]
fn run(
    py: Python<'_>,
    a: &Bound<'_, PyTensor>,
    b: &Bound<'_, PyTensor>,
    name: &'static str,
    from: usize,
    op: Binary,
) -> PyResult<Tensor> {
    let small = a.get().with(|a| b.get().with(|b| (work(a, b) < from).then(|| op(a, b))));
    let result = if let Some(result) = small {
        result
    } else {
        let (a, b) = (a.get().tensor(a), b.get().tensor(b));
        interrupts::detached(py, || op(&a, &b))?
    };
    result.into_py_of(py, name)
}

/// The other operand: a tensor or a number.
#[inline]
fn operand(
    slf: &Bound<'_, PyTensor>,
    other: &Bound<'_, PyAny>,
    name: &'static str,
) -> PyResult<Option<Tensor>> {
    let floating = || slf.get().with(|tensor| tensor.dtype().is_differentiable());
    let of_float = |value: f64| Tensor::number(value).into_py(slf.py());
    convert::number_beside(other, (name, "other"), floating, convert::tensor_like, of_float)
}

/// An operator with another tensor or a number on its right; `NotImplemented` for anything else.
#[inline]
fn binary<'py>(
    slf: &Bound<'py, PyTensor>,
    other: &Bound<'py, PyAny>,
    name: &'static str,
    from: usize,
    op: Binary,
) -> PyResult<Bound<'py, PyAny>> {
    let py = slf.py();
    if let Ok(other) = other.cast::<PyTensor>() {
        return wrap(py, run(py, slf, other, name, from, op)?);
    }
    let Some(number) = operand(slf, other, name)? else { return Ok(py.NotImplemented().into_bound(py)) };
    with_number(slf, name, from, |tensor| op(tensor, &number))
}

/// An operator with a number on its left.
fn reflected<'py>(
    slf: &Bound<'py, PyTensor>,
    other: &Bound<'py, PyAny>,
    name: &'static str,
    from: usize,
    op: Binary,
) -> PyResult<Bound<'py, PyAny>> {
    let py = slf.py();
    let Some(number) = operand(slf, other, name)? else { return Ok(py.NotImplemented().into_bound(py)) };
    with_number(slf, name, from, |tensor| op(&number, tensor))
}

fn with_number<'py>(
    slf: &Bound<'py, PyTensor>,
    name: &'static str,
    from: usize,
    op: impl Fn(&Tensor) -> Result<Tensor> + Sync,
) -> PyResult<Bound<'py, PyAny>> {
    let py = slf.py();
    let small = slf.get().with(|tensor| (tensor.numel() < from).then(|| op(tensor)));
    let result = if let Some(result) = small {
        result
    } else {
        let tensor = slf.get().tensor(slf);
        interrupts::detached(py, || op(&tensor))?
    };
    wrap(py, result.into_py_of(py, name)?)
}

/// An in-place operator.
fn in_place(
    slf: &Bound<'_, PyTensor>,
    other: &Bound<'_, PyAny>,
    name: &'static str,
    symbol: &str,
    op: InPlace,
) -> PyResult<()> {
    let py = slf.py();
    let target = slf.get().tensor(slf);
    let Some(other) = operand(slf, other, name)? else {
        return Err(PyTypeError::new_err(format!(
            "unsupported operand type(s) for {symbol}: 'Tensor' and '{}'",
            type_name(other)
        )));
    };
    let result =
        if target.numel() < RELEASE_FROM { op(&target, &other) } else { py.detach(|| op(&target, &other)) };
    result.into_py_of(py, name)
}

fn unary<'py>(
    slf: &Bound<'py, PyTensor>,
    name: &'static str,
    op: fn(&Tensor) -> Result<Tensor>,
) -> PyResult<Bound<'py, PyAny>> {
    with_number(slf, name, RELEASE_FROM, op)
}

fn no_modulus(modulus: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
    match modulus {
        Some(modulus) if !modulus.is_none() => {
            Err(PyTypeError::new_err("pow(): a modulus is not supported for tensors; use (a ** b) % m"))
        }
        _ => Ok(()),
    }
}

#[pymethods]
impl PyTensor {
    fn __add__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(slf, other, "__add__", RELEASE_FROM, add)
    }
    fn __radd__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        reflected(slf, other, "__radd__", RELEASE_FROM, |a, b| add(b, a))
    }
    fn __iadd__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(slf, other, "__iadd__", "+=", add_)
    }
    fn __sub__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(slf, other, "__sub__", RELEASE_FROM, sub)
    }
    fn __rsub__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        reflected(slf, other, "__rsub__", RELEASE_FROM, sub)
    }
    fn __isub__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(slf, other, "__isub__", "-=", sub_)
    }
    fn __mul__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(slf, other, "__mul__", RELEASE_FROM, ops::mul)
    }
    fn __rmul__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        reflected(slf, other, "__rmul__", RELEASE_FROM, |a, b| ops::mul(b, a))
    }
    fn __imul__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(slf, other, "__imul__", "*=", ops::mul_)
    }
    fn __truediv__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(slf, other, "__truediv__", RELEASE_FROM, div)
    }
    fn __rtruediv__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        reflected(slf, other, "__rtruediv__", RELEASE_FROM, div)
    }
    fn __itruediv__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(slf, other, "__itruediv__", "/=", div_)
    }
    fn __floordiv__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(slf, other, "__floordiv__", RELEASE_FROM, ops::floor_divide)
    }
    fn __rfloordiv__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        reflected(slf, other, "__rfloordiv__", RELEASE_FROM, ops::floor_divide)
    }
    fn __ifloordiv__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(slf, other, "__ifloordiv__", "//=", ops::floor_divide_)
    }
    fn __mod__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(slf, other, "__mod__", RELEASE_FROM, ops::remainder)
    }
    fn __rmod__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        reflected(slf, other, "__rmod__", RELEASE_FROM, ops::remainder)
    }
    fn __imod__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(slf, other, "__imod__", "%=", ops::remainder_)
    }
    fn __pow__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
        modulus: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        no_modulus(modulus)?;
        binary(slf, other, "__pow__", RELEASE_FROM, ops::pow)
    }
    fn __rpow__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
        modulus: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        no_modulus(modulus)?;
        reflected(slf, other, "__rpow__", RELEASE_FROM, ops::pow)
    }
    fn __ipow__(
        slf: &Bound<'_, Self>,
        other: &Bound<'_, PyAny>,
        modulus: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        no_modulus(modulus)?;
        in_place(slf, other, "__ipow__", "**=", ops::pow_)
    }
    fn __matmul__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        match other.cast::<PyTensor>() {
            Ok(other) => wrap(py, run(py, slf, other, "__matmul__", RELEASE_PRODUCTS_FROM, ops::matmul)?),
            Err(_) => Ok(py.NotImplemented().into_bound(py)),
        }
    }
    fn __and__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(slf, other, "__and__", RELEASE_FROM, ops::bitwise_and)
    }
    fn __rand__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        reflected(slf, other, "__rand__", RELEASE_FROM, ops::bitwise_and)
    }
    fn __iand__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(slf, other, "__iand__", "&=", ops::bitwise_and_)
    }
    fn __or__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(slf, other, "__or__", RELEASE_FROM, ops::bitwise_or)
    }
    fn __ror__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        reflected(slf, other, "__ror__", RELEASE_FROM, ops::bitwise_or)
    }
    fn __ior__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(slf, other, "__ior__", "|=", ops::bitwise_or_)
    }
    fn __xor__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(slf, other, "__xor__", RELEASE_FROM, ops::bitwise_xor)
    }
    fn __rxor__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        reflected(slf, other, "__rxor__", RELEASE_FROM, ops::bitwise_xor)
    }
    fn __ixor__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(slf, other, "__ixor__", "^=", ops::bitwise_xor_)
    }
    fn __lshift__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(slf, other, "__lshift__", RELEASE_FROM, ops::bitwise_left_shift)
    }
    fn __rlshift__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        reflected(slf, other, "__rlshift__", RELEASE_FROM, ops::bitwise_left_shift)
    }
    fn __rshift__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        binary(slf, other, "__rshift__", RELEASE_FROM, ops::bitwise_right_shift)
    }
    fn __rrshift__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        reflected(slf, other, "__rrshift__", RELEASE_FROM, ops::bitwise_right_shift)
    }
    fn __neg__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        unary(slf, "__neg__", ops::neg)
    }
    fn __pos__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        unary(slf, "__pos__", ops::positive)
    }
    fn __abs__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        unary(slf, "__abs__", ops::abs)
    }
    fn __invert__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        unary(slf, "__invert__", ops::bitwise_not)
    }
    fn __richcmp__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
        op: CompareOp,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (name, compare): (_, Binary) = match op {
            CompareOp::Eq => ("__eq__", ops::eq),
            CompareOp::Ne => ("__ne__", ops::ne),
            CompareOp::Lt => ("__lt__", ops::lt),
            CompareOp::Le => ("__le__", ops::le),
            CompareOp::Gt => ("__gt__", ops::gt),
            CompareOp::Ge => ("__ge__", ops::ge),
        };
        binary(slf, other, name, RELEASE_FROM, compare)
    }
    fn __hash__(slf: &Bound<'_, Self>) -> isize {
        // As the interpreter hashes identity: the address without the bits that alignment makes zero.
        (slf.as_ptr() as usize).rotate_right(4) as isize
    }
}

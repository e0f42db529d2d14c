//! Einstein's summation: operand by operand from left to right, each pair as one batched matrix product.

use rustorch_backend::{DType, Dims, Shape, volume};
use rustorch_error::{Result, RusTorchError};

use super::equation::{Equation, Label};
use crate::operations::linear_algebra::same_dtype;
use crate::operations::shape_ops::reshape_to;
use crate::{Tensor, ops};

/// A tensor whose dimensions have names, each of them once.
struct Named {
    tensor: Tensor,
    labels: Vec<Label>,
}

impl Named {
    /// An operand; where a label occurs again, the diagonal is taken.
    fn new(op: &'static str, operand: &Tensor, labels: &[Label]) -> Result<Self> {
        // Short: one per operand, or per dimension of one.
        let mut named = Named { tensor: operand.clone(), labels: labels.to_vec() };
        while let Some((first, second)) = named.repeated() {
            let shape = named.tensor.shape();
            let (one, other) = (shape[first], shape[second]);
            if one != other {
                return Err(RusTorchError::shape(
                    op,
                    format!("a subscript is repeated for dimensions of sizes {one} and {other} of {shape:?}"),
                ));
            }
            named.tensor = ops::diagonal(&named.tensor, 0, first as i64, second as i64)?;
            let label = named.labels.remove(second);
            named.labels.remove(first);
            named.labels.push(label);
        }
        Ok(named)
    }

    fn repeated(&self) -> Option<(usize, usize)> {
        (0..self.labels.len()).find_map(|second| {
            let first = self.labels[..second].iter().position(|l| *l == self.labels[second])?;
            Some((first, second))
        })
    }

    fn position(&self, label: Label) -> Option<usize> {
        self.labels.iter().position(|l| *l == label)
    }

    fn size(&self, label: Label) -> Option<usize> {
        self.position(label).map(|d| self.tensor.shape()[d])
    }

    /// Without the dimensions that `kept` refuses, which are summed over, in `dtype` if not as `sum` would.
    fn summed(self, dtype: Option<DType>, kept: impl Fn(Label) -> bool) -> Result<Self> {
        let dims: Dims<i64> =
            (0..self.labels.len()).filter(|&d| !kept(self.labels[d])).map(|d| d as i64).collect();
        if dims.is_empty() {
            return Ok(self);
        }
        let tensor = ops::sum(&self.tensor, Some(&dims), false, dtype)?;
        Ok(Named { tensor, labels: self.labels.into_iter().filter(|l| kept(*l)).collect() })
    }

    /// Without the dimensions of size 1 that are larger in the other tensor: they broadcast.
    fn without_broadcast(self, other: &Named) -> Result<Self> {
        let dims: Dims<i64> = (0..self.labels.len())
            .filter(|&d| self.tensor.shape()[d] == 1 && other.size(self.labels[d]).is_some_and(|n| n != 1))
            .map(|d| d as i64)
            .collect();
        if dims.is_empty() {
            return Ok(self);
        }
        let tensor = ops::squeeze(&self.tensor, Some(&dims))?;
        let labels = self.labels.iter().enumerate().filter(|(d, _)| !dims.contains(&(*d as i64)));
        Ok(Named { tensor, labels: labels.map(|(_, l)| *l).collect() })
    }

    /// The dimensions in this order.
    fn permuted(&self, order: &[Label]) -> Result<Tensor> {
        let dims: Dims<i64> = order.iter().filter_map(|l| self.position(*l)).map(|d| d as i64).collect();
        if dims.iter().enumerate().all(|(i, &d)| i as i64 == d) {
            return Ok(self.tensor.clone());
        }
        ops::permute(&self.tensor, &dims)
    }

    /// The dimensions of `groups`, each group joined into one.
    fn grouped(&self, batch: &[Label], rows: &[Label], columns: &[Label]) -> Result<Tensor> {
        let permuted = self.permuted(&[batch, rows, columns].concat())?;
        let mut shape = Shape::from_slice(&permuted.shape()[..batch.len()]);
        let sizes = &permuted.shape()[batch.len()..];
        shape.push(volume(&sizes[..rows.len()]));
        shape.push(volume(&sizes[rows.len()..]));
        reshape_to(&permuted, &shape)
    }
}

/// The product of two tensors, summed over the labels that `kept` refuses.
fn contract(a: Named, b: Named, kept: impl Fn(Label) -> bool) -> Result<Named> {
    let (a, b) = {
        let thin = a.without_broadcast(&b)?;
        let other = b.without_broadcast(&thin)?;
        (thin, other)
    };
    let dtype = Some(a.tensor.dtype());
    let a = a.summed(dtype, |l| kept(l) || b.position(l).is_some())?;
    let b = b.summed(dtype, |l| kept(l) || a.position(l).is_some())?;
    let (mut batch, mut inner, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for &label in &a.labels {
        match (b.position(label).is_some(), kept(label)) {
            (true, true) => batch.push(label),
            (true, false) => inner.push(label),
            (false, _) => rows.push(label),
        }
    }
    // Short: one per operand, or per dimension of one.
    let columns: Vec<Label> = b.labels.iter().filter(|l| a.position(**l).is_none()).copied().collect();
    let sizes = |of: &Named, labels: &[Label]| labels.iter().filter_map(|l| of.size(*l)).collect::<Shape>();
    let (row_sizes, column_sizes) = (sizes(&a, &rows), sizes(&b, &columns));
    let labels = [&batch[..], &rows, &columns].concat();
    let tensor = if inner.is_empty() {
        // Nothing to sum over: all products, by broadcasting.
        let mut left = a.permuted(&[&batch[..], &rows].concat())?;
        for _ in &columns {
            left = ops::unsqueeze(&left, -1)?;
        }
        let mut right = b.permuted(&[&batch[..], &columns].concat())?;
        for _ in &rows {
            right = ops::unsqueeze(&right, batch.len() as i64)?;
        }
        ops::mul(&left, &right)?
    } else {
        let left = a.grouped(&batch, &rows, &inner)?;
        let right = b.grouped(&batch, &inner, &columns)?;
        let product = ops::matrix_product(&left, &right)?;
        let shape: Shape = sizes(&a, &batch).into_iter().chain(row_sizes).chain(column_sizes).collect();
        reshape_to(&product, &shape)?
    };
    Ok(Named { tensor, labels })
}

/// The sizes under one label must be equal; 1 broadcasts.
fn check_sizes(op: &'static str, operands: &[Named]) -> Result<()> {
    let all = || operands.iter().flat_map(|o| o.labels.iter().zip(o.tensor.shape()));
    for (label, &size) in all() {
        if let Some((_, other)) = all().find(|(l, n)| *l == label && **n != size && **n != 1 && size != 1) {
            let name = match label {
                Label::Letter(letter) => format!("subscript {letter}"),
                Label::Ellipsis(_) => "the ellipsis".into(),
            };
            return Err(RusTorchError::shape(
                op,
                format!("the sizes under {name} do not broadcast: {size} and {other}"),
            ));
        }
    }
    Ok(())
}

fn evaluate(op: &'static str, equation: &Equation, operands: &[Tensor]) -> Result<Tensor> {
    let named = operands
        .iter()
        .zip(&equation.operands)
        .map(|(operand, labels)| Named::new(op, operand, labels))
        // Short: one per operand, or per dimension of one.
        .collect::<Result<Vec<_>>>()?;
    check_sizes(op, &named)?;
    // Short: one per operand, or per dimension of one.
    let later: Vec<Vec<Label>> = named.iter().map(|n| n.labels.clone()).collect();
    let mut stream = named.into_iter();
    let Some(mut result) = stream.next() else {
        return Err(RusTorchError::argument(op, "at least one operand is needed"));
    };
    for (i, next) in stream.enumerate() {
        result = contract(result, next, |label| {
            equation.output.contains(&label) || later[i + 2..].iter().any(|labels| labels.contains(&label))
        })?;
    }
    let result = result.summed(None, |label| equation.output.contains(&label))?;
    result.permuted(&equation.output)
}

/// Einstein's summation.
pub fn einsum(equation: &str, operands: &[Tensor]) -> Result<Tensor> {
    let op = "einsum";
    // Short: one per operand, or per dimension of one.
    let ndims: Vec<usize> = operands.iter().map(Tensor::ndim).collect();
    if let Some((first, rest)) = operands.split_first() {
        for operand in rest {
            same_dtype(op, first, operand)?;
        }
    }
    evaluate(op, &Equation::parse(equation, &ndims)?, operands)
}

/// The sums of products over pairs of dimensions.
pub fn tensordot(a: &Tensor, b: &Tensor, dims_self: &[i64], dims_other: &[i64]) -> Result<Tensor> {
    let op = "tensordot";
    same_dtype(op, a, b)?;
    if dims_self.len() != dims_other.len() {
        return Err(RusTorchError::argument(
            op,
            format!("both dimension lists should have the same length, got {dims_self:?} and {dims_other:?}"),
        ));
    }
    // Each dimension has a name of its own, but for the pairs that are summed over.
    let mut labels: Vec<Label> = (0..a.ndim() + b.ndim()).map(Label::Ellipsis).collect();
    let mut summed = Vec::new();
    for (&one, &other) in dims_self.iter().zip(dims_other) {
        let (d, e) = (a.dim_index(op, one)?, b.dim_index(op, other)?);
        if summed.contains(&labels[d]) || labels[a.ndim() + e] != Label::Ellipsis(a.ndim() + e) {
            return Err(RusTorchError::argument(
                op,
                format!("a dimension appears multiple times in {dims_self:?} or {dims_other:?}"),
            ));
        }
        let (n, m) = (a.shape()[d], b.shape()[e]);
        if n != m && n != 1 && m != 1 {
            return Err(RusTorchError::shape(
                op,
                format!(
                    "contracted dimensions need to match, but {:?} has size {n} in dim {one} and {:?} has size {m} in \
                     dim {other}",
                    a.shape(),
                    b.shape()
                ),
            ));
        }
        labels[a.ndim() + e] = labels[d];
        summed.push(labels[d]);
    }
    let (left, right) = labels.split_at(a.ndim());
    let output = labels.iter().filter(|l| !summed.contains(l)).copied().collect();
    // Short: one per operand, or per dimension of one.
    let equation = Equation { operands: vec![left.to_vec(), right.to_vec()], output };
    evaluate(op, &equation, &[a.clone(), b.clone()])
}

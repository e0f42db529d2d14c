//! Scaled dot-product attention (A. Vaswani et al., *Attention Is All You Need*, 2017).

use rustorch_backend::{AttentionParams, DType, Shape, broadcast_shapes, kernel};
use rustorch_error::{Result, RusTorchError};

use super::creation::cast;
use super::shape_ops::{expand_to, reshape_to};
use crate::autograd::{formulas, is_recording, record};
use crate::{Tensor, ops};

const OP: &str = "scaled_dot_product_attention";

/// The sizes `(L, E)`, `(S, E)`, `(S, D)` after the checks.
fn check(query: &Tensor, key: &Tensor, value: &Tensor) -> Result<()> {
    let dtype = query.dtype();
    if !dtype.is_floating_point() || key.dtype() != dtype || value.dtype() != dtype {
        return Err(RusTorchError::dtype(
            OP,
            format!(
                "expected query, key and value of one floating-point dtype, got {dtype}, {} and {}",
                key.dtype(),
                value.dtype()
            ),
        ));
    }
    let fits = match (query.shape(), key.shape(), value.shape()) {
        ([.., _, features], [.., keys, key_features], [.., values, _]) => {
            features == key_features && keys == values
        }
        _ => false,
    };
    if fits {
        return Ok(());
    }
    Err(RusTorchError::shape(
        OP,
        format!(
            "expected query (…, L, E), key (…, S, E) and value (…, S, D), got {:?}, {:?} and {:?}",
            query.shape(),
            key.shape(),
            value.shape()
        ),
    ))
}

/// A tensor's shape with other leading dimensions.
fn with_lead(lead: &[usize], matrix: &Tensor) -> Shape {
    let mut shape = Shape::from_slice(lead);
    shape.extend_from_slice(&matrix.shape()[matrix.ndim() - 2..]);
    shape
}

/// Key or value with each head as often as it serves a head of the query: `(…, H, S, E)` to `(…, heads, S, E)`.
fn repeat_heads(name: &str, tensor: &Tensor, heads: usize) -> Result<Tensor> {
    let d = tensor.ndim() - 3;
    let own = tensor.shape()[d];
    if own == 0 || !heads.is_multiple_of(own) {
        return Err(RusTorchError::shape(
            OP,
            format!(
                "number of heads in key and value must divide the number of heads in query, got {own} of {name} and {heads}"
            ),
        ));
    }
    let mut shape = Shape::from_slice(tensor.shape());
    shape.insert(d + 1, heads / own);
    let repeated = expand_to(&ops::unsqueeze(tensor, d as i64 + 1)?, &shape)?;
    let mut shape = Shape::from_slice(tensor.shape());
    shape[d] = heads;
    reshape_to(&repeated, &shape)
}

/// The numbers to add to scores that a mask stands for.
fn additive(mask: &Tensor, dtype: DType) -> Result<Tensor> {
    if mask.dtype() == DType::Bool {
        let zero = Tensor::scalar(0.into(), dtype, mask.device())?;
        return ops::where_(mask, &zero, &Tensor::scalar(f64::NEG_INFINITY.into(), dtype, mask.device())?);
    }
    if mask.dtype() == dtype {
        return Ok(mask.clone());
    }
    if mask.dtype() == DType::Float32 {
        return cast(mask, dtype);
    }
    Err(RusTorchError::dtype(
        OP,
        format!(
            "expected attn_mask to be bool, float32 or of the query's dtype, {dtype}, got {}",
            mask.dtype()
        ),
    ))
}

/// Queries' means of values, weighted by the softmax of their products with keys.
#[allow(clippy::too_many_arguments, reason = "PyTorch's signature")]
pub fn scaled_dot_product_attention(
    query: &Tensor,
    key: &Tensor,
    value: &Tensor,
    attn_mask: Option<&Tensor>,
    dropout_p: f64,
    is_causal: bool,
    scale: Option<f64>,
    enable_gqa: bool,
) -> Result<Tensor> {
    check(query, key, value)?;
    if is_causal && attn_mask.is_some() {
        return Err(RusTorchError::argument(OP, "explicit attn_mask should not be set when is_causal=True"));
    }
    if !(0.0..=1.0).contains(&dropout_p) {
        return Err(RusTorchError::argument(
            OP,
            format!("dropout probability has to be between 0 and 1, but got {dropout_p}"),
        ));
    }
    let (mut key, mut value) = (key.clone(), value.clone());
    if enable_gqa {
        if query.ndim() < 3 || key.ndim() < 3 || value.ndim() < 3 {
            return Err(RusTorchError::shape(
                OP,
                "enable_gqa wants heads, at dimension -3, in query, key and value",
            ));
        }
        let heads = query.shape()[query.ndim() - 3];
        (key, value) = (repeat_heads("key", &key, heads)?, repeat_heads("value", &value, heads)?);
    }
    let lead = |t: &Tensor| Shape::from_slice(&t.shape()[..t.ndim() - 2]);
    let leads = [lead(query), lead(&key), lead(&value)];
    let lead = broadcast_shapes(OP, leads.iter().map(Shape::as_slice))?;
    let query = expand_to(query, &with_lead(&lead, query))?;
    let (key, value) =
        (expand_to(&key, &with_lead(&lead, &key))?, expand_to(&value, &with_lead(&lead, &value))?);
    let (rows, features) = (query.shape()[lead.len()], query.shape()[lead.len() + 1]);
    let columns = key.shape()[lead.len()];
    let mask = match attn_mask {
        Some(mask) => {
            let mut shape = lead.clone();
            shape.extend_from_slice(&[rows, columns]);
            Some(expand_to(&additive(mask, query.dtype())?, &shape).map_err(|_| {
                RusTorchError::shape(
                    OP,
                    format!("attn_mask of shape {:?} does not broadcast to {shape:?}", mask.shape()),
                )
            })?)
        }
        None => None,
    };
    let scale = scale.unwrap_or_else(|| 1.0 / (features.max(1) as f64).sqrt());
    if dropout_p == 0.0 && !mask.as_ref().is_some_and(Tensor::requires_grad) {
        return ops::attention(&query, &key, &value, mask.as_ref(), scale, is_causal);
    }
    let weights = attention_weights(&query, &key, mask.as_ref(), scale, is_causal)?;
    ops::matmul(&ops::dropout(&weights, dropout_p, true)?, &value)
}

/// The softmax of the scores, made of differentiable ops; rows that see nothing are 0.
pub(crate) fn attention_weights(
    query: &Tensor,
    key: &Tensor,
    mask: Option<&Tensor>,
    scale: f64,
    causal: bool,
) -> Result<Tensor> {
    let scaled = ops::mul(query, &Tensor::number(scale)?)?;
    let mut scores = ops::matmul(&scaled, &ops::transpose(key, -2, -1)?)?;
    if let Some(mask) = mask {
        scores = ops::add(&scores, mask, 1.into())?;
    }
    let lowest = Tensor::number(f64::NEG_INFINITY)?;
    if causal {
        let matrix = &scores.shape()[scores.ndim() - 2..];
        let sizes = [matrix[0] as i64, matrix[1] as i64];
        let ones = ops::ones(&sizes, Some(DType::Bool), Some(scores.device()), false)?;
        scores = ops::masked_fill(&scores, &ops::triu(&ones, 1)?, &lowest)?;
    }
    let unseen = ops::all(&ops::eq(&scores.detach(), &lowest)?, Some(&[-1]), true)?;
    // Scores of rows that see nothing become 0 before the softmax, so that no NaN comes into its gradient.
    let scores = ops::masked_fill(&scores, &unseen, &Tensor::number(0.0)?)?;
    ops::masked_fill(&ops::softmax(&scores, -1, None)?, &unseen, &Tensor::number(0.0)?)
}

/// A tensor with its last dimension contiguous, as the kernel wants masks.
fn along_keys(mask: &Tensor) -> Result<Tensor> {
    let last = mask.ndim() - 1;
    if mask.strides()[last] == 1 || mask.shape()[last] <= 1 {
        return Ok(mask.detach());
    }
    super::contiguity::contiguous_copy(mask)
}

/// Attention by the backend's kernel, whose gradient computes the scores again.
pub fn attention(
    query: &Tensor,
    key: &Tensor,
    value: &Tensor,
    mask: Option<&Tensor>,
    scale: f64,
    causal: bool,
) -> Result<Tensor> {
    let mut shape = Shape::from_slice(query.shape());
    let last = shape.len() - 1;
    shape[last] = value.shape()[last];
    let result = Tensor::empty(&shape, query.dtype(), query.device())?;
    let log_sum = Tensor::empty(&query.shape()[..last], query.dtype().compute(), query.device())?;
    let mask = mask.map(along_keys).transpose()?;
    let params = AttentionParams { scale, causal };
    if result.numel() > 0 {
        result.backend()?.run(kernel::Attention {
            params,
            query: query.operand(),
            key: key.operand(),
            value: value.operand(),
            mask: mask.as_ref().map(Tensor::operand),
            output: result.operand(),
            log_sum: log_sum.operand(),
        })?;
    }
    if is_recording(&[query, key, value]) {
        let node =
            formulas::attention_backward([query, key, value], mask.as_ref(), params, (&result, log_sum))?;
        record(&result, node, smallvec::smallvec![query.edge(), key.edge(), value.edge()]);
    }
    Ok(result)
}

/// The gradients of [`attention`] by query, key and value, by the backend's kernel.
pub(crate) fn attention_grad(
    params: &AttentionParams,
    grad: &Tensor,
    inputs: [&Tensor; 3],
    mask: Option<&Tensor>,
    (result, log_sum): (&Tensor, &Tensor),
) -> Result<[Tensor; 3]> {
    let empty = |t: &Tensor| Tensor::empty(t.shape(), t.dtype(), t.device());
    let grads = [empty(inputs[0])?, empty(inputs[1])?, empty(inputs[2])?];
    if grad.numel() == 0 {
        for grad in &grads {
            grad.backend()?.fill(grad.operand(), 0.into())?;
        }
        return Ok(grads);
    }

    let [query, key, value] = inputs.map(Tensor::operand);
    let [grad_query, grad_key, grad_value] = [grads[0].operand(), grads[1].operand(), grads[2].operand()];
    grad.backend()?.run(kernel::AttentionGrad {
        params: *params,
        grad: grad.operand(),
        query,
        key,
        value,
        mask: mask.map(Tensor::operand),
        output: result.operand(),
        log_sum: log_sum.operand(),
        grad_query,
        grad_key,
        grad_value,
    })?;
    Ok(grads)
}

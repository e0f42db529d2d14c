//! The gradient of attention.

use std::borrow::Cow;
use std::sync::Arc;

use rustorch_backend::AttentionParams;
use rustorch_error::Result;

use crate::autograd::{Backward, Gradients, Node, Origin, Saved, mode};
use crate::operations::attention::{attention_grad, attention_weights};
use crate::{Tensor, ops};

#[derive(Debug)]
struct AttentionBackward {
    inputs: [Saved; 3],
    origins: [Origin; 3],
    mask: Option<Saved>,
    params: AttentionParams,
    result: Saved,
    log_sum: Tensor,
}

/// The node of `attention`.
pub fn attention_backward(
    inputs: [&Tensor; 3],
    mask: Option<&Tensor>,
    params: AttentionParams,
    (result, log_sum): (&Tensor, Tensor),
) -> Result<Arc<dyn Backward>> {
    let [query, key, value] = inputs;
    Ok(Arc::new(AttentionBackward {
        inputs: [Saved::input(query)?, Saved::input(key)?, Saved::input(value)?],
        origins: inputs.map(Origin::of),
        mask: mask.map(Saved::input).transpose()?,
        params,
        result: Saved::output(result, 0)?,
        log_sum,
    }))
}

/// The same gradients made of differentiable ops.
fn recorded(
    params: AttentionParams,
    grad: &Tensor,
    [query, key, value]: [&Tensor; 3],
    mask: Option<&Tensor>,
) -> Result<[Tensor; 3]> {
    let weights = attention_weights(query, key, mask, params.scale, params.causal)?;
    let by_value = ops::matmul(&ops::transpose(&weights, -2, -1)?, grad)?;
    let slopes = ops::matmul(grad, &ops::transpose(value, -2, -1)?)?;
    let mean = ops::sum(&ops::mul(&slopes, &weights)?, Some(&[-1]), true, None)?;
    let scores = ops::mul(&weights, &ops::sub(&slopes, &mean, 1.into())?)?;
    let scores = ops::mul(&scores, &Tensor::number(params.scale)?)?;
    Ok([ops::matmul(&scores, key)?, ops::matmul(&ops::transpose(&scores, -2, -1)?, query)?, by_value])
}

impl Backward for AttentionBackward {
    fn name(&self) -> Cow<'static, str> {
        "ScaledDotProductAttentionBackward0".into()
    }

    fn backward(&self, node: &Arc<Node>, grads: &[Option<Tensor>]) -> Result<Gradients> {
        let mut gradients: Gradients = smallvec::smallvec![None; 3];
        let Some(grad) = &grads[0] else { return Ok(gradients) };
        let [query, key, value] = &self.inputs;
        let (query, key, value) = (query.unpack(node)?, key.unpack(node)?, value.unpack(node)?);
        let inputs = [&query, &key, &value];
        let mask = self.mask.as_ref().map(|mask| mask.unpack(node)).transpose()?;
        let made = if mode::is_enabled() {
            recorded(self.params, grad, inputs, mask.as_ref())?
        } else {
            let result = self.result.unpack(node)?;
            attention_grad(&self.params, grad, inputs, mask.as_ref(), (&result, &self.log_sum))?
        };
        for (i, (gradient, origin)) in made.into_iter().zip(&self.origins).enumerate() {
            if node.wants(i) {
                gradients[i] = Some(origin.restore(gradient)?);
            }
        }
        Ok(gradients)
    }
}

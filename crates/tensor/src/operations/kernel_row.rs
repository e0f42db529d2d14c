//! The rows of the op table that have a kernel of their own, or are views: their functions, and their nodes in the graph.

use std::sync::Arc;

use rustorch_error::{Result, RusTorchError};

use crate::Tensor;
use crate::autograd::{self, Node, Origin, Saved};

/// The functions of a file's rows. Codegen writes each as
///
/// ```text
/// file::name(argument: type, …) -> type = result {
///     widen (arguments), dtype if condition => (wider arguments);
///     instead condition => call;
///     on placement;
///     view of argument;
///     record result if condition, edges, Node { field: type = value, … } (this, node, grad) gradients;
/// }
/// ```
///
/// in which every line may be missing. The names `this`, `node` and `grad` are those that the gradients use, which are either
/// `place => tensor, …`, an element per input, or `all => tensors`, or `missing "why"`.
macro_rules! kernels {
    ($(
        $(#[$doc:meta])*
        $file:ident::$name:ident($($argument:ident: $type:ty),*) -> $output:ty = $result:tt {
            $(widen $given:tt, $dtype:tt if $pays:expr => $wider:tt;)?
            $(instead $when:expr => $instead:expr;)?
            $(on $together:expr;)?
            $(view of $base:ident;)?
            $(record $first:ident if $recording:expr, $edges:expr, $node:ident $fields:tt $names:tt $gradients:tt;)?
        }
    )*) => {$(
        $(#[$doc])*
        pub fn $name($($argument: $type),*) -> Result<$output> {
            $(kernel_row::widen!($name $given $dtype ($pays) $wider);)?
            $(if $when {
                return $instead;
            })?
            $($together?;)?
            let $result = {
                let _mode = autograd::GradMode::no_grad();
                operations::$file::$name($($argument),*)?
            };
            $($result.set_base($base);)?
            $(if $recording && $first.dtype().is_differentiable() {
                autograd::record(&$first, Arc::new(kernel_row::keep!($node $fields)), $edges);
            })?
            Ok($result)
        }
        $(kernel_row::node!($node $fields $names $gradients);)?
    )*};
}

/// The call of an op on wider tensors, where those given are of half precision.
macro_rules! widen {
    ($name:ident ($($given:expr),*) $dtype:tt ($pays:expr) ($($wider:tt)*)) => {
        if $pays && let Some(wide) = Widening::of(&[$($given),*], $dtype) {
            return kernel_row::wider!(wide $name $($wider)*)?.narrowed(wide);
        }
    };
}

/// The arguments of a wider call: `one`, `maybe` and `list` are tensors, `dtype` is a dtype, and `as_is` the rest.
macro_rules! wider {
    ($wide:ident $name:ident $($kind:ident $argument:ident),*) => {
        $name($(kernel_row::wider_argument!($wide $kind $argument)),*)
    };
}

/// An argument of a wider call.
macro_rules! wider_argument {
    ($wide:ident one $argument:ident) => {
        &$wide.tensor($argument)?
    };
    ($wide:ident maybe $argument:ident) => {
        $wide.optional($argument)?.as_ref()
    };
    ($wide:ident list $argument:ident) => {
        &$wide.list($argument)?
    };
    ($wide:ident dtype $argument:ident) => {
        $wide.dtype($argument)
    };
    ($wide:ident as_is $argument:ident) => {
        $argument
    };
}

/// Composite ops that are computed in wider tensors: `file::name(…) -> type { (arguments), dtype if condition => (wider) }`.
macro_rules! widened {
    ($(
        $(#[$doc:meta])*
        $file:ident::$name:ident($($argument:ident: $type:ty),*) -> $output:ty {
            $given:tt, $dtype:tt if $pays:expr => $wider:tt
        }
    )*) => {$(
        $(#[$doc])*
        pub fn $name($($argument: $type),*) -> Result<$output> {
            kernel_row::widen!($name $given $dtype ($pays) $wider);
            operations::$file::$name($($argument),*)
        }
    )*};
}

/// In-place forms of ops that are not elementwise: `name_(target, argument: type, …) by name`.
macro_rules! overwriting {
    ($($in_place:ident = $name:ident($target:ident $(, $argument:ident: $type:ty)*), $public:literal;)*) => {$(
        #[doc = concat!("In-place form of [`", stringify!($name), "`]: writes the result into its first argument.")]
        pub fn $in_place($target: &Tensor $(, $argument: $type)*) -> Result<()> {
            autograd::overwrite($public, $target, || $name($target $(, $argument)*))
        }
    )*};
}

/// A node with what it keeps.
macro_rules! keep {
    ($node:ident { $($field:ident: $type:ty = $value:expr),* $(,)? }) => {
        $node { $($field: $value),* }
    };
}

/// The struct of a node, and how it is differentiated.
macro_rules! node {
    (
        $node:ident { $($field:ident: $type:ty = $value:expr),* $(,)? }
        ($this:ident, $own:ident, $grad:ident) $gradients:tt
    ) => {
        #[derive(Debug)]
        struct $node {
            $($field: $type),*
        }

        impl Backward for $node {
            fn name(&self) -> std::borrow::Cow<'static, str> {
                concat!(stringify!($node), "0").into()
            }

            fn backward(&self, $own: &Arc<Node>, grads: &[Option<Tensor>]) -> Result<Gradients> {
                let $this = self;
                kernel_row::gradients!($own grads[0] $grad $gradients)
            }
        }
    };
}

/// The gradients of a node by those of its outputs, of which the first alone has any.
macro_rules! gradients {
    ($node:ident $grads:ident[0] $grad:ident { missing $why:literal }) => {
        Err(kernel_row::missing($why))
    };
    ($node:ident $grads:ident[0] $grad:ident { all $count:expr => $gradients:expr }) => {{
        let Some($grad) = &$grads[0] else { return Ok(smallvec::smallvec![None; $count]) };
        Ok($gradients)
    }};
    ($node:ident $grads:ident[0] $grad:ident { $count:literal $(, $place:literal => $gradient:expr)* $(,)? }) => {{
        let mut gradients: Gradients = smallvec::smallvec![None; $count];
        let Some($grad) = &$grads[0] else { return Ok(gradients) };
        $(if $node.wants($place) {
            gradients[$place] = Some($gradient);
        })*
        Ok(gradients)
    }};
}

pub(crate) use {gradients, keep, kernels, node, overwriting, widen, widened, wider, wider_argument};

/// The error of a derivative that is not built.
#[cold]
pub fn missing(why: &str) -> RusTorchError {
    RusTorchError::autograd("backward", format!("the derivative of {why}"))
}

/// A saved tensor that a gradient needs.
pub fn saved(slot: Option<&Saved>, node: &Arc<Node>) -> Result<Tensor> {
    slot.ok_or_else(|| lacking(node, "did not save a tensor that its gradient needs"))?.unpack(node)
}

/// What an optional input was, of which a gradient is wanted.
pub fn given<'a>(origin: Option<&'a Origin>, node: &Arc<Node>) -> Result<&'a Origin> {
    origin.ok_or_else(|| lacking(node, "has no such input"))
}

#[cold]
fn lacking(node: &Arc<Node>, what: &str) -> RusTorchError {
    RusTorchError::autograd("backward", format!("{} {what}", node.name()))
}

/// The gradient of a holomorphic function, `grad * conj(f')`, by a formula that says `grad * f'`.
pub fn conjugated(grad: &Tensor, formula: impl FnOnce(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    autograd::conjugate(&formula(&autograd::conjugate(grad)?)?)
}

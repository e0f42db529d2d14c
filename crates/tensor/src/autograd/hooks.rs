//! Hooks on what nodes keep, per thread.

use std::any::Any;
use std::cell::RefCell;
use std::sync::Arc;

use rustorch_error::Result;

use crate::Tensor;

/// What a pack hook made of a tensor.
pub type Packed = Box<dyn Any + Send + Sync>;

/// Makes something to keep of a tensor.
pub type Pack = Box<dyn Fn(&Tensor) -> Result<Packed> + Send + Sync>;
/// Makes the tensor of what was kept again.
pub type Unpack = Box<dyn Fn(&Packed) -> Result<Tensor> + Send + Sync>;

/// Functions that stand between an op and the tensors it saves.
pub struct SavedHooks {
    /// Makes something to keep of a tensor.
    pub pack: Pack,
    /// Makes the tensor of it again.
    pub unpack: Unpack,
}

thread_local! {
    static STACK: RefCell<Vec<Arc<SavedHooks>>> = const { RefCell::new(Vec::new()) };
}

/// The hooks that work now: the innermost.
#[inline]
pub(super) fn current() -> Option<Arc<SavedHooks>> {
    STACK.with_borrow(|stack| stack.last().cloned())
}

/// Lets these hooks see what ops of this thread save, until [`pop`].
pub fn push(hooks: SavedHooks) {
    STACK.with_borrow_mut(|stack| stack.push(Arc::new(hooks)));
}

/// Takes the innermost hooks off.
pub fn pop() {
    let hooks = STACK.with_borrow_mut(Vec::pop);
    drop(hooks);
}

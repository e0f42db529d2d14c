//! Hooks on what nodes keep, per thread.

use std::any::Any;
use std::cell::{Cell, RefCell};
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
    /// How many look at what this thread's ops save: these hooks, and in-place ops.
    static WATCHERS: Cell<usize> = const { Cell::new(0) };
    static STACK: RefCell<Vec<Arc<SavedHooks>>> = const { RefCell::new(Vec::new()) };
}

/// Whether anybody looks at what ops of this thread save. An op that saves something asks just this.
#[inline]
pub(super) fn is_watched() -> bool {
    WATCHERS.get() > 0
}

/// One more looks, until [`unwatch`].
pub(super) fn watch() {
    WATCHERS.set(WATCHERS.get() + 1);
}

/// One looks no more.
pub(super) fn unwatch() {
    WATCHERS.set(WATCHERS.get() - 1);
}

/// The hooks that work now: the innermost.
pub(super) fn current() -> Option<Arc<SavedHooks>> {
    STACK.with_borrow(|stack| stack.last().cloned())
}

/// Lets these hooks see what ops of this thread save, until [`pop`].
pub fn push(hooks: SavedHooks) {
    STACK.with_borrow_mut(|stack| stack.push(Arc::new(hooks)));
    watch();
}

/// Takes the innermost hooks off.
pub fn pop() {
    let hooks = STACK.with_borrow_mut(Vec::pop);
    if hooks.is_some() {
        unwatch();
    }
    drop(hooks);
}

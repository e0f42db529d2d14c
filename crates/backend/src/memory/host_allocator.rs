//! Which allocator the processor's memory comes from.

use rustorch_error::{Result, RusTorchError};

use super::fork::OnceLock;
use super::{MemoryAllocator, PoolAllocator, SystemAllocator};

/// The variable of the environment that names it.
const VARIABLE: &str = "RUSTORCH_ALLOCATOR";

/// The allocator that `name` asks for; the pool when nothing is asked.
fn choose(name: Option<&str>) -> Result<&'static dyn MemoryAllocator> {
    match name {
        None | Some("" | "pool") => Ok(PoolAllocator::global()),
        Some("system") => Ok(SystemAllocator::global()),
        Some(other) => Err(RusTorchError::unavailable(
            VARIABLE,
            format!("there is no allocator '{other}'; there are: pool, system"),
        )),
    }
}

fn chosen() -> &'static Result<&'static dyn MemoryAllocator> {
    static CHOSEN: OnceLock<Result<&'static dyn MemoryAllocator>> = OnceLock::new();
    CHOSEN.get_or_init(|| choose(std::env::var(VARIABLE).ok().as_deref()))
}

/// Fails unless `RUSTORCH_ALLOCATOR` names an allocator that there is: `pool`, which recycles blocks, or `system`, whose
/// blocks are each an allocation of exactly their bytes, so that `AddressSanitizer` and valgrind see where one ends.
///
/// # Errors
/// There is no allocator of that name.
pub fn check_host_allocator() -> Result<()> {
    chosen().as_ref().map(|_| ()).map_err(Clone::clone)
}

/// The allocator of the processor's memory for as long as the process lives: the one that `RUSTORCH_ALLOCATOR` names.
/// A name that there is none of is for [`check_host_allocator`] to tell, before the first tensor.
#[inline]
pub fn host_allocator() -> &'static dyn MemoryAllocator {
    match chosen() {
        Ok(allocator) => *allocator,
        Err(_) => PoolAllocator::global(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Buffer;

    fn capacity(name: Option<&str>, bytes: usize) -> usize {
        let allocator = choose(name).expect("there is one of this name");
        let block = allocator.allocate(bytes).expect("a few bytes");
        // SAFETY: just had from this allocator.
        unsafe { allocator.deallocate(block) };
        block.capacity
    }

    #[test]
    fn the_system_s_blocks_are_as_long_as_asked_for_and_the_pool_s_are_not() {
        assert_eq!(capacity(Some("system"), 65), 65);
        for name in [None, Some(""), Some("pool")] {
            assert!(capacity(name, 65) > 65);
        }
    }

    #[test]
    fn a_name_that_there_is_none_of_is_an_error_that_says_which_there_are() {
        let error = choose(Some("jemalloc")).map(|_| ()).expect_err("there is no such allocator");
        for part in [VARIABLE, "'jemalloc'", "pool", "system"] {
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn buffers_come_from_it() {
        let buffer = Buffer::allocate(host_allocator(), 1000).expect("a few bytes");
        let allocator = buffer.allocator().expect("its own memory");
        assert!(std::ptr::addr_eq(std::ptr::from_ref(allocator), std::ptr::from_ref(host_allocator())));
    }

    #[test]
    #[ignore = "wrong on purpose: tests/asan.sh must find it"]
    fn fault_a_byte_behind_a_buffer_is_read() {
        let buffer = Buffer::allocate(host_allocator(), 1000).expect("a few bytes");
        // SAFETY: none; the byte is nobody's.
        let byte = unsafe { buffer.address().as_ptr().add(buffer.bytes()).read_volatile() };
        assert!(byte as usize <= buffer.bytes());
    }
}

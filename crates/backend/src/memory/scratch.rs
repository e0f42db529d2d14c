//! Scratch memory, and lists whose length comes from data or from arguments.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use rustorch_error::Result;

use super::{ALIGNMENT, Block, host_allocator};

/// A list that the pool's memory holds, and that says so where there is none.
///
/// `Vec` ends the process when it cannot grow. What a kernel or an operation needs room for, in proportion to a tensor's
/// elements or to a number among the arguments, it keeps here: every function that may need memory gives a
/// [`Result`]. Blocks go back to the pool, so that the next call finds their pages in place. An empty one holds nothing.
pub struct Scratch<T> {
    /// Of [`Self::bytes`] bytes from the pool, or of nothing where that is 0.
    address: NonNull<T>,
    bytes: usize,
    len: usize,
    element: PhantomData<T>,
}

// SAFETY: the elements are this list's own, as with `Vec`.
unsafe impl<T: Send> Send for Scratch<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Scratch<T> {}

impl<T> Scratch<T> {
    const FITS: () = assert!(size_of::<T>() > 0 && align_of::<T>() <= ALIGNMENT);

    /// Nothing, which needs no memory.
    pub const fn new() -> Self {
        const { Self::FITS };
        Scratch { address: NonNull::dangling(), bytes: 0, len: 0, element: PhantomData }
    }

    /// No elements, with room for `room`: to be pushed, or to be written through [`Self::as_ptr`].
    ///
    /// # Errors
    /// `OutOfMemory`, as for every function here that gives a `Result`.
    #[inline]
    pub fn with_room(room: usize) -> Result<Self> {
        const { Self::FITS };
        if room == 0 {
            return Ok(Self::new());
        }
        let block = host_allocator().allocate(room.saturating_mul(size_of::<T>()))?;
        Ok(Scratch { address: block.address.cast(), bytes: block.capacity, len: 0, element: PhantomData })
    }

    /// The elements of `values`.
    pub fn collect(values: impl IntoIterator<Item = T>) -> Result<Self> {
        let mut list = Self::new();
        list.extend(values)?;
        Ok(list)
    }

    /// The elements of `values`, up to the first error.
    pub fn try_collect(values: impl IntoIterator<Item = Result<T>>) -> Result<Self> {
        let values = values.into_iter();
        let mut list = Self::with_room(values.size_hint().0)?;
        for value in values {
            list.push(value?)?;
        }
        Ok(list)
    }

    /// How many elements there is room for.
    #[inline]
    pub fn room(&self) -> usize {
        self.bytes / size_of::<T>()
    }

    /// Room for `more` elements behind the present ones.
    #[inline]
    pub fn reserve(&mut self, more: usize) -> Result<()> {
        let wanted = self.len.saturating_add(more);
        if wanted <= self.room() { Ok(()) } else { self.grow(wanted) }
    }

    #[cold]
    fn grow(&mut self, wanted: usize) -> Result<()> {
        // Twice as much at least, so that pushing costs a constant time in the mean; what is needed where that is too much.
        let (least, twice) = (wanted.saturating_mul(size_of::<T>()), self.bytes.saturating_mul(2));
        let pool = host_allocator();
        let grown = |bytes: usize| match self.block() {
            // SAFETY: the block came from the pool; if this succeeds the list forgets it, just below.
            Some(block) => unsafe { pool.realloc(block, bytes) },
            None => pool.allocate(bytes),
        };
        let block = if twice > least { grown(twice).or_else(|_| grown(least))? } else { grown(least)? };
        (self.address, self.bytes) = (block.address.cast(), block.capacity);
        Ok(())
    }

    fn block(&self) -> Option<Block> {
        (self.bytes > 0).then_some(Block { address: self.address.cast(), capacity: self.bytes })
    }

    /// Adds an element at the end.
    #[inline]
    pub fn push(&mut self, value: T) -> Result<()> {
        self.reserve(1)?;
        // SAFETY: there is room for one more element.
        unsafe { self.as_ptr().add(self.len).write(value) };
        self.len += 1;
        Ok(())
    }

    /// Adds the elements of `values` at the end. On an error those that came before it stay.
    pub fn extend(&mut self, values: impl IntoIterator<Item = T>) -> Result<()> {
        let mut values = values.into_iter();
        let sure = values.size_hint().0;
        self.reserve(sure)?;
        values.by_ref().take(sure).for_each(|value| {
            // SAFETY: there is room for `sure` more elements, and no more are taken.
            unsafe { self.as_ptr().add(self.len).write(value) };
            self.len += 1;
        });
        for value in values {
            self.push(value)?;
        }
        Ok(())
    }

    /// Drops the elements from number `len` on; keeps the memory.
    pub fn truncate(&mut self, len: usize) {
        while self.len > len {
            self.len -= 1;
            // SAFETY: the element was the list's last one, and is not any more.
            unsafe { self.as_ptr().add(self.len).drop_in_place() };
        }
    }

    /// Drops the elements; keeps the memory.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// The first element, aligned to a cache line where there is room for any. From here on lies [`Self::room`] for elements.
    #[inline]
    pub fn as_ptr(&self) -> *mut T {
        self.address.as_ptr()
    }
}

impl<T: Copy> Scratch<T> {
    /// `len` times `value`.
    #[inline]
    pub fn filled(len: usize, value: T) -> Result<Self> {
        let mut list = Self::with_room(len)?;
        // SAFETY: there is room for `len` elements.
        unsafe { (0..len).for_each(|i| list.as_ptr().add(i).write(value)) };
        list.len = len;
        Ok(list)
    }

    /// `len` elements of the default value, which for numbers is 0.
    #[inline]
    pub fn zeroed(len: usize) -> Result<Self>
    where
        T: Default,
    {
        Self::filled(len, T::default())
    }

    /// A copy of `values`.
    #[inline]
    pub fn copied(values: &[T]) -> Result<Self> {
        let mut list = Self::new();
        list.extend_from_slice(values)?;
        Ok(list)
    }

    /// Adds a copy of `values` at the end.
    #[inline]
    pub fn extend_from_slice(&mut self, values: &[T]) -> Result<()> {
        self.reserve(values.len())?;
        // SAFETY: there is room for the values, which do not lie there: a slice of this list would forbid `&mut self`.
        unsafe { values.as_ptr().copy_to_nonoverlapping(self.as_ptr().add(self.len), values.len()) };
        self.len += values.len();
        Ok(())
    }

    /// `len` elements: the present ones, and `value` for those that are lacking.
    pub fn resize(&mut self, len: usize, value: T) -> Result<()> {
        self.reserve(len.saturating_sub(self.len))?;
        // SAFETY: there is room for `len` elements.
        unsafe { (self.len..len).for_each(|i| self.as_ptr().add(i).write(value)) };
        self.len = len;
        Ok(())
    }
}

impl<T> Drop for Scratch<T> {
    #[inline]
    fn drop(&mut self) {
        if std::mem::needs_drop::<T>() {
            self.clear();
        }
        if let Some(block) = self.block() {
            // SAFETY: the block came from the pool and goes back once, here.
            unsafe { host_allocator().deallocate(block) };
        }
    }
}

impl<T> Deref for Scratch<T> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: the first `len` elements are written; the address of an empty list is aligned.
        unsafe { std::slice::from_raw_parts(self.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for Scratch<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and `&mut self` says that nobody else looks.
        unsafe { std::slice::from_raw_parts_mut(self.as_ptr(), self.len) }
    }
}

impl<'a, T> IntoIterator for &'a Scratch<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut Scratch<T> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl<T> Default for Scratch<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for Scratch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

impl<T: PartialEq> PartialEq for Scratch<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

/// A `Vec` of the values, up to the first error: for results, which callers own. Where it cannot grow, that is an error.
///
/// # Errors
/// `OutOfMemory`, and those among the values.
pub fn gathered<T>(values: impl IntoIterator<Item = Result<T>>) -> Result<Vec<T>> {
    let values = values.into_iter();
    let mut list = Vec::new();
    reserve(&mut list, values.size_hint().0)?;
    for value in values {
        if list.len() == list.capacity() {
            let more = list.len().max(4);
            reserve(&mut list, more)?;
        }
        list.push(value?);
        // An item may own what Rust allocates, which is seen to here.
        super::failure::count(0)?;
    }
    Ok(list)
}

/// Room in a `Vec` for `more` elements; never more than the machine has.
///
/// # Errors
/// `OutOfMemory`.
pub fn reserve<T>(list: &mut Vec<T>, more: usize) -> Result<()> {
    let bytes = list.len().saturating_add(more).saturating_mul(size_of::<T>());
    super::failure::count(bytes)?;
    if bytes > super::limits::memory_limit() || list.try_reserve_exact(more).is_err() {
        return Err(super::failure::refused(bytes));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::rc::Rc;

    use super::*;

    #[test]
    fn lists_grow_and_hold_what_vectors_hold() {
        let mut list = Scratch::new();
        let mut vector = Vec::new();
        for i in 0..10_000_u64 {
            list.push(i * i).unwrap();
            vector.push(i * i);
        }
        list.extend((0..77).filter(|i| i % 3 == 0)).unwrap();
        vector.extend((0..77).filter(|i| i % 3 == 0));
        list.extend(0..1000).unwrap();
        vector.extend(0..1000);
        list.extend_from_slice(&[1, 2, 3]).unwrap();
        vector.extend_from_slice(&[1, 2, 3]);
        assert_eq!(&list[..], &vector[..]);
        for len in [20_000, 7, 9, 0] {
            list.resize(len, 5).unwrap();
            vector.resize(len, 5);
            assert_eq!(&list[..], &vector[..]);
        }
        assert_eq!(&Scratch::<f32>::zeroed(100).unwrap()[..], &[0.0; 100]);
        assert_eq!(&Scratch::copied(&[true, false]).unwrap()[..], &[true, false]);
        assert_eq!(Scratch::<u8>::new().as_ptr() as usize, 1, "nothing is asked of the pool");
    }

    #[test]
    fn elements_are_dropped_once() {
        let one = Rc::new(());
        let mut list = Scratch::collect(std::iter::repeat_n(one.clone(), 100)).unwrap();
        assert_eq!(Rc::strong_count(&one), 101);
        list.truncate(40);
        assert_eq!(Rc::strong_count(&one), 41);
        list.reserve(10_000).unwrap();
        assert_eq!(Rc::strong_count(&one), 41);
        drop(list);
        assert_eq!(Rc::strong_count(&one), 1);
    }

    #[test]
    fn more_than_the_machine_has_is_an_error_and_leaves_the_list() {
        assert!(Scratch::<u64>::with_room(usize::MAX).is_err());
        assert!(Scratch::filled(1 << 60, 1_u8).is_err());
        assert!(Scratch::collect(0..u64::MAX).is_err());
        assert!(gathered((0..1_usize << 50).map(Ok)).is_err());
        let mut list = Scratch::copied(&[1_u8, 2]).unwrap();
        assert!(list.reserve(usize::MAX).is_err());
        assert!(list.resize(1 << 60, 0).is_err());
        assert_eq!(&list[..], &[1, 2]);
    }
}

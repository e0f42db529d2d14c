//! Locks that a forked child finds free.
//!
//! `fork` copies the memory of all threads but only the thread that calls it: a lock that another thread holds at that
//! moment stays locked in the child for ever. So every lock that ops take counts its holders here, one count per thread,
//! and a fork waits until nobody holds any, keeping out who comes meanwhile.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering, compiler_fence, fence};
use std::time::{Duration, Instant};

/// How long a fork waits for a lock: sections are short, and one that waits for the forking thread must not stop it.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many locks a thread holds; written by that thread alone.
#[repr(align(64))]
struct Slot {
    taken: AtomicBool,
    held: AtomicU32,
}

/// One per thread; threads beyond these count together, in [`CROWD`].
static SLOTS: [Slot; 256] = [const { Slot { taken: AtomicBool::new(false), held: AtomicU32::new(0) } }; 256];

/// How many locks are held by threads without a slot of their own: those that came too late, and those that are ending.
static CROWD: AtomicU32 = AtomicU32::new(0);

/// How many forks are under way.
static FORKING: AtomicU32 = AtomicU32::new(0);

/// How many forks lie between this process and the one that loaded the library.
static GENERATION: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static SLOT: Cell<Option<&'static Slot>> = const { Cell::new(None) };
    static GIVE_BACK: GiveBack = const { GiveBack };
}

/// Gives a thread's slot back when the thread ends.
struct GiveBack;

impl Drop for GiveBack {
    fn drop(&mut self) {
        if let Some(slot) = SLOT.take() {
            slot.taken.store(false, Ordering::Release);
        }
    }
}

/// How many forks lie between this process and the one that loaded the library: what belongs to one process alone, such
/// as a driver's state, is of no use where the number is another.
#[inline]
pub fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// This thread's slot, which it takes when it has none; none where all are taken, and while the thread ends.
#[inline]
fn slot() -> Option<&'static Slot> {
    SLOT.get().or_else(take_slot)
}

#[cold]
fn take_slot() -> Option<&'static Slot> {
    prepare_for_forks();
    // A thread whose values are being dropped would never give it back.
    GIVE_BACK.try_with(|_| ()).ok()?;
    let free =
        |slot: &&Slot| slot.taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok();
    let slot = SLOTS.iter().find(free);
    SLOT.set(slot);
    slot
}

/// A time in which no fork happens, other than one by this thread. Short: a fork waits for its end.
pub struct Section {
    slot: Option<&'static Slot>,
    /// It ends on the thread where it began.
    thread: PhantomData<*const ()>,
}

impl Section {
    /// Begins one; waits while another thread forks.
    pub fn enter() -> Self {
        loop {
            let section = Self::announce();
            fence(Ordering::SeqCst);
            if section.may_stay() {
                return section;
            }
            drop(section);
            wait_for_forks();
        }
    }

    /// Counts a section, which is one only when [`Self::may_stay`] says so after a full fence.
    #[inline]
    fn announce() -> Self {
        let slot = slot();
        match slot {
            Some(slot) => slot.held.store(slot.held.load(Ordering::Relaxed) + 1, Ordering::Relaxed),
            None => {
                CROWD.fetch_add(1, Ordering::SeqCst);
            }
        }
        Section { slot, thread: PhantomData }
    }

    /// Whether no fork has begun. Who is inside another section already stays, as the fork waits for that one.
    #[inline]
    fn may_stay(&self) -> bool {
        FORKING.load(Ordering::Relaxed) == 0 || self.may_stay_in_a_fork()
    }

    #[cold]
    #[inline(never)]
    fn may_stay_in_a_fork(&self) -> bool {
        self.slot.is_some_and(|slot| slot.held.load(Ordering::Relaxed) > 1) || IS_FORKING.get()
    }
}

impl Drop for Section {
    #[inline]
    fn drop(&mut self) {
        match self.slot {
            Some(slot) => slot.held.store(slot.held.load(Ordering::Relaxed) - 1, Ordering::Release),
            None => {
                CROWD.fetch_sub(1, Ordering::Release);
            }
        }
    }
}

#[cold]
fn wait_for_forks() {
    while FORKING.load(Ordering::Acquire) > 0 {
        std::thread::sleep(Duration::from_micros(50));
    }
}

/// A lock that a forked child finds free. It does not know poison: what it guards is whole after a panic, too.
#[derive(Default)]
pub struct Mutex<T: ?Sized>(std::sync::Mutex<T>);

/// Access to what a [`Mutex`] guards.
pub struct MutexGuard<'a, T: ?Sized> {
    // Dropped in this order: the lock is free before the section ends.
    value: std::sync::MutexGuard<'a, T>,
    _section: Section,
}

impl<T> Mutex<T> {
    /// A free lock.
    pub const fn new(value: T) -> Self {
        Mutex(std::sync::Mutex::new(value))
    }

    /// What it guards.
    pub fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until the lock is free, and takes it.
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        loop {
            let section = Section::announce();
            // Taking the lock is the fence that lies between the announcement and the look at what a fork announced; on
            // processors where taking a lock is less than a full fence, that stands here.
            compiler_fence(Ordering::SeqCst);
            let value = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if cfg!(target_arch = "x86_64") {
                compiler_fence(Ordering::SeqCst);
            } else {
                fence(Ordering::SeqCst);
            }
            if section.may_stay() {
                return MutexGuard { value, _section: section };
            }
            drop(value);
            drop(section);
            wait_for_forks();
        }
    }

    /// Takes the lock, unless it is taken.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let section = Section::enter();
        match self.0.try_lock() {
            Ok(value) => Some(MutexGuard { value, _section: section }),
            Err(std::sync::TryLockError::Poisoned(error)) => {
                Some(MutexGuard { value: error.into_inner(), _section: section })
            }
            Err(std::sync::TryLockError::WouldBlock) => None,
        }
    }

    /// What it guards; nobody else holds the lock.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T> AsMut<T> for MutexGuard<'_, T> {
    fn as_mut(&mut self) -> &mut T {
        self
    }
}

/// A value that is made once, when it is first asked for; a fork waits while that goes on.
#[derive(Debug)]
pub struct OnceLock<T>(std::sync::OnceLock<T>);

impl<T> OnceLock<T> {
    /// Without a value.
    pub const fn new() -> Self {
        OnceLock(std::sync::OnceLock::new())
    }

    /// The value, if it is there.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.0.get()
    }

    /// Puts a value where none is; where one is, `value` comes back.
    ///
    /// # Errors
    /// The value that is not put there.
    pub fn set(&self, value: T) -> Result<(), T> {
        let _section = Section::enter();
        self.0.set(value)
    }

    /// The value, made by `make` if it is not there.
    #[inline]
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        match self.0.get() {
            Some(value) => value,
            None => self.init(make),
        }
    }

    #[cold]
    fn init(&self, make: impl FnOnce() -> T) -> &T {
        let _section = Section::enter();
        self.0.get_or_init(make)
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self::new()
    }
}

thread_local! {
    /// Whether this thread is forking: what other libraries do in their handlers does not wait for us.
    static IS_FORKING: Cell<bool> = const { Cell::new(false) };
}

#[cfg(unix)]
fn prepare_for_forks() {
    extern "C" fn before() {
        FORKING.fetch_add(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        IS_FORKING.set(true);
        let own = SLOT.get();
        let is_own = |slot: &Slot| own.is_some_and(|own| std::ptr::eq(own, slot));
        let start = Instant::now();
        let is_busy = || {
            CROWD.load(Ordering::Acquire) > 0
                || SLOTS.iter().any(|slot| slot.held.load(Ordering::Acquire) > 0 && !is_own(slot))
        };
        while is_busy() && start.elapsed() < PATIENCE {
            std::thread::yield_now();
        }
    }
    extern "C" fn in_parent() {
        IS_FORKING.set(false);
        FORKING.fetch_sub(1, Ordering::Release);
    }
    extern "C" fn in_child() {
        let own = SLOT.get();
        for slot in SLOTS.iter().filter(|slot| own.is_none_or(|own| !std::ptr::eq(own, *slot))) {
            slot.held.store(0, Ordering::Relaxed);
            slot.taken.store(false, Ordering::Relaxed);
        }
        CROWD.store(0, Ordering::Relaxed);
        GENERATION.fetch_add(1, Ordering::Relaxed);
        IS_FORKING.set(false);
        FORKING.store(0, Ordering::Release);
    }
    // Not `Once`, which is a lock itself: who comes while another thread registers goes on without waiting.
    static REGISTERED: AtomicBool = AtomicBool::new(false);
    if !REGISTERED.swap(true, Ordering::AcqRel) {
        // SAFETY: the handlers only use atomics, thread-local cells without destructors, and sleep. A failure (no memory)
        // leaves forks as they are without them.
        unsafe {
            libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child));
        }
    }
}

#[cfg(not(unix))]
fn prepare_for_forks() {}

#[cfg(all(test, unix))]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// Forks; whether `child` is true in the child within a few seconds.
    fn in_a_child(child: impl FnOnce() -> bool) -> bool {
        // SAFETY: the child computes and leaves with `_exit`; an alarm ends it should it hang.
        unsafe {
            let id = libc::fork();
            if id == 0 {
                libc::alarm(5);
                libc::_exit(i32::from(!child()));
            }
            let mut status = -1;
            libc::waitpid(id, &raw mut status, 0);
            status == 0
        }
    }

    #[test]
    fn a_child_finds_locks_free_that_threads_hold_and_values_whole() {
        let pair = Arc::new(Mutex::new((0_u64, 0_u64)));
        let stop = Arc::new(AtomicBool::new(false));
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let (pair, stop) = (pair.clone(), stop.clone());
                std::thread::spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let mut pair = pair.lock();
                        pair.0 += 1;
                        std::thread::sleep(Duration::from_micros(200));
                        pair.1 += 1;
                    }
                })
            })
            .collect();
        for round in 0..50 {
            let free = in_a_child(|| {
                let pair = pair.lock();
                pair.0 == pair.1 && generation() > 0
            });
            assert!(free, "round {round}");
        }
        stop.store(true, Ordering::Relaxed);
        for thread in threads {
            thread.join().expect("no thread panics");
        }
    }

    #[test]
    fn a_child_does_not_wait_for_a_value_that_a_thread_was_making() {
        static SLOW: OnceLock<u32> = OnceLock::new();
        let maker = std::thread::spawn(|| {
            *SLOW.get_or_init(|| {
                std::thread::sleep(Duration::from_millis(300));
                7
            })
        });
        std::thread::sleep(Duration::from_millis(50));
        assert!(in_a_child(|| *SLOW.get_or_init(|| 8) == 7));
        assert_eq!(maker.join().ok(), Some(7));
    }

    #[test]
    fn a_thread_that_forks_inside_a_section_does_not_wait_for_itself() {
        let outer = Mutex::new(1);
        let guard = outer.lock();
        let inner = Mutex::new(2);
        let start = Instant::now();
        assert!(in_a_child(|| *inner.lock() == 2));
        assert!(start.elapsed() < PATIENCE / 2);
        assert_eq!(*guard, 1);
    }
}

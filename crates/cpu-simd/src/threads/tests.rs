use super::*;
use rustorch_error::RusTorchError;

/// The tests share the process's number of threads.
static SERIAL: Mutex<()> = Mutex::new(());

fn with_threads(threads: usize, test: impl FnOnce()) {
    let _guard = lock(&SERIAL);
    let before = num_threads();
    set_num_threads(threads);
    test();
    set_num_threads(before);
}

#[test]
fn covers_every_element_once() {
    with_threads(4, || {
        for n in [0, 1, 2, 3, 7, 64, 1000, 12345] {
            for grain in [1, 2, 5, 64, 20000] {
                let counts: Vec<_> = (0..n).map(|_| AtomicUsize::new(0)).collect();
                parallel_for(n, grain, |range| {
                    assert_eq!(range.start % grain, 0);
                    for i in range {
                        counts[i].fetch_add(1, Ordering::Relaxed);
                    }
                });
                assert!(counts.iter().all(|c| c.load(Ordering::Relaxed) == 1), "n {n}, grain {grain}");
            }
        }
    });
}

#[test]
fn uses_other_threads_only_for_large_work() {
    with_threads(2, || {
        let caller = std::thread::current().id();
        parallel_for(8, 8, |_| assert_eq!(std::thread::current().id(), caller));
        let helped = AtomicBool::new(false);
        for _ in 0..1000 {
            parallel_for(8, 1, |_| {
                if std::thread::current().id() != caller {
                    helped.store(true, Ordering::Relaxed);
                }
                std::thread::sleep(Duration::from_micros(50));
            });
            if helped.load(Ordering::Relaxed) {
                return;
            }
        }
        panic!("no helper ever took part");
    });
}

/// What `ThreadSanitizer` watches: plain writes on many threads, read by the caller and written again in the next call.
#[test]
fn what_helpers_wrote_is_the_callers_when_the_call_returns() {
    with_threads(4, || {
        let mut values = vec![0_u64; 4096];
        for round in 1..=200 {
            let start = AtomicPtr::new(values.as_mut_ptr());
            parallel_for(values.len(), 64, |range| {
                for i in range {
                    // SAFETY: `i` is an element of `values`, and no other range has it.
                    unsafe { *start.load(Ordering::Relaxed).add(i) += 1 };
                }
            });
            assert!(values.iter().all(|&value| value == round), "round {round}");
        }
    });
}

#[test]
#[ignore = "wrong on purpose: tests/tsan.sh must find it"]
fn fault_ranges_write_to_one_place() {
    with_threads(4, || {
        let mut value = 0_u64;
        let place = AtomicPtr::new(&raw mut value);
        parallel_for(1000, 1, |_| {
            std::thread::sleep(Duration::from_micros(10));
            // SAFETY: none; other threads write there meanwhile.
            unsafe { *place.load(Ordering::Relaxed) += 1 };
        });
        assert!(value > 0);
    });
}

#[test]
fn nested_calls_and_other_callers_run() {
    with_threads(3, || {
        let sum = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        parallel_for(10, 1, |outer| {
                            for _ in outer {
                                parallel_for(10, 1, |inner| {
                                    sum.fetch_add(inner.len(), Ordering::Relaxed);
                                });
                            }
                        });
                    }
                });
            }
        });
        assert_eq!(sum.load(Ordering::Relaxed), 4 * 200 * 100);
    });
}

#[test]
fn wakes_sleeping_helpers_again_and_again() {
    with_threads(4, || {
        for round in 0..50 {
            let sum = AtomicUsize::new(0);
            parallel_for(100, 1, |range| {
                sum.fetch_add(range.sum(), Ordering::Relaxed);
            });
            assert_eq!(sum.load(Ordering::Relaxed), 4950);
            if round % 5 == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    });
}

#[test]
fn panics_reach_the_caller_and_the_pool_lives_on() {
    with_threads(4, || {
        for bad in [0, 57, 99] {
            let outcome = catch_unwind(|| {
                parallel_for(100, 1, |range| assert!(!range.contains(&bad), "chunk of {bad}"));
            });
            let payload = outcome.expect_err("the panic is lost");
            assert!(payload.downcast_ref::<String>().is_some_and(|s| s.contains("chunk of")));
            let sum = AtomicUsize::new(0);
            parallel_for(100, 1, |range| {
                sum.fetch_add(range.len(), Ordering::Relaxed);
            });
            assert_eq!(sum.load(Ordering::Relaxed), 100);
        }
    });
}

#[test]
fn errors_reach_the_caller() {
    with_threads(2, || {
        assert!(try_parallel_for(100, 1, |_| Ok(())).is_ok());
        let outcome = try_parallel_for(100, 1, |range| {
            if range.contains(&50) { Err(RusTorchError::argument("test", "fifty")) } else { Ok(()) }
        });
        assert_eq!(outcome.expect_err("the error is lost").to_string(), "test: fifty");
    });
}

#[cfg(unix)]
#[test]
fn a_forked_child_computes_and_exits() {
    with_threads(2, || {
        parallel_for(8, 1, |_| std::thread::sleep(Duration::from_micros(10)));
        // SAFETY: the child only computes and leaves with `_exit`.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let sum = AtomicUsize::new(0);
            parallel_for(100, 1, |range| {
                sum.fetch_add(range.len(), Ordering::Relaxed);
            });
            // SAFETY: ends the child without running the parent's handlers.
            unsafe { libc::_exit(i32::from(sum.load(Ordering::Relaxed) != 100)) }
        }
        let mut status = -1;
        // SAFETY: `status` is valid for the call.
        unsafe { libc::waitpid(child, &raw mut status, 0) };
        assert_eq!(status, 0);
    });
}

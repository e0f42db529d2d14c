// Loops over a work-item's registers are unrolled, except for processors, whose compilers only take longer.
#if !defined(__CUDA_ARCH__) && (defined(__x86_64__) || defined(__aarch64__))
#define UNROLL
#else
#define UNROLL _Pragma("unroll")
#endif

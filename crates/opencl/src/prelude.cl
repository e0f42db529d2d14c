#pragma OPENCL FP_CONTRACT OFF
#ifdef cl_khr_fp64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#define HAS_F64 1
#else
#define HAS_F64 0
#endif
typedef long i64;
typedef ulong u64;
typedef int i32;
typedef uint u32;
typedef short i16;
typedef ushort u16;
typedef char i8;
typedef uchar u8;
#define LID(d) ((i32)get_local_id(d))
#define GROUP_ID(d) ((u32)get_group_id(d))
#define NGROUPS(d) ((u32)get_num_groups(d))
#define GID(d) get_global_id(d)
#define BARRIER() barrier(CLK_LOCAL_MEM_FENCE)
#define GLOBAL __global
#define LOCAL __local
#define CONSTANT __constant
#define DEVICE_FN static inline
#define LD_F16(p, i) vload_half((size_t)(i), (const GLOBAL half *)(p))
#define ST_F16(p, i, v) vstore_half_rte(v, (size_t)(i), (GLOBAL half *)(p))
#define LD_BF16(p, i) as_float((u32)(p)[i] << 16)
#define ST_BF16(p, i, v) (p)[i] = to_bf16(v)
static inline u16 to_bf16(const float v) {
    const u32 bits = as_uint(v);
    return (bits & 0x7fffffffu) > 0x7f800000u ? (u16)((bits >> 16) | 0x40) : (u16)((bits + 0x7fffu + ((bits >> 16) & 1)) >> 16);
}
#define ATOMIC_ADD_F32(p, v) atomic_add_f32(p, v)
static inline void atomic_add_f32(volatile __global float *p, const float v) {
    // A guess, that of sums that begin; to look first would be a race in the eyes of OpenCL 1.2.
    u32 was, is = 0;
    do {
        was = is;
        is = atomic_cmpxchg((volatile __global u32 *)p, was, as_uint(as_float(was) + v));
    } while (is != was);
}
#define AS_U32(x) as_uint(x)
#define AS_FLOAT(x) as_float(x)
#define AS_U64(x) as_ulong(x)
#define AS_DOUBLE(x) as_double(x)
#define MULHI(a, b) mul_hi((u32)(a), (u32)(b))
#define MULHI64(a, b) mul_hi((u64)(a), (u64)(b))
#define F32_TO_I64(x) convert_long_sat(x)
#define F64_TO_I64(x) convert_long_sat(x)
#define NEXTAFTER(x, y) nextafter(x, y)
#define EXPM1(x) expm1(x)
#define LOG1P(x) log1p(x)
#define ERF(x) erf(x)
#define ERFC(x) erfc(x)
#define LGAMMA(x) lgamma(x)
#define HYPOT(x, y) hypot(x, y)

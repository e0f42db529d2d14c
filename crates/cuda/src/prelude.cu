#define HAS_F64 1
typedef long long i64;
typedef unsigned long long u64;
typedef int i32;
typedef unsigned int u32;
typedef short i16;
typedef unsigned short u16;
typedef signed char i8;
typedef unsigned char u8;
#ifndef INFINITY
#define INFINITY __int_as_float(0x7f800000)
#endif
#ifndef NAN
#define NAN __int_as_float(0x7fc00000)
#endif
#define AXIS(v, d) ((d) == 0 ? (v).x : (d) == 1 ? (v).y : (v).z)
#define LID(d) ((i32)AXIS(threadIdx, d))
#define GROUP_ID(d) ((u32)AXIS(blockIdx, d))
#define NGROUPS(d) ((u32)AXIS(gridDim, d))
#define GID(d) ((u64)AXIS(blockIdx, d) * AXIS(blockDim, d) + AXIS(threadIdx, d))
#define BARRIER() __syncthreads()
#define GLOBAL
#define LOCAL
#define CONSTANT __constant__
#define DEVICE_FN static __device__ inline
DEVICE_FN float f16_to_float(const u16 bits) {
    float v;
    asm("cvt.f32.f16 %0, %1;" : "=f"(v) : "h"(bits));
    return v;
}
DEVICE_FN u16 to_f16(const float v) {
    u16 bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(v));
    return bits;
}
#define LD_F16(p, i) f16_to_float((p)[i])
#define ST_F16(p, i, v) (p)[i] = to_f16(v)
#define LD_BF16(p, i) __uint_as_float((u32)(p)[i] << 16)
#define ST_BF16(p, i, v) (p)[i] = to_bf16(v)
DEVICE_FN u16 to_bf16(const float v) {
    const u32 bits = __float_as_uint(v);
    return (bits & 0x7fffffffu) > 0x7f800000u ? (u16)((bits >> 16) | 0x40) : (u16)((bits + 0x7fffu + ((bits >> 16) & 1)) >> 16);
}
#define ATOMIC_ADD_F32(p, v) atomicAdd(p, v)
#define AS_U32(x) __float_as_uint(x)
#define AS_FLOAT(x) __uint_as_float(x)
#define AS_U64(x) ((u64)__double_as_longlong(x))
#define AS_DOUBLE(x) __longlong_as_double((i64)(x))
#define MULHI(a, b) __umulhi((u32)(a), (u32)(b))
#define MULHI64(a, b) __umul64hi((u64)(a), (u64)(b))
// These saturate; what they make of NaN depends on the device.
DEVICE_FN i64 F32_TO_I64(const float x) { return x != x ? 0 : __float2ll_rz(x); }
DEVICE_FN i64 F64_TO_I64(const double x) { return x != x ? 0 : __double2ll_rz(x); }
#define NEXTAFTER(x, y) nextafter(x, y)
#define EXPM1(x) expm1(x)
#define LOG1P(x) log1p(x)
#define ERF(x) erf(x)
#define ERFC(x) erfc(x)
#define LGAMMA(x) lgamma(x)
#define HYPOT(x, y) hypot(x, y)

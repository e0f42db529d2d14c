#include <metal_stdlib>
using namespace metal;
#define HAS_F64 0
typedef long i64;
typedef ulong u64;
typedef int i32;
typedef uint u32;
typedef short i16;
typedef ushort u16;
typedef char i8;
typedef uchar u8;
#define LID(d) ((i32)lid_[d])
#define GROUP_ID(d) ((u32)group_[d])
#define NGROUPS(d) ((u32)count_[d])
#define GID(d) ((u64)group_[d] * size_[d] + lid_[d])
#define BARRIER() threadgroup_barrier(mem_flags::mem_threadgroup)
#define GLOBAL device
#define LOCAL threadgroup
#define CONSTANT constant
#define DEVICE_FN static inline
#define ATOMIC_ADD_F32(p, v) atomic_add_f32(p, v)
DEVICE_FN void atomic_add_f32(GLOBAL float *p, const float v) {
    GLOBAL atomic_uint *bits = (GLOBAL atomic_uint *)p;
    u32 was = atomic_load_explicit(bits, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(bits, &was, as_type<u32>(as_type<float>(was) + v), memory_order_relaxed, memory_order_relaxed)) {
    }
}
#define AS_U32(x) as_type<u32>(x)
#define AS_FLOAT(x) as_type<float>(x)
#define MULHI(a, b) mulhi((u32)(a), (u32)(b))
#define MULHI64(a, b) mulhi((u64)(a), (u64)(b))
#define LD_F16(p, i) ((float)as_type<half>((p)[i]))
#define ST_F16(p, i, v) (p)[i] = as_type<u16>((half)(v))
#define LD_BF16(p, i) as_type<float>((u32)(p)[i] << 16)
#define ST_BF16(p, i, v) (p)[i] = to_bf16(v)
DEVICE_FN u16 to_bf16(const float v) {
    const u32 bits = as_type<u32>(v);
    return (bits & 0x7fffffffu) > 0x7f800000u ? (u16)((bits >> 16) | 0x40) : (u16)((bits + 0x7fffu + ((bits >> 16) & 1)) >> 16);
}
DEVICE_FN i64 F32_TO_I64(const float x) {
    if (x >= 9223372036854775808.0f) {
        return 9223372036854775807;
    }
    return x >= -9223372036854775808.0f ? (i64)x : x != x ? 0 : (i64)(-9223372036854775807 - 1);
}

<<<<<<< HEAD
// y = alpha * (the sum of the chunks' parts) + beta * y + bias; the parts lie one behind the other, each row-major.
KERNEL {
    const INDEX i = (INDEX)GID(0);
    if (i < (INDEX)p.n) {
        ACC sum = (ACC)0;
        for (i64 chunk = 0; chunk < p.chunks; chunk++) {
            sum += (ACC)LOAD_parts(chunk * p.n + (i64)i);
        }
        POSITIONS(i)
        ACC value = (ACC)p.alpha * sum;
        if (p.beta != 0) {
            value += (ACC)p.beta * (ACC)LOAD_y(at_y);
        }
        STORE_y(at_y, value + BIAS);
    }
}
=======
// How a scatter combines what is there (a) with what comes (b), in numbers of type V; halves are rounded at each step.
#define ASSIGN(a, b) (b)
#if V_FLOAT
#define SUM(a, b) ROUND((a) + (b))
#define PRODUCT(a, b) ROUND((a) * (b))
#elif V_BOOL
#define SUM(a, b) ((a) | (b))
#define PRODUCT(a, b) ((a) & (b))
#else
#define SUM(a, b) (V)((u64)(a) + (u64)(b))
#define PRODUCT(a, b) (V)((u64)(a) * (u64)(b))
#endif
// NaN wins, and of equal ones the last.
#define LARGER(a, b) ((b) != (b) || (b) >= (a) ? (b) : (a))
#define SMALLER(a, b) ((b) != (b) || (b) <= (a) ? (b) : (a))

#if HALF == 16
// To the nearest float16, ties to even. Below its normal numbers, those of float32 next to 1/2 are as far apart.
DEVICE_FN float ROUND(const float x) {
    const u32 bits = AS_U32(x) & 0x7fffffffu;
    const u32 sign = AS_U32(x) & 0x80000000u;
    if (bits >= 0x7f800000u) {
        return x;
    }
    if (bits < 0x38800000u) {
        return AS_FLOAT(AS_U32((AS_FLOAT(bits) + 0.5f) - 0.5f) | sign);
    }
    const u32 rounded = (bits + 0xfffu + ((bits >> 13) & 1u)) & ~0x1fffu;
    return AS_FLOAT((rounded >= 0x47800000u ? 0x7f800000u : rounded) | sign);
}
#elif HALF == 8
// To the nearest bfloat16, ties to even.
DEVICE_FN float ROUND(const float x) {
    const u32 bits = AS_U32(x);
    return (bits & 0x7f800000u) == 0x7f800000u ? x : AS_FLOAT((bits + 0x7fffu + ((bits >> 16) & 1u)) & 0xffff0000u);
}
#else
#define ROUND(x) (x)
#endif
>>>>>>> area-kindex

// One block of Philox 4x32-10 per work-item: the CPU's numbers, bit for bit. What is computed here must not be
// contracted to fused multiply-adds, and divisions and square roots are rounded correctly.
#define UNIFORM_32 0
#define UNIFORM_64 1
#define NORMAL_32 2
#define NORMAL_64 3
#define INTEGERS 4
#define COINS 5

#if KIND == UNIFORM_64 || KIND == NORMAL_64 || KIND == INTEGERS
#define PER_BLOCK 2
#else
#define PER_BLOCK 4
#endif

#define PUT(k, v)                                                                                                      \
    if ((i64)(i + (INDEX)(k)) < p.n) {                                                                                 \
        POSITIONS(i + (INDEX)(k))                                                                                      \
        STORE_to(at_to, v);                                                                                            \
    }

#if KIND == NORMAL_32
#define T float
#define U u32
#define S i32
#define BITS 32
#define N(x) x##f
#define AS_T(x) AS_FLOAT(x)
#define AS_U(x) AS_U32(x)
#define UNIT 2.3283064365386962890625e-10f
#define MANTISSA 23
#define SQRT_HALF 0x3f3504f3
#define LN2_HIGH 6.9313812256e-1f
#define LN2_LOW 9.0580006145e-6f
#define ODD(w) (N(0.66666662693) + w * N(0.28498786688))
#define EVEN(w) (N(0.40000972152) + w * N(0.24279078841))
#define SIN_TAIL(z) (N(-1.6666654611e-1) + z * (N(8.3321608736e-3) + z * N(-1.9515295891e-4)))
#define COS_TAIL(z) (N(4.166664568298827e-2) + z * (N(-1.388731625493765e-3) + z * N(2.443315711809948e-5)))
#elif KIND == NORMAL_64
#define T double
#define U u64
#define S i64
#define BITS 64
#define N(x) x
#define AS_T(x) AS_DOUBLE(x)
#define AS_U(x) AS_U64(x)
#define UNIT 5.42101086242752217003726400434970855712890625e-20
#define MANTISSA 52
#define SQRT_HALF 0x3fe6a09e667f3bcd
#define LN2_HIGH 6.93147180369123816490e-1
#define LN2_LOW 1.90821492927058770002e-10
#define ODD(w)                                                                                                         \
    (6.666666666666735130e-1 + w * (2.857142874366239149e-1 + w * (1.818357216161805012e-1 + w * 1.479819860511658591e-1)))
#define EVEN(w) (3.999999999940941908e-1 + w * (2.222219843214978396e-1 + w * 1.531383769920937332e-1))
#define SIN_TAIL(z)                                                                                                    \
    (-1.66666666666666324348e-1                                                                                        \
     + z * (8.33333333332248946124e-3                                                                                  \
            + z * (-1.98412698298579493134e-4                                                                          \
                   + z * (2.75573137070700676789e-6                                                                    \
                          + z * (-2.50507602534068634195e-8 + z * 1.58969099521155010221e-10)))))
#define COS_TAIL(z)                                                                                                    \
    (4.16666666666666019037e-2                                                                                         \
     + z * (-1.38888888888741095749e-3                                                                                 \
            + z * (2.48015872894767294178e-5                                                                           \
                   + z * (-2.75573143513906633035e-7                                                                   \
                          + z * (2.08757232129817482790e-9 + z * -1.13596475577881948265e-11)))))
#endif

KERNEL {
    const u64 block = (u64)GID(0);
    if ((i64)block < p.blocks) {
        const u64 counter = (u64)p.offset + block;
        u32 w0 = (u32)counter, w1 = (u32)(counter >> 32), w2 = 0, w3 = 0;
        u32 k0 = (u32)p.seed, k1 = (u32)((u64)p.seed >> 32);
        for (int round = 0; round < 10; ++round) {
            const u32 first_high = MULHI(0xD2511F53u, w0), first_low = 0xD2511F53u * w0;
            const u32 second_high = MULHI(0xCD9E8D57u, w2), second_low = 0xCD9E8D57u * w2;
            w0 = second_high ^ w1 ^ k0;
            w1 = second_low;
            w2 = first_high ^ w3 ^ k1;
            w3 = first_low;
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        const INDEX i = (INDEX)block * PER_BLOCK;
#if PER_BLOCK == 2
        const u64 x0 = (u64)w0 | (u64)w1 << 32, x1 = (u64)w2 | (u64)w3 << 32;
#endif
#if KIND == UNIFORM_32
        for (int k = 0; k < 4; ++k) {
            const u32 word = k == 0 ? w0 : k == 1 ? w1 : k == 2 ? w2 : w3;
            const float value = p.low + (float)(word >> (32 - p.bits)) * p.unit * p.width;
            PUT(k, value > p.most ? p.most : value)
        }
#elif KIND == UNIFORM_64
        for (int k = 0; k < 2; ++k) {
            const double value = p.low + (double)((k == 0 ? x0 : x1) >> 11) * p.unit * p.width;
            PUT(k, value > p.most ? p.most : value)
        }
#elif KIND == INTEGERS
        for (int k = 0; k < 2; ++k) {
            const i64 value = (i64)((u64)p.low + MULHI64(k == 0 ? x0 : x1, p.range));
            PUT(k, (CONVERT)value)
        }
#elif KIND == COINS
        for (int k = 0; k < 4; ++k) {
            const u32 word = k == 0 ? w0 : k == 1 ? w1 : k == 2 ? w2 : w3;
            PUT(k, (i64)word < p.threshold ? 1 : 0)
        }
#else
        for (int pair = 0; pair < PER_BLOCK; pair += 2) {
#if KIND == NORMAL_32
            const u32 radius = pair == 0 ? w0 : w2, angle = pair == 0 ? w1 : w3;
#else
            const u64 radius = x0, angle = x1;
#endif
            const T u = (T)radius * UNIT + UNIT / N(2.0);
            const S bits = (S)(AS_U(u) - (U)SQRT_HALF);
            const T exponent = (T)(bits >> MANTISSA);
            const T m = AS_T((U)((bits & (((S)1 << MANTISSA) - 1)) + SQRT_HALF));
            const T f = m - N(1.0);
            const T s = f / (N(2.0) + f);
            const T square = s * s;
            const T fourth = square * square;
            const T series = fourth * EVEN(fourth) + square * ODD(fourth);
            const T half_square = N(0.5) * f * f;
            const T log_u =
                s * (half_square + series) + exponent * LN2_LOW - half_square + f + exponent * LN2_HIGH;
            const T doubled = N(-2.0) * log_u;
            const T r = SQRT(doubled > N(0.0) ? doubled : N(0.0));
            const U quarter = (U)(angle + ((U)1 << (BITS - 3))) >> (BITS - 2);
            const T x = (T)(S)(angle << 2) * (UNIT * N(1.5707963267948966));
            const T z = x * x;
            const T sine = x + x * (z * SIN_TAIL(z));
            const T cosine = N(1.0) - N(0.5) * z + z * z * COS_TAIL(z);
            const bool swap = (quarter & 1) != 0;
            const T across = swap ? sine : cosine, up = swap ? cosine : sine;
            const U across_sign = ((quarter ^ (quarter >> 1)) & 1) << (BITS - 1);
            const U up_sign = (quarter >> 1) << (BITS - 1);
            PUT(pair, p.mean + p.std * (r * AS_T(AS_U(across) ^ across_sign)))
            PUT(pair + 1, p.mean + p.std * (r * AS_T(AS_U(up) ^ up_sign)))
        }
#endif
    }
}

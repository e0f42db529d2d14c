// The gradient of normalize by its input: with h = grad weight and z = (x - mean) rstd it is
// rstd (h - mean(h) - z mean(h z)), the means over the line. SUMS_ONLY: the sums over chunks of lines of h and h z.
#include "lines.c"

#define JOIN(to, from) { \
    sums[to] += sums[from]; \
    products[to] += products[from]; \
}

KERNEL {
    PLACE
    LINES(inside ? line : 0)
    const V centre = LOAD_mean(at_mean), scale = LOAD_rstd(at_rstd);
    A sum = (A)0, product = (A)0;
#if HELD
    V held_h[HELD], held_z[HELD];
#endif
#if HAS_WEIGHT
#define WEIGHTED(g) ((g) * LOAD_w(at_w_line + at_w))
#else
#define WEIGHTED(g) (g)
#endif
    EACH_ELEMENT
        const V h = WEIGHTED(LOAD_g(at_g_line + at_g));
        const V z = (LOAD_x(at_x_line + at_x) - centre) * scale;
        sum += (A)h;
        product += (A)(h * z);
#if HELD
        held_h[j] = h;
        held_z[j] = z;
#endif
    AFTER_EACH
    sums[LID(0)] = sum;
    products[LID(0)] = product;
    TREE(JOIN)
#if SUMS_ONLY
    if (lane == 0 && inside) {
        const i64 at = (i64)GROUP_ID(1) * p.lines + line;
        STORE_out(at, sums[first]);
        STORE_out(at + p.plane, products[first]);
    }
#else
    const V mean_h = (V)(sums[first] / (A)p.length), mean_hz = (V)(products[first] / (A)p.length);
    EACH_ELEMENT
#if HELD
        const V h = held_h[j];
        const V z = held_z[j];
#else
        const V h = WEIGHTED(LOAD_g(at_g_line + at_g));
        const V z = (LOAD_x(at_x_line + at_x) - centre) * scale;
#endif
        STORE_out(at_out_line + at_out, scale * (h - mean_h - z * mean_hz));
    AFTER_EACH
#endif
}

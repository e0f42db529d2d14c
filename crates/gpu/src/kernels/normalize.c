// (x - mean) rstd weight + bias of each line, and the mean and rstd = 1 / sqrt(variance + eps) that it takes. A line's
// elements are held in registers; where they are too many (HELD 0), they are read twice.
#include "lines.c"
#include "joined_moments.c"

KERNEL {
    PLACE
    LINES(inside ? line : 0)
    GATHER_BEGIN
#if HELD
    V held[HELD];
#endif
    EACH_ELEMENT
        const V x = LOAD_x(at_x_line + at_x);
        GATHER(x)
#if HELD
        held[j] = x;
#endif
    AFTER_EACH
    GATHER_END
    TREE(JOIN)
    const A mean = means[first];
    const A rstd = (A)1 / SQRT(m2s[first] / counts[first] + (A)p.eps);
    // The mean in two parts, so that a large one costs no digits of the difference.
    const V mean_high = (V)mean, mean_low = (V)(mean - (A)mean_high), scale = (V)rstd;
    if (lane == 0 && inside) {
        STORE_mean(at_mean, mean);
        STORE_rstd(at_rstd, rstd);
    }
    EACH_ELEMENT
#if HELD
        const V x = held[j];
#else
        const V x = LOAD_x(at_x_line + at_x);
#endif
        V y = ((x - mean_high) - mean_low) * scale;
#if HAS_WEIGHT
        y *= LOAD_w(at_w_line + at_w);
#endif
#if HAS_BIAS
        y += LOAD_b(at_b_line + at_b);
#endif
        STORE_y(at_y_line + at_y, y);
    AFTER_EACH
}

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
        const V next = LOAD_x(at_x_line + at_x);
        GATHER(next)
#if HELD
        held[j] = next;
#endif
    AFTER_EACH
    GATHER_END
    TREE(JOIN)
    const A centre = means[first];
    const A inverse = RSTD(counts[first], m2s[first], (A)p.eps);
    // The mean in two parts, so that a large one costs no digits of the difference.
    const V mean_high = (V)centre, mean_low = (V)(centre - (A)mean_high), factor = (V)inverse;
    if (lane == 0 && inside) {
        STORE_mean(at_mean, centre);
        STORE_rstd(at_rstd, inverse);
    }
    EACH_ELEMENT
#if HELD
        const V next = held[j];
#else
        const V next = LOAD_x(at_x_line + at_x);
#endif
        V result = ((next - mean_high) - mean_low) * factor;
#if HAS_WEIGHT
        result *= LOAD_w(at_w_line + at_w);
#endif
#if HAS_BIAS
        result += LOAD_b(at_b_line + at_b);
#endif
        STORE_y(at_y_line + at_y, result);
    AFTER_EACH
}

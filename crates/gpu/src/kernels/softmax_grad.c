// The gradient of softmax, y (g - sum(g y)), or of its logarithm, g - exp(y) sum(g).
#include "lines.c"

#define JOIN(to, from) sums[to] += sums[from];
#if LOGARITHM
#define TERM(g, y) (g)
#define RESULT(g, y) ((g) - EXP(y) * total)
#else
#define TERM(g, y) ((g) * (y))
#define RESULT(g, y) ((y) * ((g) - total))
#endif

KERNEL {
    PLACE
    LINES(inside ? line : 0)
    A sum = (A)0;
#if HELD
    V held_slope[HELD], held_value[HELD];
#endif
    EACH_ELEMENT
        const V slope = LOAD_g(at_g_line + at_g);
        const V value = LOAD_y(at_y_line + at_y);
        sum += (A)TERM(slope, value);
#if HELD
        held_slope[j] = slope;
        held_value[j] = value;
#endif
    AFTER_EACH
    sums[LID(0)] = sum;
    TREE(JOIN)
    const V total = (V)sums[first];
    EACH_ELEMENT
#if HELD
        const V slope = held_slope[j];
        const V value = held_value[j];
#else
        const V slope = LOAD_g(at_g_line + at_g);
        const V value = LOAD_y(at_y_line + at_y);
#endif
        STORE_out(at_out_line + at_out, RESULT(slope, value));
    AFTER_EACH
}

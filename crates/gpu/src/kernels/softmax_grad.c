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
    V held_g[HELD], held_y[HELD];
#endif
    EACH_ELEMENT
        const V g = LOAD_g(at_g_line + at_g);
        const V y = LOAD_y(at_y_line + at_y);
        sum += (A)TERM(g, y);
#if HELD
        held_g[j] = g;
        held_y[j] = y;
#endif
    AFTER_EACH
    sums[LID(0)] = sum;
    TREE(JOIN)
    const V total = (V)sums[first];
    EACH_ELEMENT
#if HELD
        const V g = held_g[j];
        const V y = held_y[j];
#else
        const V g = LOAD_g(at_g_line + at_g);
        const V y = LOAD_y(at_y_line + at_y);
#endif
        STORE_out(at_out_line + at_out, RESULT(g, y));
    AFTER_EACH
}

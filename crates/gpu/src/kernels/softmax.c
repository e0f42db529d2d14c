// Softmax of each line, or its logarithm (LOGARITHM). A line's elements are held in registers; where they are too many
// (HELD 0), they are read twice.
#include "lines.c"

// Joins the largest numbers of two parts of a line, and the sums of exponentials relative to them. A NaN is in the sum.
#define RELATIVE(sum, from, to) ((from) == (to) ? (sum) : (sum) * (A)EXP((from) - (to)))
#define JOIN(to, from) { \
    const V most_to = tops[to], most_from = tops[from]; \
    const V most_ = most_to > most_from ? most_to : most_from; \
    sums[to] = RELATIVE(sums[to], most_to, most_) + RELATIVE(sums[from], most_from, most_); \
    tops[to] = most_; \
}
#if LOGARITHM
#define RESULT(x) ((x) - top - share)
#else
#define RESULT(x) (EXP((x) - top) * share)
#endif

KERNEL {
    PLACE
    LINES(inside ? line : 0)
    V most = (V)-INFINITY;
    A sum = (A)0;
#if HELD
    V held[HELD];
    EACH_ELEMENT
        held[j] = LOAD_x(at_x_line + at_x);
        most = held[j] > most ? held[j] : most;
    AFTER_EACH
    EACH_ELEMENT
        if (held[j] != (V)-INFINITY) {
            sum += (A)EXP(held[j] - most);
        }
    AFTER_EACH
#else
    EACH_ELEMENT
        const V next = LOAD_x(at_x_line + at_x);
        if (next > most) {
            sum = sum * (A)EXP(most - next) + (A)1;
            most = next;
        } else if (next != (V)-INFINITY) {
            sum += (A)EXP(next - most);
        }
    AFTER_EACH
#endif
    tops[LID(0)] = most;
    sums[LID(0)] = sum;
    TREE(JOIN)
    const V top = tops[first];
    // A line with inf, or with nothing but -inf, has no softmax: the difference is 0 or NaN.
    const A total = sums[first] + (A)(top - top);
#if LOGARITHM
    const V share = (V)LOG(total);
#else
    const V share = (V)((A)1 / total);
#endif
    EACH_ELEMENT
#if HELD
        const V next = held[j];
#else
        const V next = LOAD_x(at_x_line + at_x);
#endif
        STORE_y(at_y_line + at_y, RESULT(next));
    AFTER_EACH
}

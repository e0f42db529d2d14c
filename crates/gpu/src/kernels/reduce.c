// Combines the elements of each line: a work-item combines its part of a chunk of the line, then a tree in shared memory
// combines those. Groups count lines in the first dimension and chunks in the second.
#include "lines.c"
#include "algebra.c"
#if LENGTHS
#include "length.c"
#endif

#define COMBINE(a, b) COMBINE_OP(a, b)
#define ADD(a, b) ((a) + (b))
#define MULTIPLY(a, b) ((a) * (b))
#define LARGER(a, b) ((a) > (b) || (a) != (a) ? (a) : (b))
#define SMALLER(a, b) ((a) < (b) || (a) != (a) ? (a) : (b))
#define EITHER(a, b) ((a) | (b))
#define BOTH(a, b) ((a) & (b))

#define JOIN(to, from) partial[to] = COMBINE(partial[to], partial[from]);

KERNEL {
    PLACE
    A sum = IDENTITY;
    if (inside) {
        LINES(line)
        EACH_ELEMENT
            const i64 at_x0 = at_line + at_element;
            PROGRAM
            sum = COMBINE(sum, element);
        AFTER_EACH
    }
    partial[LID(0)] = sum;
    TREE(JOIN)
    if (lane == 0 && inside) {
        RESULTS(line)
        STORE_y0(at_y0 + (i64)GROUP_ID(1) * p.lines, FINISH(partial[LID(0)]));
    }
}

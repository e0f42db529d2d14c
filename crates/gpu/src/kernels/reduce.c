// Combines the elements of each line. A group works on LX lines at once, with LY = GROUP / LX work-items for each: one
// combines every LY-th element of its chunk of the line, then a tree in shared memory combines those. Groups count
// lines in the first dimension and chunks in the second.
#include "algebra.c"

#define COMBINE(a, b) COMBINE_OP(a, b)
#define ADD(a, b) ((a) + (b))
#define MULTIPLY(a, b) ((a) * (b))
#define LARGER(a, b) ((a) > (b) || (a) != (a) ? (a) : (b))
#define SMALLER(a, b) ((a) < (b) || (a) != (a) ? (a) : (b))
#define EITHER(a, b) ((a) | (b))
#define BOTH(a, b) ((a) & (b))

KERNEL {
    const int lane = LID(0) / LX;
    const i64 line = (i64)GROUP_ID(0) * LX + LID(0) % LX;
    A sum = IDENTITY;
    if (line < p.lines) {
        LINES(line)
        const i64 begin = (i64)GROUP_ID(1) * p.chunk;
        const i64 end = begin + p.chunk < p.length ? begin + p.chunk : p.length;
        for (i64 k = begin + lane; k < end; k += LY) {
            ELEMENTS(k)
            const i64 at_x0 = at_line + at_element;
            PROGRAM
            sum = COMBINE(sum, element);
        }
    }
    partial[LID(0)] = sum;
    BARRIER();
    for (int apart = LY / 2; apart > 0; apart /= 2) {
        if (lane < apart) {
            partial[LID(0)] = COMBINE(partial[LID(0)], partial[LID(0) + apart * LX]);
        }
        BARRIER();
    }
    if (lane == 0 && line < p.lines) {
        RESULTS(line)
        STORE_y0(at_y0 + (i64)GROUP_ID(1) * p.lines, FINISH(partial[LID(0)]));
    }
}

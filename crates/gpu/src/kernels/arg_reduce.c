// The extreme element of each line and the place of its first occurrence; NaN wins. FROM_PARTS: x has the extremes of
// parts of lines, and where their places.
#include "lines.c"

#define BEYOND(x, y) ((x) COMPARE (y))
#define BEATS(x, y) (BEYOND(x, y) || ((x) != (x) && (y) == (y)))
#define JOIN(to, from) \
    if (places[from] >= 0 \
        && (places[to] < 0 || BEATS(extremes[from], extremes[to]) \
            || (places[from] < places[to] && !BEATS(extremes[to], extremes[from])))) { \
        extremes[to] = extremes[from]; \
        places[to] = places[from]; \
    }

KERNEL {
    PLACE
    V best = (V)0;
    i64 found = -1;
    if (inside) {
        LINES(line)
        EACH_ELEMENT
            const V next = LOAD_x(at_x_line + at_x);
            if (found < 0 || BEATS(next, best)) {
                best = next;
#if FROM_PARTS
                found = LOAD_where(at_x_line + at_x);
#else
                found = k;
#endif
            }
        AFTER_EACH
    }
    extremes[LID(0)] = best;
    places[LID(0)] = found;
    TREE(JOIN)
    if (lane == 0 && inside) {
        RESULTS(line)
        const i64 chunk = (i64)GROUP_ID(1) * p.lines;
        STORE_index(at_index + chunk, places[first]);
#if HAS_VALUES
        STORE_value(at_value + chunk, extremes[first]);
#endif
    }
}

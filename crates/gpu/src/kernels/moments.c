// Mean and sum of squared deviations from it (or what FINISH makes of that) of each line. FROM_PARTS: x has counts, means
// and sums of parts, one plane after the other; TO_PARTS: out gets these.
#include "lines.c"
#include "joined_moments.c"

KERNEL {
    PLACE
    GATHER_BEGIN
    if (inside) {
        LINES(line)
#if FROM_PARTS
        A joined_mean = (A)0, joined_m2 = (A)0;
        EACH_ELEMENT
            const i64 at = at_x_line + at_x;
            const A n = LOAD_x(at), part_mean = LOAD_x(at + p.plane), part_m2 = LOAD_x(at + 2 * p.plane);
            JOIN_MOMENTS(count, joined_mean, joined_m2, n, part_mean, part_m2)
        AFTER_EACH
        counts[LID(0)] = count;
        means[LID(0)] = joined_mean;
        m2s[LID(0)] = joined_m2;
#else
        EACH_ELEMENT
            GATHER(LOAD_x(at_x_line + at_x))
        AFTER_EACH
        GATHER_END
#endif
    }
    TREE(JOIN)
    if (lane == 0 && inside) {
#if TO_PARTS
        const i64 at = (i64)GROUP_ID(1) * p.lines + line;
        STORE_out(at, counts[first]);
        STORE_out(at + p.plane, means[first]);
        STORE_out(at + 2 * p.plane, m2s[first]);
#else
        RESULTS(line)
        const A n = counts[first], m2 = m2s[first];
        STORE_mean(at_mean, means[first]);
        STORE_spread(at_spread, FINISH);
#endif
    }
}

// How many of the elements of each group's part differ from zero.
#define JOIN(to, from) counts[to] += counts[from];
#include "lines.c"

KERNEL {
    const int lane = LID(0), lanes = WORK_ITEMS, lane_step = 1;
    int count = 0;
    for (int j = 0; j < ITEMS; j++) {
        const i64 i = ((i64)GROUP_ID(0) * ITEMS + j) * WORK_ITEMS + lane;
        if (i < p.n) {
            POSITIONS(i)
            count += DIFFERS(at_x);
        }
    }
    counts[lane] = count;
    TREE(JOIN)
    if (lane == 0) {
        STORE_parts((i64)GROUP_ID(0), counts[0]);
    }
}

// How far the indices of maxima lie from where their outputs stand, in the input's measure: each group writes the least and
// the most of its part for every dimension, and whether an index is outside its plane.
#include "pooling.c"

KERNEL {
    i64 spread[6] = {p.size[0], p.size[1], p.size[2], -p.size[0], -p.size[1], -p.size[2]};
    i64 outside = 0;
    const i64 plane = p.size[0] * p.size[1] * p.size[2];
    for (i64 i = (i64)GROUP_ID(0) * GROUP + LID(0); i < p.n; i += (i64)NGROUPS(0) * GROUP) {
        SPLIT(i, p.output, image, channel, oz, oy, ox)
        const i64 index = LOAD_x1(PLACE(x1, image, channel, oz, oy, ox));
        if (index < 0 || index >= plane) {
            outside = 1;
        } else {
            const i64 away[3] = {
                index / (p.size[1] * p.size[2]) - (i64)oz * p.size[0] / p.output[0],
                index / p.size[2] % p.size[1] - (i64)oy * p.size[1] / p.output[1],
                index % p.size[2] - (i64)ox * p.size[2] / p.output[2],
            };
            for (int d = 0; d < 3; d++) {
                spread[d] = away[d] < spread[d] ? away[d] : spread[d];
                spread[d + 3] = away[d] > spread[d + 3] ? away[d] : spread[d + 3];
            }
        }
    }
    for (int d = 0; d < 7; d++) {
        partial[LID(0)] = d < 6 ? spread[d] : outside;
        BARRIER();
        for (int span = GROUP / 2; span > 0; span /= 2) {
            if (LID(0) < span) {
                const i64 other = partial[LID(0) + span];
                if (d < 3 ? other < partial[LID(0)] : other > partial[LID(0)]) {
                    partial[LID(0)] = other;
                }
            }
            BARRIER();
        }
        if (LID(0) == 0) {
            STORE_y0((i64)GROUP_ID(0) * 7 + d, partial[0]);
        }
        BARRIER();
    }
}

// What correlate.c computes, one group per element of the weight: for groups of few rows, as in depthwise convolutions.
#include "windows.c"

KERNEL {
    i64 rest = (i64)GROUP_ID(0);
    const AT column = (AT)(rest % p.columns);
    rest /= p.columns;
    const AT row = (AT)(rest % p.rows);
    const AT group = (AT)(rest / p.rows);
    SPLIT(column, p.taps, channel, kz, ky, kx)
    const i32 dz = TAP(kz, 0), dy = TAP(ky, 1), dx = TAP(kx, 2);
    const AT first_source = (AT)p.source_offset + group * (AT)p.source_group + channel * (AT)p.source_channel
        + STRIDED(source_stride, dz, dy, dx);
    const AT first_out = (AT)p.out_offset + group * (AT)p.out_group + row * (AT)p.out_row;
    ACC sum = (ACC)0;
    for (i64 k = LID(0); k < p.inner; k += GROUP) {
        SPLIT(k, p.points, image, pz, py, px)
        const i32 z = POINT(pz, 0), y = POINT(py, 1), x = POINT(px, 2);
        if (INSIDE(z + dz, y + dy, x + dx)) {
            sum = FMA((ACC)LOAD_out(first_out + image * (AT)p.out_image + STRIDED(out_stride, pz, py, px)),
                (ACC)LOAD_source(first_source + image * (AT)p.source_image + STRIDED(source_stride, z, y, x)), sum);
        }
    }
    partial[LID(0)] = sum;
    BARRIER();
    for (int span = GROUP / 2; span > 0; span /= 2) {
        if (LID(0) < span) {
            partial[LID(0)] += partial[LID(0) + span];
        }
        BARRIER();
    }
    if (LID(0) == 0) {
        const i64 at = p.weight_offset + (i64)group * p.weight_group + (i64)row * p.weight_row
            + (i64)channel * p.weight_channel + (i64)kz * p.weight_tap[0] + (i64)ky * p.weight_tap[1]
            + (i64)kx * p.weight_tap[2];
        STORE_weight(at, partial[0]);
    }
}

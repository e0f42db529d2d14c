// What convolve.c computes, one work-item per element: for groups of few rows, as in depthwise convolutions.
#include "windows.c"

KERNEL {
    const i64 place = (i64)GROUP_ID(0) * GROUP + LID(0);
    if (place < p.columns * p.rows * p.groups) {
        const AT column = (AT)(place % p.columns);
        const AT row = (AT)(place / p.columns % p.rows);
        const AT group = (AT)(place / p.columns / p.rows);
        SPLIT(column, p.points, image, pz, py, px)
        const i32 z = POINT(pz, 0), y = POINT(py, 1), x = POINT(px, 2);
        AT at_source = (AT)p.source_offset + group * (AT)p.source_group + image * (AT)p.source_image
            + STRIDED(source_stride, z, y, x);
        AT at_weight = (AT)p.weight_offset + group * (AT)p.weight_group + row * (AT)p.weight_row;
        ACC sum = (ACC)0;
        for (i64 channel = 0; channel < p.channels; channel++) {
            for (i32 kz = 0; kz < (i32)p.taps[0]; kz++) {
                for (i32 ky = 0; ky < (i32)p.taps[1]; ky++) {
                    for (i32 kx = 0; kx < (i32)p.taps[2]; kx++) {
                        const i32 dz = TAP((AT)kz, 0), dy = TAP((AT)ky, 1), dx = TAP((AT)kx, 2);
                        if (INSIDE(z + dz, y + dy, x + dx)) {
                            sum = FMA((ACC)LOAD_weight(at_weight + STRIDED(weight_tap, kz, ky, kx)),
                                (ACC)LOAD_source(at_source + STRIDED(source_stride, dz, dy, dx)), sum);
                        }
                    }
                }
            }
            at_source += (AT)p.source_channel;
            at_weight += (AT)p.weight_channel;
        }
        const i64 at = p.out_offset + (i64)group * p.out_group + (i64)image * p.out_image + (i64)row * p.out_row
            + (i64)pz * p.out_stride[0] + (i64)py * p.out_stride[1] + (i64)px * p.out_stride[2];
        STORE_out(at, sum + BIAS((i64)group * p.rows + (i64)row));
    }
}

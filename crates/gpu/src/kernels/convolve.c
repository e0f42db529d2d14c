// out[image, row, point] = the sum over channels and taps of weight[row, channel, tap] * source[image, channel, point's
// tap], plus a bias per row, for each group of channels: a matrix product of which the second matrix is never built. Its
// columns are the points of all images, its inner dimension channels and taps. Work is counted as in matmul.c.
#include "unroll.c"
#include "windows.c"

KERNEL {
    const u32 tiles = (u32)(p.row_tiles * p.column_tiles);
    const u32 tile = GROUP_ID(0) % tiles;
    const u32 chunk = GROUP_ID(0) / tiles % (u32)p.chunks;
    const u32 group = GROUP_ID(0) / tiles / (u32)p.chunks;
    const AT rows = (AT)p.rows, columns = (AT)p.columns;
    const AT row0 = (AT)(tile % (u32)p.row_tiles) * TM;
    const AT column0 = (AT)(tile / (u32)p.row_tiles) * TN;
    const AT begin = (AT)chunk * (AT)p.chunk;
    const AT end = begin + (AT)p.chunk < (AT)p.inner ? begin + (AT)p.chunk : (AT)p.inner;
    const AT first_weight = (AT)p.weight_offset + (AT)group * (AT)p.weight_group;
    const int tx = LID(0) % TX, ty = LID(0) / TX;
    ACC acc[RM][RN];
    UNROLL
    for (int i = 0; i < RM; i++) {
        UNROLL
        for (int j = 0; j < RN; j++) {
            acc[i][j] = (ACC)0;
        }
    }
    // A work-item loads one column only.
    SPLIT(column0 + LID(0) % TN, p.points, image, pz, py, px)
    const i32 z = POINT(pz, 0), y = POINT(py, 1), x = POINT(px, 2);
    const AT at_column = (AT)p.source_offset + (AT)group * (AT)p.source_group + image * (AT)p.source_image
        + STRIDED(source_stride, z, y, x);
#define A_VALUE(m, k, row, inner) (ACC)LOAD_weight(first_weight + (row) * (AT)p.weight_row + tap_weight[k])
#define B_VALUE(k, n, inner, column)                            \
    (INSIDE(z + tap_z[k], y + tap_y[k], x + tap_x[k])           \
        ? (ACC)LOAD_source(at_column + tap_source[k]) : (ACC)0)
#define A_ALONG_K p.weight_along
#define B_ALONG_K 0
#define STEP(first)                                                                                  \
    if (LID(0) < TK) {                                                                               \
        SPLIT((first) + LID(0), p.taps, channel, kz, ky, kx)                                         \
        tap_weight[LID(0)] = channel * (AT)p.weight_channel + STRIDED(weight_tap, kz, ky, kx);       \
        tap_z[LID(0)] = TAP(kz, 0);                                                                  \
        tap_y[LID(0)] = TAP(ky, 1);                                                                  \
        tap_x[LID(0)] = TAP(kx, 2);                                                                  \
        tap_source[LID(0)] = channel * (AT)p.source_channel                                          \
            + STRIDED(source_stride, TAP(kz, 0), TAP(ky, 1), TAP(kx, 2));                            \
    }                                                                                                \
    BARRIER();
#include "tile.c"
    UNROLL
    for (int j = 0; j < RN; j++) {
        const AT column = column0 + tx + j * TX;
        if (column < columns) {
            SPLIT(column, p.points, picture, oz, oy, ox)
            const i64 first_out = p.out_offset + (i64)chunk * p.chunk_stride + (i64)group * p.out_group
                + (i64)picture * p.out_image + (i64)oz * p.out_stride[0] + (i64)oy * p.out_stride[1]
                + (i64)ox * p.out_stride[2];
            UNROLL
            for (int i = 0; i < RM; i++) {
                const AT row = row0 + ty + i * TY;
                if (row < rows) {
                    STORE_out(first_out + (i64)row * p.out_row, acc[i][j] + BIAS((i64)group * p.rows + (i64)row));
                }
            }
        }
    }
}

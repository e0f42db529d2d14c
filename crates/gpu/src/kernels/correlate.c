// weight[row, channel, tap] = the sum over images and points of out[image, row, point] * source[image, channel, point's
// tap], for each group of channels: a convolution's gradient by its weight, from the gradient by its result. The inner
// dimension is the points of all images, columns are channels and taps. Work is counted as in matmul.c.
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
    const AT first_out = (AT)p.out_offset + (AT)group * (AT)p.out_group;
    const int tx = LID(0) % TX, ty = LID(0) / TX;
    ACC acc[RM][RN];
    UNROLL
    for (int i = 0; i < RM; i++) {
        UNROLL
        for (int j = 0; j < RN; j++) {
            acc[i][j] = (ACC)0;
        }
    }
    if (LID(0) < TN) {
        SPLIT(column0 + LID(0), p.taps, channel, kz, ky, kx)
        tap_z[LID(0)] = TAP(kz, 0);
        tap_y[LID(0)] = TAP(ky, 1);
        tap_x[LID(0)] = TAP(kx, 2);
        tap_source[LID(0)] = (AT)p.source_offset + (AT)group * (AT)p.source_group + channel * (AT)p.source_channel
            + STRIDED(source_stride, TAP(kz, 0), TAP(ky, 1), TAP(kx, 2));
    }
#define A_VALUE(m, k, row, inner) (ACC)LOAD_out(point_out[k] + (row) * (AT)p.out_row)
#define B_VALUE(k, n, inner, column)                                                   \
    (INSIDE(point_z[k] + tap_z[n], point_y[k] + tap_y[n], point_x[k] + tap_x[n])       \
        ? (ACC)LOAD_source(point_source[k] + tap_source[n]) : (ACC)0)
#define A_ALONG_K 1
#define B_ALONG_K 1
#define STEP(first)                                                                                        \
    if (LID(0) < TK) {                                                                                     \
        SPLIT((first) + LID(0), p.points, image, pz, py, px)                                               \
        const i32 z = POINT(pz, 0), y = POINT(py, 1), x = POINT(px, 2);                                    \
        point_z[LID(0)] = z;                                                                               \
        point_y[LID(0)] = y;                                                                               \
        point_x[LID(0)] = x;                                                                               \
        point_source[LID(0)] = image * (AT)p.source_image + STRIDED(source_stride, z, y, x);               \
        point_out[LID(0)] = first_out + image * (AT)p.out_image + STRIDED(out_stride, pz, py, px);         \
    }                                                                                                      \
    BARRIER();
#include "tile.c"
    UNROLL
    for (int j = 0; j < RN; j++) {
        const AT column = column0 + tx + j * TX;
        if (column < columns) {
            SPLIT(column, p.taps, channel, kz, ky, kx)
            const i64 first_weight = p.weight_offset + (i64)chunk * p.chunk_stride + (i64)group * p.weight_group
                + (i64)channel * p.weight_channel + (i64)kz * p.weight_tap[0] + (i64)ky * p.weight_tap[1]
                + (i64)kx * p.weight_tap[2];
            UNROLL
            for (int i = 0; i < RM; i++) {
                const AT row = row0 + ty + i * TY;
                if (row < rows) {
                    STORE_weight(first_weight + (i64)row * p.weight_row, acc[i][j]);
                }
            }
        }
    }
}

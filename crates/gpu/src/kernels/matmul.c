// c = alpha * a @ b + beta * c + bias, batched. A group computes one tile over one chunk of the inner dimension: tiles
// are counted fastest, then chunks, then batches. Of several chunks, each has an output of its own.
#include "unroll.c"

KERNEL {
    const u32 tiles = (u32)(p.row_tiles * p.column_tiles);
    const u32 tile = GROUP_ID(0) % tiles;
    const u32 chunk = GROUP_ID(0) / tiles % (u32)p.chunks;
    const u32 batch = GROUP_ID(0) / tiles / (u32)p.chunks;
    BATCH(batch)
    const AT first_a = (AT)at_a, first_b = (AT)at_b;
    const AT rows = (AT)p.rows, columns = (AT)p.columns;
    const AT row0 = (AT)(tile % (u32)p.row_tiles) * TM;
    const AT column0 = (AT)(tile / (u32)p.row_tiles) * TN;
    const AT begin = (AT)chunk * (AT)p.chunk;
    const AT end = begin + (AT)p.chunk < (AT)p.inner ? begin + (AT)p.chunk : (AT)p.inner;
    const int tx = LID(0) % TX, ty = LID(0) / TX;
    ACC acc[RM][RN];
    UNROLL
    for (int i = 0; i < RM; i++) {
        UNROLL
        for (int j = 0; j < RN; j++) {
            acc[i][j] = (ACC)0;
        }
    }
#define A_VALUE(m, k, row, inner) (ACC)LOAD_a(first_a + (row) * (AT)p.a_row + (inner) * (AT)p.a_column)
#define B_VALUE(k, n, inner, column) (ACC)LOAD_b(first_b + (inner) * (AT)p.b_row + (column) * (AT)p.b_column)
#define A_ALONG_K p.a_along
#define B_ALONG_K p.b_along
#define STEP(first)
#include "tile.c"
    const i64 first_c = at_c + (i64)chunk * p.chunk_stride;
    UNROLL
    for (int i = 0; i < RM; i++) {
        const AT row = row0 + ty + i * TY;
        UNROLL
        for (int j = 0; j < RN; j++) {
            const AT column = column0 + tx + j * TX;
            if (row < rows && column < columns) {
                const i64 at = first_c + (i64)row * p.c_row + (i64)column * p.c_column;
                ACC value = (ACC)p.alpha * acc[i][j];
                if (p.beta != 0) {
                    value += (ACC)p.beta * (ACC)LOAD_c(at);
                }
                STORE_c(at, value + BIAS((i64)column));
            }
        }
    }
}

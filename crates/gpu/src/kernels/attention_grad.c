// The gradients of attention by query, or (BY_KEYS) by key and value: scores are computed again, tile by tile. Rows are
// queries and columns keys, or the other way round. `left` and `right` are the query and the key accordingly, `left_slope`
// and `right_slope` what the slopes of the probabilities are products of: the result's gradient and the values. A group
// takes TM rows of a head and up to W columns of the gradients. Rows are counted fastest, then parts of the columns, then
// heads.
#include "unroll.c"

#if BY_KEYS
#define QUERY(row, column) (column)
#define KEY(row, column) (row)
#else
#define QUERY(row, column) (row)
#define KEY(row, column) (column)
#endif

KERNEL {
    const u32 blocks = (u32)p.row_blocks;
    const u32 part = GROUP_ID(0) / blocks % (u32)p.parts;
    const u32 head = GROUP_ID(0) / blocks / (u32)p.parts;
    HEADS(head)
    const AT first_left = (AT)at_left, first_right = (AT)at_right;
    const AT first_left_slope = (AT)at_left_slope, first_right_slope = (AT)at_right_slope;
    const AT rows = (AT)p.rows, columns = (AT)p.columns;
    const AT row0 = (AT)(GROUP_ID(0) % blocks) * TM;
    const int tx = LID(0) % TX, ty = LID(0) / TX;
    // Columns of features and values.
    const AT part0 = (AT)part * W;
    const AT features = (AT)p.features - part0 < W ? (AT)p.features - part0 : W;
    ACC by_row[RM][W / TX];
#if BY_KEYS
    const AT values = (AT)p.values - part0 < W ? (AT)p.values - part0 : W;
    ACC by_value[RM][W / TX];
#endif
    UNROLL
    for (int i = 0; i < RM; i++) {
        UNROLL
        for (int j = 0; j < W / TX; j++) {
            by_row[i][j] = (ACC)0;
#if BY_KEYS
            by_value[i][j] = (ACC)0;
#endif
        }
    }
    // Tiles of which no query sees a key are not looked at.
#if BY_KEYS
    const AT start = p.causal ? row0 / TN * TN : 0, last = columns;
#else
    const AT start = 0, last = p.causal && row0 + TM < columns ? row0 + TM : columns;
#endif
    for (AT column0 = start; column0 < last; column0 += TN) {
        const AT begin = 0;
        ACC chance[RM][RN];
        {
            ACC acc[RM][RN];
            UNROLL
            for (int i = 0; i < RM; i++) {
                UNROLL
                for (int j = 0; j < RN; j++) {
                    acc[i][j] = (ACC)0;
                }
            }
            const AT end = (AT)p.features;
#define A_VALUE(m, k, row, inner) (ACC)LOAD_left(first_left + (row) * (AT)p.left_step + (inner) * (AT)p.left_feature)
#define B_VALUE(k, n, inner, column) \
    (ACC)LOAD_right(first_right + (column) * (AT)p.right_step + (inner) * (AT)p.right_feature)
#define A_ALONG_K 1
#define B_ALONG_K 1
#define STEP(first)
#include "tile.c"
#undef A_VALUE
#undef B_VALUE
            UNROLL
            for (int i = 0; i < RM; i++) {
                const AT row = row0 + ty + i * TY;
                UNROLL
                for (int j = 0; j < RN; j++) {
                    const AT column = column0 + tx + j * TX;
                    chance[i][j] = (ACC)0;
                    if (row < rows && column < columns && !(p.causal && KEY(row, column) > QUERY(row, column))) {
                        const i64 query = (i64)QUERY(row, column);
                        const ACC score = acc[i][j] * (ACC)p.scale + MASK(query, (i64)KEY(row, column));
                        chance[i][j] = EXP(score - LOAD_log_sum(p.log_sum_offset + (i64)head * p.queries + query));
                    }
                }
            }
        }
        {
            // The slopes of the chances.
            ACC acc[RM][RN];
            UNROLL
            for (int i = 0; i < RM; i++) {
                UNROLL
                for (int j = 0; j < RN; j++) {
                    acc[i][j] = (ACC)0;
                }
            }
            const AT end = (AT)p.values;
#define A_VALUE(m, k, row, inner) \
    (ACC)LOAD_left_slope(first_left_slope + (row) * (AT)p.left_slope_step + (inner) * (AT)p.left_slope_value)
#define B_VALUE(k, n, inner, column) \
    (ACC)LOAD_right_slope(first_right_slope + (column) * (AT)p.right_slope_step + (inner) * (AT)p.right_slope_value)
#include "tile.c"
#undef A_VALUE
#undef B_VALUE
#if BY_KEYS
            UNROLL
            for (int i = 0; i < RM; i++) {
                UNROLL
                for (int j = 0; j < RN; j++) {
                    weights[(ty + i * TY) * (TN + 1) + tx + j * TX] = chance[i][j];
                }
            }
            BARRIER();
#define TERM(inner, column) \
    (ACC)LOAD_right_slope(first_right_slope + (inner) * (AT)p.right_slope_step + (part0 + (column)) * (AT)p.right_slope_value)
#define TERM_COLUMNS values
#define TOTAL by_value
#include "attend.c"
#undef TERM
#undef TERM_COLUMNS
#undef TOTAL
#endif
            UNROLL
            for (int i = 0; i < RM; i++) {
                const AT row = row0 + ty + i * TY;
                UNROLL
                for (int j = 0; j < RN; j++) {
                    const AT column = column0 + tx + j * TX;
                    ACC slope = (ACC)0;
                    if (row < rows && column < columns) {
                        slope = chance[i][j] * (acc[i][j] - LOAD_mean((i64)head * p.queries + (i64)QUERY(row, column)));
                    }
                    weights[(ty + i * TY) * (TN + 1) + tx + j * TX] = slope;
                }
            }
        }
        BARRIER();
#define TERM(inner, column) \
    (ACC)LOAD_right(first_right + (inner) * (AT)p.right_step + (part0 + (column)) * (AT)p.right_feature)
#define TERM_COLUMNS features
#define TOTAL by_row
#include "attend.c"
    }
    for (int i = 0; i < RM; i++) {
        const AT row = row0 + ty + i * TY;
        for (int j = 0; j < W / TX; j++) {
            const AT column = tx + j * TX;
            if (row < rows && column < features) {
                const i64 at = at_to_left + (i64)row * p.to_left_step + (i64)(part0 + column) * p.to_left_feature;
                STORE_to_left(at, by_row[i][j] * (ACC)p.scale);
            }
#if BY_KEYS
            if (row < rows && column < values) {
                const i64 at = at_to_value + (i64)row * p.to_value_step + (i64)(part0 + column) * p.to_value_value;
                STORE_to_value(at, by_value[i][j]);
            }
#endif
        }
    }
}

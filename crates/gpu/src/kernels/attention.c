// out = softmax(scale * query @ key^T + mask) @ value, and the logarithm of each row's sum of exponentials: a group takes
// TM queries of a head and up to W columns of the result, and goes through the keys TN at a time with a running maximum
// and sum (T. Dao et al., FlashAttention, 2022). Queries are counted fastest, then parts of the columns, then heads.
#include "unroll.c"

KERNEL {
    const u32 blocks = (u32)p.row_blocks;
    const u32 part = GROUP_ID(0) / blocks % (u32)p.parts;
    const u32 head = GROUP_ID(0) / blocks / (u32)p.parts;
    HEADS(head)
    const AT first_query = (AT)at_query, first_key = (AT)at_key, first_value = (AT)at_value;
    const AT rows = (AT)p.queries, columns = (AT)p.keys;
    const AT row0 = (AT)(GROUP_ID(0) % blocks) * TM;
    const int tx = LID(0) % TX, ty = LID(0) / TX;
    // Columns of values.
    const AT value0 = (AT)part * W;
    const AT values = (AT)p.values - value0 < W ? (AT)p.values - value0 : W;
    ACC total[RM][W / TX], most[RM], sum[RM];
    UNROLL
    for (int i = 0; i < RM; i++) {
        most[i] = (ACC)-INFINITY;
        sum[i] = (ACC)0;
        UNROLL
        for (int j = 0; j < W / TX; j++) {
            total[i][j] = (ACC)0;
        }
    }
    // Keys that no query of the block sees are not looked at.
    const AT last = p.causal && row0 + TM < columns ? row0 + TM : columns;
    for (AT column0 = 0; column0 < last; column0 += TN) {
        ACC acc[RM][RN];
        UNROLL
        for (int i = 0; i < RM; i++) {
            UNROLL
            for (int j = 0; j < RN; j++) {
                acc[i][j] = (ACC)0;
            }
        }
        const AT begin = 0, end = (AT)p.features;
#define A_VALUE(m, k, row, inner) \
    (ACC)LOAD_query(first_query + (row) * (AT)p.query_row + (inner) * (AT)p.query_column)
#define B_VALUE(k, n, inner, column) \
    (ACC)LOAD_key(first_key + (column) * (AT)p.key_row + (inner) * (AT)p.key_column)
#define A_ALONG_K 1
#define B_ALONG_K 1
#define STEP(first)
#include "tile.c"
        // Each work-item's largest score of its rows, then each row's.
        UNROLL
        for (int i = 0; i < RM; i++) {
            const AT row = row0 + ty + i * TY;
            ACC best = (ACC)-INFINITY;
            UNROLL
            for (int j = 0; j < RN; j++) {
                const AT column = column0 + tx + j * TX;
                ACC score = (ACC)-INFINITY;
                if (row < rows && column < columns && !(p.causal && column > row)) {
                    score = acc[i][j] * (ACC)p.scale + MASK((i64)row, (i64)column);
                }
                acc[i][j] = score;
                best = score > best ? score : best;
            }
            shared_rows[(ty + i * TY) * (TX + 1) + tx] = best;
        }
        BARRIER();
        UNROLL
        for (int i = 0; i < RM; i++) {
            ACC now = most[i];
            for (int t = 0; t < TX; t++) {
                const ACC other = shared_rows[(ty + i * TY) * (TX + 1) + t];
                now = other > now ? other : now;
            }
            // What was summed so far was above another, smaller maximum.
            const ACC rescale = now == most[i] ? (ACC)1 : EXP(most[i] - now);
            // With nothing but -inf seen, the exponentials are those of -inf, not of the NaN -inf + inf.
            const ACC shift = now == (ACC)-INFINITY ? (ACC)0 : now;
            most[i] = now;
            sum[i] *= rescale;
            UNROLL
            for (int j = 0; j < RN; j++) {
                const ACC weight = EXP(acc[i][j] - shift);
                sum[i] += weight;
                weights[(ty + i * TY) * (TN + 1) + tx + j * TX] = weight;
            }
            UNROLL
            for (int j = 0; j < W / TX; j++) {
                total[i][j] *= rescale;
            }
        }
        BARRIER();
#define TERM(inner, column) \
    (ACC)LOAD_value(first_value + (inner) * (AT)p.value_row + (value0 + (column)) * (AT)p.value_column)
#define TERM_COLUMNS values
#define TOTAL total
#include "attend.c"
    }
    // The sums of the work-items of a row.
    UNROLL
    for (int i = 0; i < RM; i++) {
        shared_rows[(ty + i * TY) * (TX + 1) + tx] = sum[i];
    }
    BARRIER();
    for (int i = 0; i < RM; i++) {
        const AT row = row0 + ty + i * TY;
        ACC whole = (ACC)0;
        for (int t = 0; t < TX; t++) {
            whole += shared_rows[(ty + i * TY) * (TX + 1) + t];
        }
        if (row < rows) {
            const ACC factor = whole == (ACC)0 ? (ACC)0 : (ACC)1 / whole;
            for (int j = 0; j < W / TX; j++) {
                const AT column = tx + j * TX;
                if (column < values) {
                    const i64 at = at_out + (i64)row * p.out_row + (i64)(value0 + column) * p.out_column;
                    STORE_out(at, total[i][j] * factor);
                }
            }
            if (tx == 0 && part == 0) {
                // inf where nothing was seen, so that the probabilities are 0 again in the gradient.
                const ACC logarithm = whole == (ACC)0 ? (ACC)INFINITY : most[i] + LOG(whole);
                STORE_log_sum(p.log_sum_offset + (i64)head * p.queries + (i64)row, logarithm);
            }
        }
    }
}

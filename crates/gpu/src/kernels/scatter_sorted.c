// Rows sorted by where they go: for each place and column, one work-item combines what comes there, in order. LX
// work-items stand side by side along columns, LY along rows.
#include "combine.c"

KERNEL {
    const i64 group = (i64)GROUP_ID(0);
    const i64 column = group % p.column_groups * LX + LID(0) % LX;
    const i64 row = group / p.column_groups * LY + LID(0) / LX;
    if (column < p.columns && row < p.rows) {
        const i64 place = (i64)(K)LOAD_keys(row);
#if LAST_WINS
        const bool mine = row == p.rows - 1 || (i64)(K)LOAD_keys(row + 1) != place;
#else
        const bool mine = row == 0 || (i64)(K)LOAD_keys(row - 1) != place;
#endif
        if (mine) {
            COLUMNS(column)
#if LAST_WINS
            ROWS((u32)LOAD_order(row))
            STORE_to(at_to + place, LOAD_source(at_source + at_row));
#else
            V all = LOAD_to(at_to + place);
            for (i64 r = row; r < p.rows && (i64)(K)LOAD_keys(r) == place; ++r) {
                ROWS((u32)LOAD_order(r))
                const V comes = LOAD_source(at_source + at_row);
                all = COMBINE(all, comes);
            }
            STORE_to(at_to + place, all);
#endif
        }
    }
}

// The coordinates of the elements that differ from zero, where `parts` says how many there were up to the end of each
// group's part. Each group writes the rows that were counted, whatever it finds by now: others stay zero.
KERNEL {
    const int lane = LID(0);
    const i64 begin = ((i64)GROUP_ID(0) * WORK_ITEMS + lane) * ITEMS;
    int count = 0;
    for (int j = 0; j < ITEMS; j++) {
        if (begin + j < p.n) {
            const i64 i = begin + j;
            POSITIONS(i)
            count += DIFFERS(at_x);
        }
    }
    counts[lane] = count;
    BARRIER();
    for (int apart = 1; apart < WORK_ITEMS; apart *= 2) {
        const int before = lane >= apart ? counts[lane - apart] : 0;
        BARRIER();
        counts[lane] += before;
        BARRIER();
    }
    const i64 group = (i64)GROUP_ID(0);
    const i64 first = group > 0 ? LOAD_parts(group - 1) : 0;
    const i64 counted = group + 1 < (i64)NGROUPS(0) && LOAD_parts(group) < p.rows ? LOAD_parts(group) : p.rows;
    i64 row = first + counts[lane] - count;
    for (int j = 0; j < ITEMS; j++) {
        if (begin + j < p.n) {
            const i64 i = begin + j;
            POSITIONS(i)
            if (DIFFERS(at_x) && row < counted) {
                i64 rest = i;
                for (int d = RANK - 1; d >= 0; d--) {
                    STORE_out(p.offset + row * p.row_step + d * p.column_step, rest % p.sizes[d]);
                    rest /= p.sizes[d];
                }
                row++;
            }
        }
    }
    for (i64 rest = first + counts[WORK_ITEMS - 1] + lane; rest < counted; rest += WORK_ITEMS) {
        for (int d = 0; d < RANK; d++) {
            STORE_out(p.offset + rest * p.row_step + d * p.column_step, 0);
        }
    }
}

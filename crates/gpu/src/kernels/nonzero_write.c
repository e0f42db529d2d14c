// The coordinates of the elements that differ from zero, where `parts` says how many there are up to the end of each
// group's part.
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
    i64 row = LOAD_parts((i64)GROUP_ID(0)) - counts[WORK_ITEMS - 1] + counts[lane] - count;
    for (int j = 0; j < ITEMS; j++) {
        if (begin + j < p.n) {
            const i64 i = begin + j;
            POSITIONS(i)
            if (DIFFERS(at_x)) {
                i64 rest = i;
                for (int d = RANK - 1; d >= 0; d--) {
                    STORE_out(p.offset + row * p.row_step + d * p.column_step, rest % p.sizes[d]);
                    rest /= p.sizes[d];
                }
                row++;
            }
        }
    }
}

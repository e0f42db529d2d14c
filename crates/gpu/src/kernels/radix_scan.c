// The sum of the counts before each, in place; a group per line.
KERNEL {
    const i64 first = (i64)GROUP_ID(0) * p.n;
    u32 carry = 0;
    for (i64 start = 0; start < p.n; start += LANES * EACH) {
        const i64 mine = start + LID(0) * EACH;
        u32 sum = 0;
        for (int k = 0; k < EACH; ++k) {
            sum += mine + k < p.n ? (u32)LOAD_counts(first + mine + k) : 0u;
        }
        partial[LID(0)] = sum;
        BARRIER();
        for (int reach = 1; reach < LANES; reach *= 2) {
            const u32 before = LID(0) >= reach ? partial[LID(0) - reach] : 0u;
            BARRIER();
            partial[LID(0)] += before;
            BARRIER();
        }
        u32 before = carry + partial[LID(0)] - sum;
        carry += partial[LANES - 1];
        for (int k = 0; k < EACH; ++k) {
            if (mine + k < p.n) {
                const u32 count = (u32)LOAD_counts(first + mine + k);
                STORE_counts(first + mine + k, before);
                before += count;
            }
        }
        BARRIER();
    }
}

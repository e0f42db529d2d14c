// Looks up where indices lead: the sum over tensors of index times step, stored where OFFSETS says so. Each group notes
// its first index out of range: tensor by tensor, row-major in each.
KERNEL {
    i64 first = 9223372036854775807;
    i64 value = 0;
    for (i64 i = (i64)GID(0); i < p.n; i += (i64)NGROUPS(0) * GROUP_ITEMS) {
        POSITIONS(i)
#if OFFSETS
        i64 offset = at_base;
#endif
        LOOKUPS
#if OFFSETS
        STORE_offsets(i, offset);
#endif
    }
    firsts[LID(0)] = first;
    values[LID(0)] = value;
    BARRIER();
    for (int reach = GROUP_ITEMS / 2; reach > 0; reach /= 2) {
        if (LID(0) < reach && firsts[LID(0) + reach] < firsts[LID(0)]) {
            firsts[LID(0)] = firsts[LID(0) + reach];
            values[LID(0)] = values[LID(0) + reach];
        }
        BARRIER();
    }
    if (LID(0) == 0) {
        STORE_outside((i64)GROUP_ID(0) * 2, firsts[0]);
        STORE_outside((i64)GROUP_ID(0) * 2 + 1, values[0]);
    }
}

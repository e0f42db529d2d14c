// Moves each key and its place to where the counts say, those of one digit in their order. A work-item has EACH
// neighbours of its tile and counts them for itself; sums over digits, then work-items, rank the tile's elements.
#define DIGIT(key) ((i32)((key) >> p.shift) & 15)

KERNEL {
    const i64 line = (i64)GROUP_ID(0) / p.tiles, tile = (i64)GROUP_ID(0) % p.tiles;
    const i64 mine = tile * (LANES * EACH) + LID(0) * EACH;
    for (int digit = 0; digit < 16; ++digit) {
        counted[digit * LANES + LID(0)] = 0;
    }
    for (int k = 0; k < EACH; ++k) {
        if (mine + k < p.length) {
            const K key = (K)LOAD_keys(line * p.length + mine + k);
            counted[DIGIT(key) * LANES + LID(0)] += 1;
        }
    }
    BARRIER();
    u32 sum = 0;
    for (int k = 0; k < 16; ++k) {
        sum += counted[LID(0) * 16 + k];
    }
    partial[LID(0)] = sum;
    BARRIER();
    for (int reach = 1; reach < LANES; reach *= 2) {
        const u32 before = LID(0) >= reach ? partial[LID(0) - reach] : 0u;
        BARRIER();
        partial[LID(0)] += before;
        BARRIER();
    }
    u32 before = partial[LID(0)] - sum;
    for (int k = 0; k < 16; ++k) {
        const u32 count = counted[LID(0) * 16 + k];
        counted[LID(0) * 16 + k] = before;
        before += count;
    }
    BARRIER();
    // Where a digit's first element of this tile goes, less that element's rank.
    if (LID(0) < 16) {
        begins[LID(0)] = (u32)LOAD_counts((line * 16 + LID(0)) * p.tiles + tile) - counted[LID(0) * LANES];
    }
    BARRIER();
    for (int k = 0; k < EACH; ++k) {
        if (mine + k < p.length) {
            const i64 from = line * p.length + mine + k;
            const K key = (K)LOAD_keys(from);
            const int digit = DIGIT(key);
            const u32 rank = counted[digit * LANES + LID(0)];
            counted[digit * LANES + LID(0)] = rank + 1;
            const i64 to = line * p.length + (i64)(begins[digit] + rank);
            STORE_sorted_keys(to, key);
#if FIRST
            STORE_sorted_places(to, mine + k);
#else
            STORE_sorted_places(to, LOAD_places(from));
#endif
        }
    }
}

// How often each digit (4 bits of the key) occurs in each tile of each line: counts[line][digit][tile].
#define DIGIT(key) ((i32)((key) >> p.shift) & 15)

KERNEL {
    const i64 line = (i64)GROUP_ID(0) / p.tiles, tile = (i64)GROUP_ID(0) % p.tiles;
    // Each work-item counts for itself.
    for (int digit = 0; digit < 16; ++digit) {
        counted[digit * LANES + LID(0)] = 0;
    }
    for (int k = 0; k < EACH; ++k) {
        const i64 at = tile * (LANES * EACH) + k * LANES + LID(0);
        if (at < p.length) {
            const K key = (K)LOAD_keys(line * p.length + at);
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
    if (LID(0) < 16) {
        u32 all = 0;
        for (int k = 0; k < LANES / 16; ++k) {
            all += partial[LID(0) * (LANES / 16) + k];
        }
        STORE_counts((line * 16 + LID(0)) * p.tiles + tile, all);
    }
}

// Binary search: the first place of a line whose element is not less than the value (RIGHT: larger).
KERNEL {
    const INDEX i = (INDEX)GID(0);
    if (i < (INDEX)p.n) {
        POSITIONS(i)
        const TYPE_values value = LOAD_values(at_values);
        i64 low = 0, high = p.length;
        while (low < high) {
            const i64 middle = low + (high - low) / 2;
#if SORTER
            const i64 place = LOAD_sorter(at_sorter + middle * p.sorter_step);
#else
            const i64 place = middle;
#endif
            const TYPE_values element = LOAD_sorted(at_sorted + place * p.sorted_step);
#if RIGHT
            const bool beyond = element > value;
#else
            const bool beyond = element >= value;
#endif
            if (beyond) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        STORE_to(at_to, low);
    }
}

// What the taps (n of them, from all images) are sorted by: the element of the plane that each picks, or behind all of them
// where it picks none.
KERNEL {
    const INDEX i = (INDEX)GID(0);
    if (i < (INDEX)p.n) {
        POSITIONS(i)
        const i64 element = LOAD_taps(at_taps);
        STORE_keys(i, (u64)element < (u64)p.plane ? element : p.plane);
    }
}

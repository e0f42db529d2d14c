// The elements of sorted lines, up to `kept` of each, and where they were.
KERNEL {
    const i64 i = (i64)GID(0);
    if (i < p.n) {
        const i64 line = i / p.kept, k = i % p.kept;
        LINES(line)
        const i64 place = (i64)(u32)LOAD_places(line * p.length + k);
        STORE_indices(at_indices + k * p.indices_step, place);
#if VALUES
        STORE_values(at_values + k * p.values_step, LOAD_from(at_from + place * p.from_step));
#endif
    }
}

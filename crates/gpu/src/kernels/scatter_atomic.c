// Rows are added where they go, in whatever order they come: a work-item per number.
KERNEL {
    const i64 i = (i64)GID(0);
    if (i < p.rows * p.columns) {
        const i64 row = i / p.columns;
        COLUMNS(i % p.columns)
        ROWS(row)
        ATOMIC_ADD_F32(to + (at_to + (i64)LOAD_keys(row)), LOAD_source(at_source + at_row));
    }
}

// Copies between layouts, and between dtypes where CONVERT says how.
KERNEL {
    const INDEX i = (INDEX)GID(0);
    if (i < (INDEX)p.n) {
        POSITIONS(i)
        STORE_to(at_to, CONVERT(LOAD_from(at_from)));
    }
}

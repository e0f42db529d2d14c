// Moves elements from where an index leads; the index was checked.
KERNEL {
    const INDEX i = (INDEX)GID(0);
    if (i < (INDEX)p.n) {
        POSITIONS(i)
        STORE_to(at_to, LOAD_from(at_from + LOAD_index(at_index) * p.along));
    }
}

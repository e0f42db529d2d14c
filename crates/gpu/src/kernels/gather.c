// Moves elements from where an index leads. It was checked; one that was written since and is outside leads to the first.
KERNEL {
    const INDEX i = (INDEX)GID(0);
    if (i < (INDEX)p.n) {
        POSITIONS(i)
        const i64 place = LOAD_index(at_index);
        STORE_to(at_to, LOAD_from(at_from + ((u64)place < (u64)p.places ? place : 0) * p.along));
    }
}

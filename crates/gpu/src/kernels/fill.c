// Sets every element.
KERNEL {
    const INDEX i = (INDEX)GID(0);
    if (i < (INDEX)p.n) {
        POSITIONS(i)
        STORE_to(at_to, p.value);
    }
}

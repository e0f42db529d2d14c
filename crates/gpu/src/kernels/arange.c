// start + i * step.
KERNEL {
    const INDEX i = (INDEX)GID(0);
    if (i < (INDEX)p.n) {
        POSITIONS(i)
        STORE_to(at_to, p.start + (NUMBER)i * p.step);
    }
}

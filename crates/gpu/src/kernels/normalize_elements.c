// (x - mean) rstd weight + bias of each element, where the statistics are known.
KERNEL {
    const INDEX i = (INDEX)GID(0);
    if (i < (INDEX)p.n) {
        POSITIONS(i)
        const A centre = LOAD_mean(at_mean);
        const V mean_high = (V)centre, mean_low = (V)(centre - (A)mean_high);
        V result = ((LOAD_x(at_x) - mean_high) - mean_low) * (V)LOAD_rstd(at_rstd);
#if HAS_WEIGHT
        result *= LOAD_w(at_w);
#endif
#if HAS_BIAS
        result += LOAD_b(at_b);
#endif
        STORE_y(at_y, result);
    }
}

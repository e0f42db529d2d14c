// (x - mean) rstd weight + bias of each element, where the statistics are known.
KERNEL {
    const INDEX i = (INDEX)GID(0);
    if (i < (INDEX)p.n) {
        POSITIONS(i)
        const A mean = LOAD_mean(at_mean);
        const V mean_high = (V)mean, mean_low = (V)(mean - (A)mean_high);
        V y = ((LOAD_x(at_x) - mean_high) - mean_low) * (V)LOAD_rstd(at_rstd);
#if HAS_WEIGHT
        y *= LOAD_w(at_w);
#endif
#if HAS_BIAS
        y += LOAD_b(at_b);
#endif
        STORE_y(at_y, y);
    }
}

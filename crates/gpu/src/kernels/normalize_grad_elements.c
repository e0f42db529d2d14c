// The gradient of normalize by its input, where the sums over each group are known: see normalize_grad_lines.c.
KERNEL {
    const INDEX i = (INDEX)GID(0);
    if (i < (INDEX)p.n) {
        POSITIONS(i)
        const V scale = LOAD_rstd(at_rstd);
        V h = LOAD_g(at_g);
#if HAS_WEIGHT
        h *= LOAD_w(at_w);
#endif
        const V z = (LOAD_x(at_x) - LOAD_mean(at_mean)) * scale;
        const V mean_h = (V)(LOAD_sums(at_sums) / (A)p.length);
        const V mean_hz = (V)(LOAD_sums(at_sums + p.plane) / (A)p.length);
        STORE_out(at_out, scale * (h - mean_h - z * mean_hz));
    }
}

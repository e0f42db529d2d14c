// Linear maps along the last dimensions, of three: each output is the sum of its taps' elements times their weights. `maps`
// has for each dimension where each output's taps begin, and the elements that taps read; `weights` their factors.
KERNEL {
    const INDEX i = (INDEX)GROUP_ID(0) * GROUP + (INDEX)LID(0);
    if (i < (INDEX)p.n) {
        INDEX plane = i;
        const INDEX ox = plane % (INDEX)p.output[2];
        plane /= (INDEX)p.output[2];
        const INDEX oy = plane % (INDEX)p.output[1];
        plane /= (INDEX)p.output[1];
        const INDEX oz = plane % (INDEX)p.output[0];
        plane /= (INDEX)p.output[0];
        const i64 first = p.x0_offset + (i64)plane * p.input[0] * p.input[1] * p.input[2];
#if SELECTION
        const i64 z = LOAD_maps(p.positions[0] + (i64)oz);
        const i64 y = LOAD_maps(p.positions[1] + (i64)oy);
        const i64 x = LOAD_maps(p.positions[2] + (i64)ox);
        STORE_y0(p.y0_offset + (i64)i, LOAD_x0(first + (z * p.input[1] + y) * p.input[2] + x));
#else
        const i64 end_z = LOAD_maps(p.starts[0] + (i64)oz + 1);
        const i64 end_y = LOAD_maps(p.starts[1] + (i64)oy + 1);
        const i64 end_x = LOAD_maps(p.starts[2] + (i64)ox + 1);
        ACC sum = (ACC)0;
        for (i64 kz = LOAD_maps(p.starts[0] + (i64)oz); kz < end_z; kz++) {
            const i64 z = LOAD_maps(p.positions[0] + kz);
            ACC box = (ACC)0;
            for (i64 ky = LOAD_maps(p.starts[1] + (i64)oy); ky < end_y; ky++) {
                const i64 row = first + (z * p.input[1] + LOAD_maps(p.positions[1] + ky)) * p.input[2];
                ACC line = (ACC)0;
                for (i64 kx = LOAD_maps(p.starts[2] + (i64)ox); kx < end_x; kx++) {
                    line += (ACC)LOAD_x0(row + LOAD_maps(p.positions[2] + kx)) * LOAD_weights(p.factors[2] + kx);
                }
                box += line * LOAD_weights(p.factors[1] + ky);
            }
            sum += box * LOAD_weights(p.factors[0] + kz);
        }
        STORE_y0(p.y0_offset + (i64)i, sum);
#endif
    }
}

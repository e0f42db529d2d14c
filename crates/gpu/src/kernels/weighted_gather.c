// What each point picks from its plane: the weighted sum of the taps whose index lies in it. The n images have
// `channels` planes of the input, and of the output.
KERNEL {
    const INDEX i = (INDEX)GROUP_ID(0) * GROUP + (INDEX)LID(0);
    if (i < (INDEX)p.n) {
        const INDEX point = i % (INDEX)p.points;
        const INDEX channel = i / (INDEX)p.points % (INDEX)p.channels;
        const INDEX image = i / (INDEX)p.points / (INDEX)p.channels;
        const i64 from = p.x0_offset + (i64)image * p.x0_stride[0] + (i64)channel * p.x0_stride[1];
        i64 at_index = p.x1_offset + (i64)image * p.x1_stride[0] + (i64)point * p.x1_stride[1];
        i64 at_weight = p.x2_offset + (i64)image * p.x2_stride[0] + (i64)point * p.x2_stride[1];
        V sum = (V)0;
        for (i64 tap = 0; tap < p.taps; tap++) {
            const i64 index = LOAD_x1(at_index);
            if ((u64)index < (u64)p.plane) {
                sum += (V)LOAD_x0(from + index * p.x0_stride[2]) * (V)LOAD_x2(at_weight);
            }
            at_index += p.x1_stride[2];
            at_weight += p.x2_stride[2];
        }
        STORE_y0(p.y0_offset + (i64)image * p.y0_stride[0] + (i64)channel * p.y0_stride[1] + (i64)point * p.y0_stride[2], sum);
    }
}

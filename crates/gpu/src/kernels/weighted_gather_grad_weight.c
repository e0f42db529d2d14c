// The gradient of what points pick (x0: the gradient of the result, x2: the input) by each tap's weight: a sum over channels.
KERNEL {
    const INDEX i = (INDEX)GROUP_ID(0) * GROUP + (INDEX)LID(0);
    if (i < (INDEX)p.n) {
        const INDEX tap = i % (INDEX)p.taps;
        const INDEX point = i / (INDEX)p.taps % (INDEX)p.points;
        const INDEX image = i / (INDEX)p.taps / (INDEX)p.points;
        const i64 index = LOAD_x1(
            p.x1_offset + (i64)image * p.x1_stride[0] + (i64)point * p.x1_stride[1] + (i64)tap * p.x1_stride[2]);
        V sum = (V)0;
        if ((u64)index < (u64)p.plane) {
            i64 at_grad = p.x0_offset + (i64)image * p.x0_stride[0] + (i64)point * p.x0_stride[2];
            i64 at_input = p.x2_offset + (i64)image * p.x2_stride[0] + index * p.x2_stride[2];
            for (i64 channel = 0; channel < p.channels; channel++) {
                sum += (V)LOAD_x0(at_grad) * (V)LOAD_x2(at_input);
                at_grad += p.x0_stride[1];
                at_input += p.x2_stride[1];
            }
        }
        STORE_y0(p.y0_offset + (i64)image * p.y0_stride[0] + (i64)point * p.y0_stride[1] + (i64)tap * p.y0_stride[2], sum);
    }
}

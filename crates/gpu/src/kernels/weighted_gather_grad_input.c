// The gradient of what points pick (x0: the gradient of the result, x1: weights) by each element of the planes: a sum over the
// taps that pick it, in their order. Of each image `keys` has the taps' elements in order, `order` which taps they are.
KERNEL {
    const INDEX i = (INDEX)GROUP_ID(0) * GROUP + (INDEX)LID(0);
    if (i < (INDEX)p.n) {
        const INDEX element = i % (INDEX)p.plane;
        const INDEX channel = i / (INDEX)p.plane % (INDEX)p.channels;
        const INDEX image = i / (INDEX)p.plane / (INDEX)p.channels;
        const i64 count = p.points * p.taps, first = (i64)image * count;
        i64 low = 0, high = count;
        while (low < high) {
            const i64 middle = (low + high) / 2;
            if ((i64)LOAD_keys(first + middle) < (i64)element) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        const i64 from = p.x0_offset + (i64)image * p.x0_stride[0] + (i64)channel * p.x0_stride[1];
        V sum = (V)0;
        for (; low < count && (i64)LOAD_keys(first + low) == (i64)element; low++) {
            const i64 place = (i64)LOAD_order(first + low);
            const i64 point = place / p.taps, tap = place % p.taps;
            const i64 at_weight =
                p.x1_offset + (i64)image * p.x1_stride[0] + point * p.x1_stride[1] + tap * p.x1_stride[2];
            sum += (V)LOAD_x0(from + point * p.x0_stride[2]) * (V)LOAD_x1(at_weight);
        }
        STORE_y0(p.y0_offset + (i64)image * p.y0_stride[0] + (i64)channel * p.y0_stride[1] + (i64)element * p.y0_stride[2], sum);
    }
}

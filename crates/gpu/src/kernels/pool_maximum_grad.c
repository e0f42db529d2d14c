// The gradient of maxima by their input: each element gathers the gradients of the outputs whose index names it. Only
// outputs are looked at whose indices can lie here, as pool_spread.c has found: those whose place in the input's measure is
// between `most` before the element and `least`.
#include "pooling.c"

KERNEL {
    const i64 i = (i64)GROUP_ID(0) * GROUP + LID(0);
    if (i < p.n) {
        SPLIT(i, p.size, image, channel, z, y, x)
        const i64 index = ((i64)z * p.size[1] + (i64)y) * p.size[2] + (i64)x;
        // The first output whose place, output * size / outputs rounded down, is at `place` or behind it.
#define REACHING(place, d) ((place) <= 0 ? 0 : ((place) * p.output[d] + p.size[d] - 1) / p.size[d])
#define FIRST(at, d) REACHING((i64)(at) - p.most[d], d)
#define BEHIND(at, d) \
    (REACHING((i64)(at) - p.least[d] + 1, d) < p.output[d] ? REACHING((i64)(at) - p.least[d] + 1, d) : p.output[d])
        const i64 end_z = BEHIND(z, 0), end_y = BEHIND(y, 1), end_x = BEHIND(x, 2);
        const i64 first = PLACE(x0, image, channel, 0, 0, 0), names = PLACE(x1, image, channel, 0, 0, 0);
        V sum = (V)0;
        for (i64 oz = FIRST(z, 0); oz < end_z; oz++) {
            for (i64 oy = FIRST(y, 1); oy < end_y; oy++) {
                for (i64 ox = FIRST(x, 2); ox < end_x; ox++) {
                    const i64 name = LOAD_x1(names + oz * p.x1_stride[2] + oy * p.x1_stride[3] + ox * p.x1_stride[4]);
                    if (name == index) {
                        sum += (V)LOAD_x0(first + oz * p.x0_stride[2] + oy * p.x0_stride[3] + ox * p.x0_stride[4]);
                    }
                }
            }
        }
        STORE_y0(PLACE(y0, image, channel, z, y, x), sum);
    }
}

// The gradient of averages by their input: each element gathers its share of every window that it lies in.
#include "pooling.c"

KERNEL {
    const i64 i = (i64)GROUP_ID(0) * GROUP + LID(0);
    if (i < p.n) {
        SPLIT(i, p.size, image, channel, z, y, x)
        // The first window that reaches as far, and the one behind the last that begins early enough.
#define FIRST(at, d) ((i64)(at) + p.padding[d] < p.window[d] ? 0 : ((i64)(at) + p.padding[d] - p.window[d]) / p.step[d] + 1)
#define LAST(at, d) (((i64)(at) + p.padding[d]) / p.step[d] + 1 < p.output[d] ? ((i64)(at) + p.padding[d]) / p.step[d] + 1 : p.output[d])
        const i64 end_z = LAST(z, 0), end_y = LAST(y, 1), end_x = LAST(x, 2);
        const i64 first = PLACE(x0, image, channel, 0, 0, 0);
        V sum = (V)0;
        for (i64 oz = FIRST(z, 0); oz < end_z; oz++) {
            WINDOW(oz, 0, start_z, low_z, high_z)
            for (i64 oy = FIRST(y, 1); oy < end_y; oy++) {
                WINDOW(oy, 1, start_y, low_y, high_y)
                for (i64 ox = FIRST(x, 2); ox < end_x; ox++) {
                    WINDOW(ox, 2, start_x, low_x, high_x)
                    i64 divisor = p.divisor;
                    if (divisor == 0) {
                        divisor = COUNT(0, start_z, low_z, high_z) * COUNT(1, start_y, low_y, high_y)
                            * COUNT(2, start_x, low_x, high_x);
                    }
                    sum += (V)LOAD_x0(first + oz * p.x0_stride[2] + oy * p.x0_stride[3] + ox * p.x0_stride[4]) / (V)divisor;
                }
            }
        }
        STORE_y0(PLACE(y0, image, channel, z, y, x), sum);
    }
}

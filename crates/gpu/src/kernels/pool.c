// The largest element of each window, and where it is in its plane; or the mean of each window.
#include "pooling.c"

KERNEL {
    const i64 i = (i64)GROUP_ID(0) * GROUP + LID(0);
    if (i < p.n) {
        SPLIT(i, p.output, image, channel, oz, oy, ox)
        WINDOW(oz, 0, start_z, low_z, high_z)
        WINDOW(oy, 1, start_y, low_y, high_y)
        WINDOW(ox, 2, start_x, low_x, high_x)
        const i64 first = PLACE(x0, image, channel, 0, 0, 0);
#if MAXIMUM
        V best = LOWEST;
        i64 index = -1;
#else
        V sum = (V)0;
#endif
        for (i64 kz = low_z; kz < high_z; kz++) {
            const i64 z = start_z + kz * p.dilation[0];
            for (i64 ky = low_y; ky < high_y; ky++) {
                const i64 y = start_y + ky * p.dilation[1];
                for (i64 kx = low_x; kx < high_x; kx++) {
                    const i64 x = start_x + kx * p.dilation[2];
                    const V value = (V)LOAD_x0(first + z * p.x0_stride[2] + y * p.x0_stride[3] + x * p.x0_stride[4]);
#if MAXIMUM
                    if (index < 0 || value > best || value != value) {
                        best = value;
                        index = (z * p.size[1] + y) * p.size[2] + x;
                    }
#else
                    sum += value;
#endif
                }
            }
        }
        const i64 at = PLACE(y0, image, channel, oz, oy, ox);
#if MAXIMUM
        STORE_y0(at, best);
#if INDICES
        STORE_y1(PLACE(y1, image, channel, oz, oy, ox), index < 0 ? 0 : index);
#endif
#else
        i64 divisor = p.divisor;
        if (divisor == 0) {
            divisor = COUNT(0, start_z, low_z, high_z) * COUNT(1, start_y, low_y, high_y) * COUNT(2, start_x, low_x, high_x);
            // A window of padding alone has the sum 0.
            divisor = !p.padded && divisor < 1 ? 1 : divisor;
        }
        STORE_y0(at, V_FLOAT || divisor != 0 ? sum / (V)divisor : (V)0);
#endif
    }
}

// The largest element of windows that lie anywhere, and where it is in its plane. `regions` has begin and end of each
// output's window, dimension by dimension; per plane, where they have a stride by planes.
#include "pooling.c"

KERNEL {
    const i64 i = (i64)GROUP_ID(0) * GROUP + LID(0);
    if (i < p.n) {
        SPLIT(i, p.output, image, channel, oz, oy, ox)
        const i64 plane = (i64)image * p.channels + (i64)channel;
        const i64 at_z = p.region_first[0] + 2 * (plane * p.region_plane[0] + (i64)oz);
        const i64 at_y = p.region_first[1] + 2 * (plane * p.region_plane[1] + (i64)oy);
        const i64 at_x = p.region_first[2] + 2 * (plane * p.region_plane[2] + (i64)ox);
        const i64 first = PLACE(x0, image, channel, 0, 0, 0);
        V best = LOWEST;
        i64 index = -1;
        for (i64 z = LOAD_regions(at_z); z < LOAD_regions(at_z + 1); z++) {
            for (i64 y = LOAD_regions(at_y); y < LOAD_regions(at_y + 1); y++) {
                for (i64 x = LOAD_regions(at_x); x < LOAD_regions(at_x + 1); x++) {
                    const V value = (V)LOAD_x0(first + z * p.x0_stride[2] + y * p.x0_stride[3] + x * p.x0_stride[4]);
                    if (index < 0 || value > best || value != value) {
                        best = value;
                        index = (z * p.size[1] + y) * p.size[2] + x;
                    }
                }
            }
        }
        STORE_y0(PLACE(y0, image, channel, oz, oy, ox), best);
        STORE_y1(PLACE(y1, image, channel, oz, oy, ox), index);
    }
}

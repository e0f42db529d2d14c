// Windows over a source: tap t of point i reads coordinate i * point_step + first + t * tap_step, along each dimension,
// of a source of `size`, where everything outside is 0.

// Declares what a flat number stands for: a position z, y, x in a box of `sizes`, and which box.
#define SPLIT(number, sizes, box, z, y, x)                 \
    AT box = (AT)(number);                                 \
    const AT x = box % (AT)(sizes)[2];                     \
    box /= (AT)(sizes)[2];                                 \
    const AT y = box % (AT)(sizes)[1];                     \
    box /= (AT)(sizes)[1];                                 \
    const AT z = box % (AT)(sizes)[0];                     \
    box /= (AT)(sizes)[0];
// A point's coordinate, and what a tap adds to it, along dimension d.
#define POINT(at, d) (i32)((at) * (AT)p.point_step[d] + (AT)p.first[d])
#define TAP(at, d) (i32)((at) * (AT)p.tap_step[d])
#define STRIDED(strides, z, y, x) \
    ((AT)(z) * (AT)p.strides[0] + (AT)(y) * (AT)p.strides[1] + (AT)(x) * (AT)p.strides[2])
#define INSIDE(z, y, x) ((u32)(z) < (u32)p.size[0] && (u32)(y) < (u32)p.size[1] && (u32)(x) < (u32)p.size[2])

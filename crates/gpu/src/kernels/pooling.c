// Geometry of pools: positions in a box of `sizes`, and the part of a window that lies inside the input.

// Declares what a flat number stands for: a position z, y, x, of which channel of which image.
#define SPLIT(number, sizes, image, channel, z, y, x)    \
    INDEX image = (INDEX)(number);                       \
    const INDEX x = image % (INDEX)(sizes)[2];           \
    image /= (INDEX)(sizes)[2];                          \
    const INDEX y = image % (INDEX)(sizes)[1];           \
    image /= (INDEX)(sizes)[1];                          \
    const INDEX z = image % (INDEX)(sizes)[0];           \
    image /= (INDEX)(sizes)[0];                          \
    const INDEX channel = image % (INDEX)p.channels;     \
    image /= (INDEX)p.channels;
// Where an element of an operand lies, by its strides.
#define PLACE(name, image, channel, z, y, x)                                                       \
    (p.name##_offset + (i64)(image) * p.name##_stride[0] + (i64)(channel) * p.name##_stride[1]     \
        + (i64)(z) * p.name##_stride[2] + (i64)(y) * p.name##_stride[3] + (i64)(x) * p.name##_stride[4])
// The window of output `at` along dimension d: where it begins, its first tap inside the input, and the one behind the
// last.
#define WINDOW(at, d, start, low, high)                                                                       \
    const i64 start = (i64)(at) * p.step[d] - p.padding[d];                                                   \
    const i64 low = start >= 0 ? 0 : (-start + p.dilation[d] - 1) / p.dilation[d];                            \
    i64 high = p.size[d] > start ? (p.size[d] - start + p.dilation[d] - 1) / p.dilation[d] : 0;               \
    high = high < p.window[d] ? high : p.window[d];
// How many taps of a window are counted: those inside the input and its padding, or inside the input.
#define COUNT(d, start, low, high)                                                                            \
    (p.padded ? (p.size[d] + p.padding[d] - start < p.window[d] ? p.size[d] + p.padding[d] - start : p.window[d]) \
              : (high > low ? high - low : 0))

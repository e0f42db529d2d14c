// Elements as unsigned numbers K of the same order, from their bits. `kind`: 0 unsigned, 1 signed, 2 floating point, of
// which NaN is last and the two zeros are alike. `flip` reverses the order.
DEVICE_FN K KEY(const BITS_TYPE bits, const i32 kind, const K sign, const K infinite, const K flip) {
    if (kind == 0) {
        return (K)bits ^ flip;
    }
    if (kind == 1) {
        return (K)bits ^ sign ^ flip;
    }
    const K magnitude = (K)bits & (sign - 1);
    const K key = magnitude == 0           ? sign
                  : magnitude > infinite   ? sign | (sign - 1)
                  : magnitude == (K)bits   ? (K)bits | sign
                                           : (K)(BITS_TYPE)~bits;
    return key ^ flip;
}
#define KEY_OF(bits) KEY((BITS_TYPE)(bits), p.kind, (K)p.sign, (K)p.infinite, (K)p.flip)

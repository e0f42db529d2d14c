// Elements as unsigned numbers K of the same order, from their bits: NaN last, the two zeros alike. FLIP reverses it.
DEVICE_FN K KEY(const BITS_TYPE bits) {
#if KEY_KIND == 0
    return (K)bits ^ FLIP;
#elif KEY_KIND == 1
    return ((K)bits ^ SIGN) ^ FLIP;
#else
    const K magnitude = (K)bits & (SIGN - 1);
    const K key = magnitude == 0   ? SIGN
                  : magnitude > INFINITE ? SIGN | (SIGN - 1)
                  : magnitude == (K)bits ? (K)bits | SIGN
                                         : (K)(BITS_TYPE)~bits;
    return key ^ FLIP;
#endif
}

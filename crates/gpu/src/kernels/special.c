// Functions that no dialect's library has, on floats of type V. SPECIAL is V's size.
DEVICE_FN V ENTR(const V x) {
    return x > (V)0 ? -x * LOG(x) : x == (V)0 ? (V)0 : x != x ? x : (V)-INFINITY;
}
DEVICE_FN V XLOG1PY(const V x, const V y) {
    return x == (V)0 && y == y ? (V)0 : x * LOG1P(y);
}
// Polynomials in w = -log(1 - x²), or in its root (Giles, 2012), to a few units in float's last place.
DEVICE_FN float float_erfinv(const float x) {
    float w = -LOG((1.0f - x) * (1.0f + x));
    float s;
    if (w < 5.0f) {
        w -= 2.5f;
        s = FMA(2.81022636e-08f, w, 3.43273939e-07f);
        s = FMA(s, w, -3.5233877e-06f);
        s = FMA(s, w, -4.39150654e-06f);
        s = FMA(s, w, 0.00021858087f);
        s = FMA(s, w, -0.00125372503f);
        s = FMA(s, w, -0.00417768164f);
        s = FMA(s, w, 0.246640727f);
        s = FMA(s, w, 1.50140941f);
    } else {
        w = SQRT(w) - 3.0f;
        s = FMA(-0.000200214257f, w, 0.000100950558f);
        s = FMA(s, w, 0.00134934322f);
        s = FMA(s, w, -0.00367342844f);
        s = FMA(s, w, 0.00573950773f);
        s = FMA(s, w, -0.0076224613f);
        s = FMA(s, w, 0.00943887047f);
        s = FMA(s, w, 1.00167406f);
        s = FMA(s, w, 2.83297682f);
    }
    return s * x;
}
DEVICE_FN V ERFINV(const V x) {
    const V size = FABS(x);
    if (!(size < (V)1)) {
        return size == (V)1 ? x * (V)INFINITY : (V)NAN;
    }
#if SPECIAL == 8
    if (size < 1e-9) {
        return x * 0.886226925452758;
    }
    // Halley's steps on erf(w) = size, or where that is near 1 on erfc(w) = 1 - size, from the float's result; where that
    // would be infinite, from the root of the logarithm.
    const V rest = 1.0 - size;
    const float near = (float)size;
    V w = near < 1.0f ? (V)float_erfinv(near) : SQRT(-LOG(rest) - 0.5 * LOG(-3.14159265358979 * LOG(rest)));
    for (int step = 0; step < 3; step++) {
        const V off = (size < 0.5 ? ERF(w) - size : rest - ERFC(w)) / (1.1283791670955126 * EXP(-w * w));
        w -= off / (1.0 + w * off);
    }
    return COPYSIGN(w, x);
#else
    return float_erfinv(x);
#endif
}

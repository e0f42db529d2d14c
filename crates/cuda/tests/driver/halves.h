// Elements of floating-point types, by the numbers that NVIDIA's libraries have for them (14 and 9 are bfloat16).
#include <math.h>
#include <stdint.h>
#include <string.h>

static float half(uint16_t h) {
    int exponent = h >> 10 & 31, mantissa = h & 1023;
    float value = exponent == 31 ? (mantissa ? NAN : INFINITY) : exponent ? ldexpf(1024 + mantissa, exponent - 25) : ldexpf(mantissa, -24);
    return h >> 15 ? -value : value;
}
static uint16_t to_half(float value) {
    uint16_t sign = signbit(value) ? 0x8000 : 0;
    float magnitude = fabsf(value);
    if (magnitude != magnitude) return 0x7e00;
    int exponent;
    frexpf(magnitude, &exponent);
    int step = exponent < -13 ? -24 : exponent - 11;
    float whole = nearbyintf(ldexpf(magnitude, -step));
    if (ldexpf(whole, step) > 65504) return sign | 0x7c00;
    if (whole == 2048) whole = 1024, step++;
    return sign | (step == -24 && whole < 1024 ? (uint16_t)whole : (uint16_t)((step + 25) << 10 | ((int)whole - 1024)));
}
static double load(const void *p, int type, int64_t i) {
    uint32_t bits;
    float value;
    switch (type) {
    case 0: return ((const float *)p)[i];
    case 1: return ((const double *)p)[i];
    case 2: return half(((const uint16_t *)p)[i]);
    default: return bits = (uint32_t)((const uint16_t *)p)[i] << 16, memcpy(&value, &bits, 4), value;
    }
}
static void store(void *p, int type, int64_t i, double value) {
    float single = (float)value;
    uint32_t bits;
    memcpy(&bits, &single, 4);
    switch (type) {
    case 0: ((float *)p)[i] = single; break;
    case 1: ((double *)p)[i] = value; break;
    case 2: ((uint16_t *)p)[i] = to_half(single); break;
    default: ((uint16_t *)p)[i] = single != single ? 0x7fc0 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    }
}

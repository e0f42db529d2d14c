// The algebra's operations on numbers of type V (V_FLOAT: whether it is a float; V_BOOL: whether it is bool) that C
// spells otherwise for integers and floats.
#if V_FLOAT
#define ABS(x) FABS(x)
#define POW(x, y) FLOAT_POW(x, y)
#define FMOD(x, y) FLOAT_FMOD(x, y)
#define MAX(x, y) ((x) > (y) || (x) != (x) ? (x) : (y))
#define MIN(x, y) ((x) < (y) || (x) != (x) ? (x) : (y))
DEVICE_FN V REMAINDER(const V x, const V y) {
    const V rest = FMOD(x, y);
    return rest != (V)0 && (rest < (V)0) != (y < (V)0) ? rest + y : rest;
}
DEVICE_FN V FLOOR_DIVIDE(const V x, const V y) {
    const V ratio = x / y;
    if (y == (V)0) {
        return ratio;
    }
    const V rest = FMOD(x, y);
    V quotient = (x - rest) / y;
    if (rest != (V)0 && (rest < (V)0) != (y < (V)0)) {
        quotient -= (V)1;
    }
    if (quotient == (V)0) {
        return COPYSIGN((V)0, ratio);
    }
    const V whole = FLOOR(quotient);
    return quotient - whole > (V)0.5 ? whole + (V)1 : whole;
}
#else
#define MAX(x, y) ((x) > (y) ? (x) : (y))
#define MIN(x, y) ((x) < (y) ? (x) : (y))
#if V_BOOL
#define ABS(x) (x)
#else
#define ABS(x) ((x) < 0 ? (V)-(x) : (x))
#endif
// Division by 0 is refused before a kernel runs; here it must only not stop the device. The lowest number divided by -1
// wraps.
DEVICE_FN V FLOOR_DIVIDE(const V x, const V y) {
    if (y == 0) {
        return 0;
    }
    if (y == (V)-1) {
        return (V)(0 - x);
    }
    const V quotient = x / y;
    return x % y != 0 && (x < 0) != (y < 0) ? (V)(quotient - 1) : quotient;
}
DEVICE_FN V FMOD(const V x, const V y) {
    return y == 0 || y == (V)-1 ? (V)0 : (V)(x % y);
}
DEVICE_FN V REMAINDER(const V x, const V y) {
    const V rest = FMOD(x, y);
    return rest != 0 && (rest < 0) != (y < 0) ? (V)(rest + y) : rest;
}
DEVICE_FN V POW(V x, V y) {
    if (y < 0) {
        return x == 1 ? (V)1 : x == (V)-1 ? (y % 2 == 0 ? (V)1 : (V)-1) : (V)0;
    }
    V result = 1;
    while (y != 0) {
        if (y % 2 != 0) {
            result = (V)(result * x);
        }
        x = (V)(x * x);
        y /= 2;
    }
    return result;
}
DEVICE_FN V GCD(V x, V y) {
    x = ABS(x);
    y = ABS(y);
    while (y != 0) {
        const V rest = FMOD(x, y);
        x = y;
        y = rest;
    }
    return ABS(x);
}
DEVICE_FN V LCM(const V x, const V y) {
    const V divisor = GCD(x, y);
    if (divisor == 0) {
        return 0;
    }
    const V product = (V)(x / divisor * y);
    return ABS(product);
}
DEVICE_FN V SHIFT_LEFT(const V x, const V y) {
    return y < 0 || y >= (V)(8 * sizeof(V)) ? (V)0 : (V)((u64)x << (u64)y);
}
DEVICE_FN V SHIFT_RIGHT(const V x, const V y) {
    const V most = (V)(8 * sizeof(V) - 1);
    return y < 0 || y > most ? (V)(x < 0 ? -1 : 0) : (V)(x >> y);
}
#endif
#if SPECIAL
#include "special.c"
#endif

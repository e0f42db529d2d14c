// The algebra's functions that every dialect's library has under C's name, for each of its floats.
#define FMA(x, y, z) fma(x, y, z)
#define FABS(x) fabs(x)
#define FLOOR(x) floor(x)
#define CEIL(x) ceil(x)
#define RINT(x) rint(x)
#define TRUNC(x) trunc(x)
#define SQRT(x) sqrt(x)
#define COPYSIGN(x, y) copysign(x, y)
#define SIGNBIT(x) (signbit(x) != 0)
#define EXP(x) exp(x)
#define EXP2(x) exp2(x)
#define LOG(x) log(x)
#define LOG2(x) log2(x)
#define LOG10(x) log10(x)
#define SIN(x) sin(x)
#define COS(x) cos(x)
#define TAN(x) tan(x)
#define ASIN(x) asin(x)
#define ACOS(x) acos(x)
#define ATAN(x) atan(x)
#define ATAN2(y, x) atan2(y, x)
#define SINH(x) sinh(x)
#define COSH(x) cosh(x)
#define TANH(x) tanh(x)
#define ASINH(x) asinh(x)
#define ACOSH(x) acosh(x)
#define ATANH(x) atanh(x)
#define FLOAT_POW(x, y) pow(x, y)
#define FLOAT_FMOD(x, y) fmod(x, y)
#if HAS_F64
// The float next to a double, and where that is not one the odd one of its two neighbours: rounded again to fewer digits, it
// gives what rounding once would.
DEVICE_FN float ODD_FLOAT(const double x) {
    const float near = (float)x;
    const u32 bits = AS_U32(near);
    if ((double)near == x || near != near || (bits & 1u) != 0) {
        return near;
    }
    if ((bits & 0x7fffffffu) == 0x7f800000u) {
        return near;
    }
    // Away from 0 or towards it, which is never below 0: where nearest is 0, x lies beyond.
    return AS_FLOAT(FABS((double)near) < FABS(x) ? bits + 1u : bits - 1u);
}
#endif

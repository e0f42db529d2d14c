// Functions that Metal's library lacks. Polynomials are interpolations at Chebyshev's points, within 2e-9 of the function.
#define EXPM1(x) float_expm1(x)
#define LOG1P(x) float_log1p(x)
#define ERF(x) float_erf(x)
#define ERFC(x) float_erfc(x)
#define LGAMMA(x) float_lgamma(x)
#define HYPOT(x, y) float_hypot(x, y)
#define NEXTAFTER(x, y) float_nextafter(x, y)
// exp(x) = 2**k * exp(r) with |r| <= log(2) / 2, and exp(r) - 1 by its series.
DEVICE_FN float float_expm1(const float x) {
    if (!(x < 88.8f)) {
        return x != x ? x : INFINITY;
    }
    if (x < -18.0f) {
        return -1.0f;
    }
    const float k = rint(x * 1.44269504f);
    const float r = fma(k, 1.90465421e-9f, fma(k, -0.693147182f, x));
    float s = fma(r, 1.98412698e-4f, 1.38888889e-3f);
    s = fma(s, r, 8.33333333e-3f);
    s = fma(s, r, 4.16666667e-2f);
    s = fma(s, r, 1.66666667e-1f);
    s = fma(s, r, 0.5f);
    s = fma(s, r * r, r);
    if (k == 0.0f) {
        return x == 0.0f ? x : s;
    }
    // Half of it, as 2**128 is too large.
    const float half_scale = ldexp(1.0f, (int)k - 1);
    return 2.0f * fma(half_scale, s, half_scale - 0.5f);
}
// 1 + x = 2**k * (1 + f) with 1 + f between sqrt(1/2) and sqrt(2); log(1 + f) = 2 atanh(f / (2 + f)).
DEVICE_FN float float_log1p(const float x) {
    if (!(x > -1.0f && x < INFINITY)) {
        return x == -1.0f ? -INFINITY : x > 0.0f ? x : NAN;
    }
    const float u = 1.0f + x;
    const int k = ((int)as_type<u32>(u) - 0x3f3504f3) >> 23;
    // Small k: from x, which u has rounded. Large k: from u's digits.
    const float scale = as_type<float>((u32)(k < 24 ? 127 - k : 127) << 23);
    const float f = k < 24 ? fma(x, scale, scale - 1.0f) : as_type<float>(as_type<u32>(u) - ((u32)k << 23)) - 1.0f;
    const float s = f / (2.0f + f);
    const float z = s * s;
    float series = fma(z, 2.0f / 9.0f, 2.0f / 7.0f);
    series = fma(z, series, 2.0f / 5.0f);
    series = z * fma(z, series, 2.0f / 3.0f);
    const float half_square = 0.5f * f * f;
    const float log_f = f - (half_square - s * (half_square + series));
    const float sum = fma((float)k, 0.693147182f, fma((float)k, -1.90465421e-9f, log_f));
    return x == 0.0f ? x : sum;
}
// exp(-x * x) * polynomial((x - 3) / (x + 3)) / (1 + 2 x) for x >= 0.5.
DEVICE_FN float float_erfc_tail(const float x) {
    if (x > 10.1f) {
        return 0.0f;
    }
    const float t = (x - 3.0f) / (x + 3.0f);
    float s = fma(t, -0.000533309823f, 0.00183227041f);
    s = fma(s, t, 0.00239446713f);
    s = fma(s, t, -0.0237612054f);
    s = fma(s, t, 0.0683371499f);
    s = fma(s, t, -0.119274177f);
    s = fma(s, t, 0.129642695f);
    s = fma(s, t, -0.0475622825f);
    s = fma(s, t, -0.135621056f);
    s = fma(s, t, 1.25300801f);
    const float square = x * x;
    const float rest = fma(x, x, -square);
    const float e = exp(-square);
    return fma(e, -rest, e) * (s / fma(2.0f, x, 1.0f));
}
// x + x * polynomial(x * x) for |x| <= 1.
DEVICE_FN float float_erf_near(const float x) {
    const float z = x * x;
    float s = fma(z, 7.88249745e-05f, -0.00080188555f);
    s = fma(s, z, 0.00518931216f);
    s = fma(s, z, -0.0268543288f);
    s = fma(s, z, 0.112835974f);
    s = fma(s, z, -0.37612626f);
    s = fma(s, z, 0.128379166f);
    return fma(s, x, x);
}
DEVICE_FN float float_erf(const float x) {
    const float a = fabs(x);
    return a != a ? x : a <= 1.0f ? float_erf_near(x) : copysign(1.0f - float_erfc_tail(a), x);
}
DEVICE_FN float float_erfc(const float x) {
    const float a = fabs(x);
    if (a != a) {
        return x;
    }
    return a < 0.5f ? 1.0f - float_erf_near(x) : x > 0.0f ? float_erfc_tail(a) : 2.0f - float_erfc_tail(a);
}
// For x > 0: polynomials up to 8, then Stirling's series.
DEVICE_FN float float_lgamma_positive(const float x) {
    if (x < 3.0f) {
        const float t = x < 0.5f ? x : x < 1.5f ? x - 1.0f : x - 2.0f;
        float s = fma(t, -1.84486435e-05f, 9.07814319e-05f);
        s = fma(s, t, -0.000236029999f);
        s = fma(s, t, 0.000519765948f);
        s = fma(s, t, -0.00119166717f);
        s = fma(s, t, 0.00288813468f);
        s = fma(s, t, -0.00738541223f);
        s = fma(s, t, 0.0205810089f);
        s = fma(s, t, -0.0673523173f);
        s = fma(s, t, 0.322467029f);
        s = fma(s, t, 0.422784328f);
        // log(gamma(2 + t)), of which gamma(1 + t) and gamma(t) are quotients.
        s *= t;
        if (x < 1.5f) {
            s -= float_log1p(t);
        }
        return x < 0.5f ? s - log(x) : s;
    }
    if (x < 8.0f) {
        const float t = x - 5.0f;
        float s = fma(t, 2.41670850e-10f, -2.86017299e-09f);
        s = fma(s, t, 1.55691353e-08f);
        s = fma(s, t, -7.14334547e-08f);
        s = fma(s, t, 4.12115980e-07f);
        s = fma(s, t, -2.63315123e-06f);
        s = fma(s, t, 1.70684052e-05f);
        s = fma(s, t, -0.000117220632f);
        s = fma(s, t, 0.000892786251f);
        s = fma(s, t, -0.00813159626f);
        s = fma(s, t, 0.110661492f);
        s = fma(s, t, 1.50611770f);
        return fma(s, t, 3.17805386f);
    }
    const float inverse = 1.0f / x;
    const float rest = inverse * fma(inverse * inverse, -2.77777778e-3f, 8.33333333e-2f);
    return fma(x - 0.5f, log(x), 0.918938533f + rest) - x;
}
DEVICE_FN float float_lgamma(const float x) {
    const float a = fabs(x);
    if (!(a < INFINITY)) {
        return x != x ? x : INFINITY;
    }
    if (x > 0.0f) {
        // x * (log(x) - 1) - log(x) / 2 for the largest, which must not overflow on the way.
        return x > 1e8f ? x * (log(x) - 1.0f) : float_lgamma_positive(x);
    }
    const float fraction = a - floor(a);
    if (fraction == 0.0f) {
        return INFINITY;
    }
    if (a < 1e-5f) {
        return fma(a, 0.577215665f, -log(a));
    }
    // gamma(x) gamma(-x) = -pi / (x sin(pi x)).
    const float sine = sin(3.14159265f * (fraction < 0.5f ? fraction : 1.0f - fraction));
    return log(3.14159265f / sine) - log(a) - float_lgamma_positive(a);
}
DEVICE_FN float float_hypot(const float x, const float y) {
    const float a = fmax(fabs(x), fabs(y));
    const float b = fmin(fabs(x), fabs(y));
    if (!(fabs(x) < INFINITY && fabs(y) < INFINITY)) {
        return fabs(x) == INFINITY || fabs(y) == INFINITY ? INFINITY : NAN;
    }
    const float scale = a > 1e18f ? 5.42101086e-20f : a < 1e-18f ? 7.92281625e28f : 1.0f;
    return sqrt(fma(a * scale, a * scale, (b * scale) * (b * scale))) / scale;
}
DEVICE_FN float float_nextafter(const float x, const float y) {
    if (x != x || y != y) {
        return x + y;
    }
    if (x == y) {
        return y;
    }
    const u32 bits = as_type<u32>(x);
    if (x == 0.0f) {
        return as_type<float>((y < 0.0f ? 0x80000001u : 1u));
    }
    return as_type<float>((x < y) == (x > 0.0f) ? bits + 1u : bits - 1u);
}

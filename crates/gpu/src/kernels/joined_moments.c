// Mean and squared deviations from it of parts of a line, each gathered in one pass relative to one of the part's elements,
// and joined as Chan, Golub and LeVeque (1979) do. `m2` is the sum of the squares; with LENGTHS, where the squares would
// leave the numbers' range, it is the root of their mean, and roots are combined as lengths.
// An infinite element makes the mean infinite, or NaN where there are both; m2 is NaN then.
#if LENGTHS
#include "length.c"
#define VARIANCE(n, m2, divisor) (DEVIATION(n, m2, divisor) * DEVIATION(n, m2, divisor))
#define DEVIATION(n, m2, divisor) ((m2) * SQRT((n) / (divisor)))
#define RSTD(n, m2, eps) ((A)1 / LENGTH(m2, SQRT(eps)))
// Deviations are multiplied by a power of two: that of the first which is not 0, or of one that is much larger.
#define GATHER_BEGIN A count = (A)0, shift = (A)0, sum = (A)0, squares = (A)0, scale = (A)0;
#define LARGE_SCALED (A)1099511627776.0f
#define GATHER_DEVIATION { \
    const bool begins_ = scale == (A)0 && deviation_ != (A)0; \
    if (begins_ || FABS(deviation_) * scale > LARGE_SCALED) { \
        const u32 exponent_ = (AS_U32(deviation_) >> 23) & 0xffu; \
        const u32 kept_ = exponent_ < 1u ? 1u : exponent_ > 253u ? 253u : exponent_; \
        const A next_ = AS_FLOAT((254u - kept_) << 23); \
        const A ratio_ = begins_ ? (A)1 : next_ / scale; \
        sum *= ratio_; \
        squares *= ratio_ * ratio_; \
        scale = next_; \
    } \
    deviation_ *= scale; \
}
#define GATHERED_M2(m2) SQRT((m2) / count) / (scale == (A)0 ? (A)1 : scale)
#define GATHERED_MEAN(mean) (mean) / (scale == (A)0 ? (A)1 : scale)
// From elements of this size on differences overflow.
#define MAY_SHIFT(x) (FABS(x) < (A)8.5e37f)
#define JOINED_M2(m2_a, m2_b, share_a, share_b, mean_a, mean_b) LENGTH( \
    LENGTH(m2_a * SQRT(share_a), m2_b * SQRT(share_b)), \
    FABS(mean_b * (A)0.5f - mean_a * (A)0.5f) * ((A)2 * SQRT(share_a * share_b)))
#else
#define VARIANCE(n, m2, divisor) ((m2) / (divisor))
#define DEVIATION(n, m2, divisor) SQRT((m2) / (divisor))
#define RSTD(n, m2, eps) ((A)1 / SQRT((m2) / (n) + (eps)))
#define GATHER_BEGIN A count = (A)0, shift = (A)0, sum = (A)0, squares = (A)0;
#define GATHER_DEVIATION
#define GATHERED_M2(m2) (m2)
#define GATHERED_MEAN(mean) (mean)
#define MAY_SHIFT(x) ((x) - (x) == (A)0)
#define JOINED_M2(m2_a, m2_b, share_a, share_b, mean_a, mean_b) \
    m2_a + m2_b + (mean_b - mean_a) * (mean_b - mean_a) * n_a_ * share_b
#endif
#define GATHER(x) { \
    const A x_ = (A)(x); \
    if (count == (A)0 && MAY_SHIFT(x_)) { shift = x_; } \
    A deviation_ = x_ - shift; \
    GATHER_DEVIATION \
    sum += deviation_; \
    squares += deviation_ * deviation_; \
    count += (A)1; \
}
// What is gathered, in shared memory. Rounding does not make squares negative.
#define GATHER_END { \
    const A mean_ = sum / count; \
    const A rest_ = squares - sum * mean_; \
    counts[LID(0)] = count; \
    m2s[LID(0)] = count == (A)0 || rest_ < (A)0 ? (A)0 : GATHERED_M2(rest_); \
    means[LID(0)] = count == (A)0 ? (A)0 : shift + GATHERED_MEAN(mean_); \
}
#define JOIN_MOMENTS(n_a, mean_a, m2_a, n_b, mean_b, m2_b) { \
    const A n_a_ = n_a, n_ = n_a_ + n_b; \
    if (n_b > (A)0) { \
        if (n_a_ == (A)0) { \
            m2_a = m2_b; \
            mean_a = mean_b; \
        } else { \
            const A share_a_ = n_a_ / n_, share_b_ = n_b / n_; \
            const A difference_ = mean_b - mean_a; \
            m2_a = JOINED_M2(m2_a, m2_b, share_a_, share_b_, mean_a, mean_b); \
            mean_a = difference_ - difference_ == (A)0 \
                ? mean_a + difference_ * share_b_ : mean_a * share_a_ + mean_b * share_b_; \
        } \
        n_a = n_; \
    } \
}
#define JOIN(to, from) JOIN_MOMENTS(counts[to], means[to], m2s[to], counts[from], means[from], m2s[from])

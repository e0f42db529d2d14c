// Mean and sum of squared deviations from it (m2) of parts of a line, each gathered in one pass relative to the part's
// first element, and joined as Chan, Golub and LeVeque (1979) do.
#define GATHER_BEGIN A count = (A)0, shift = (A)0, sum = (A)0, squares = (A)0;
#define GATHER(x) { \
    const A x_ = (A)(x); \
    if (count == (A)0) { shift = x_; } \
    const A deviation_ = x_ - shift; \
    sum += deviation_; \
    squares += deviation_ * deviation_; \
    count += (A)1; \
}
// What is gathered, in shared memory. Rounding does not make m2 negative; an infinite element makes both NaN.
#define GATHER_END { \
    const A mean_ = sum / count; \
    const A m2_ = squares - sum * mean_; \
    counts[LID(0)] = count; \
    m2s[LID(0)] = count == (A)0 || m2_ < (A)0 ? (A)0 : m2_; \
    means[LID(0)] = count == (A)0 ? (A)0 : m2_ != m2_ ? m2_ : shift + mean_; \
}
#define JOIN_MOMENTS(n_a, mean_a, m2_a, n_b, mean_b, m2_b) { \
    const A n_ = n_a + n_b; \
    if (n_b > (A)0) { \
        const A difference_ = mean_b - mean_a; \
        const A share_ = n_b / n_; \
        mean_a = n_a == (A)0 ? mean_b : mean_a + difference_ * share_; \
        m2_a += m2_b; \
        if (n_a > (A)0) { m2_a += difference_ * difference_ * n_a * share_; } \
        n_a = n_; \
    } \
}
#define JOIN(to, from) JOIN_MOMENTS(counts[to], means[to], m2s[to], counts[from], means[from], m2s[from])

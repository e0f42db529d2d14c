// `sqrt(a² + b²)` of sizes, without the squares of what may be large or small; infinite where one is, NaN where one is.
DEVICE_FN A LENGTH(const A a, const A b) {
    const A large = a > b || a != a ? a : b;
    const A small = a > b ? b : a;
    if (large == (A)0 || large == (A)INFINITY) {
        return large;
    }
    return large * SQRT((A)1 + (small / large) * (small / large));
}

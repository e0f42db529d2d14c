// y = alpha * (the sum of the chunks' parts) + beta * y + bias; the parts lie one behind the other, each row-major.
KERNEL {
    const INDEX i = (INDEX)GID(0);
    if (i < (INDEX)p.n) {
        ACC sum = (ACC)0;
        for (i64 chunk = 0; chunk < p.chunks; chunk++) {
            sum += (ACC)LOAD_parts(chunk * p.n + (i64)i);
        }
        POSITIONS(i)
        ACC value = (ACC)p.alpha * sum;
        if (p.beta != 0) {
            value += (ACC)p.beta * (ACC)LOAD_y(at_y);
        }
        STORE_y(at_y, p.has_bias ? value + (ACC)LOAD_bias(at_bias) : value);
    }
}

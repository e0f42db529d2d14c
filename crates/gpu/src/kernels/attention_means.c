// Each query's mean slope: the inner product of its result and of the gradient by it. 32 work-items take a query.
KERNEL {
    const int lane = LID(0) % 32;
    const i64 query = (i64)GROUP_ID(0) * (GROUP / 32) + LID(0) / 32;
    ACC sum = (ACC)0;
    if (query < p.heads * p.queries) {
        HEADS(query / p.queries)
        const i64 row = query % p.queries;
        for (i64 d = lane; d < p.values; d += 32) {
            sum = MULTIPLY_ADD((ACC)LOAD_out(at_out + row * p.out_row + d * p.out_column),
                (ACC)LOAD_grad(at_grad + row * p.grad_row + d * p.grad_column), sum);
        }
    }
    partial[LID(0)] = sum;
    BARRIER();
    for (int span = 16; span > 0; span /= 2) {
        if (lane < span) {
            partial[LID(0)] += partial[LID(0) + span];
        }
        BARRIER();
    }
    if (lane == 0 && query < p.heads * p.queries) {
        STORE_mean(query, partial[LID(0)]);
    }
}

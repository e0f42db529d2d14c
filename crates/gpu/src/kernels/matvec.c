// c = alpha * a @ b + beta * c + bias for a matrix a and a vector b, batched. A group works on LX rows of a, LY = GROUP / LX
// work-items on each; groups are counted by rows fastest, then chunks of the inner dimension, then batches.
KERNEL {
    const u32 row_groups = (u32)p.row_tiles;
    const u32 chunk = GROUP_ID(0) / row_groups % (u32)p.chunks;
    const u32 batch = GROUP_ID(0) / row_groups / (u32)p.chunks;
    BATCH(batch)
    const int lane = ALONG_ROW ? LID(0) % LY : LID(0) / LX;
    const int place = ALONG_ROW ? LID(0) / LY : LID(0) % LX;
    const i64 row = (i64)(GROUP_ID(0) % row_groups) * LX + place;
    const i64 begin = (i64)chunk * p.chunk;
    const i64 end = begin + p.chunk < p.inner ? begin + p.chunk : p.inner;
    ACC sum = (ACC)0;
    if (row < p.rows) {
        const i64 first = at_a + row * p.a_row;
        for (i64 k = begin + lane; k < end; k += LY) {
            sum = MULTIPLY_ADD((ACC)LOAD_a(first + k * p.a_column), (ACC)LOAD_b(at_b + k * p.b_row), sum);
        }
    }
    partial[lane * LX + place] = sum;
    BARRIER();
    for (int span = LY / 2; span > 0; span /= 2) {
        if (lane < span) {
            partial[lane * LX + place] += partial[(lane + span) * LX + place];
        }
        BARRIER();
    }
    if (lane == 0 && row < p.rows) {
        const i64 at = at_c + (i64)chunk * p.chunk_stride + row * p.c_row;
        ACC value = (ACC)p.alpha * partial[place];
        if (p.beta != 0) {
            value += (ACC)p.beta * (ACC)LOAD_c(at);
        }
        STORE_c(at, value + BIAS(row));
    }
}

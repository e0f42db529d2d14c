// A tile of a matrix product, by the whole group: TM rows by TN columns of it, RM x RN for each work-item, TK of the
// inner dimension at a time through shared memory. A part of other texts, in the body of a kernel that has
//   begin, end     the part of the inner dimension to sum over,
//   row0, column0  where the tile begins, of `rows` by `columns`,
//   A_VALUE(m, k, row, inner), B_VALUE(k, n, inner, column): elements, by place in the tile and in the matrix,
//   A_ALONG_K, B_ALONG_K: whether neighbours in memory are neighbours in the inner dimension,
//   STEP(first): what is done before a step's elements are loaded, ending with a BARRIER if it writes shared memory,
//   shared arrays tile_a of TK * (TM + 1) and tile_b of at least TK * (TN + 1),
// and leaves the sums in acc: row ty + i * TY and column tx + j * TX of the tile.
    for (AT first = begin; first < end; first += TK) {
        STEP(first)
        UNROLL
        for (int load = 0; load < TM * TK / GROUP; load++) {
            const int l = LID(0) + load * GROUP;
            const int m = A_ALONG_K ? l / TK : l % TM;
            const int k = A_ALONG_K ? l % TK : l / TM;
            const AT row = row0 + m;
            const AT inner = first + k;
            tile_a[k * (TM + 1) + m] = row < rows && inner < end ? A_VALUE(m, k, row, inner) : (ACC)0;
        }
        UNROLL
        for (int load = 0; load < TN * TK / GROUP; load++) {
            const int l = LID(0) + load * GROUP;
            const int n = B_ALONG_K ? l / TK : l % TN;
            const int k = B_ALONG_K ? l % TK : l / TN;
            const AT column = column0 + n;
            const AT inner = first + k;
            tile_b[k * (TN + 1) + n] = column < columns && inner < end ? B_VALUE(k, n, inner, column) : (ACC)0;
        }
        BARRIER();
        for (int k = 0; k < TK; k++) {
            ACC a[RM], b[RN];
            UNROLL
            for (int i = 0; i < RM; i++) {
                a[i] = tile_a[k * (TM + 1) + ty + i * TY];
            }
            UNROLL
            for (int j = 0; j < RN; j++) {
                b[j] = tile_b[k * (TN + 1) + tx + j * TX];
            }
            UNROLL
            for (int i = 0; i < RM; i++) {
                UNROLL
                for (int j = 0; j < RN; j++) {
                    acc[i][j] = MULTIPLY_ADD(a[i], b[j], acc[i][j]);
                }
            }
        }
        BARRIER();
    }

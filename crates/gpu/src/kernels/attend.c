// TOTAL += weights @ terms, by the whole group, for shared weights of TM by TN that stand for the columns from column0 on. A
// part of other texts: TERM(inner, column) is an element, of which there are `columns` by TERM_COLUMNS up to W.
        for (int first = 0; first < TN; first += TK) {
            UNROLL
            for (int load = 0; load < W * TK / GROUP; load++) {
                const int l = LID(0) + load * GROUP;
                const int n = l % W;
                const int k = l / W;
                const AT inner = column0 + first + k;
                tile_b[k * (W + 1) + n] = n < TERM_COLUMNS && inner < columns ? TERM(inner, (AT)n) : (ACC)0;
            }
            BARRIER();
            for (int k = 0; k < TK; k++) {
                ACC b[W / TX];
                UNROLL
                for (int j = 0; j < W / TX; j++) {
                    b[j] = tile_b[k * (W + 1) + tx + j * TX];
                }
                UNROLL
                for (int i = 0; i < RM; i++) {
                    const ACC weight = weights[(ty + i * TY) * (TN + 1) + first + k];
                    UNROLL
                    for (int j = 0; j < W / TX; j++) {
                        TOTAL[i][j] = MULTIPLY_ADD(weight, b[j], TOTAL[i][j]);
                    }
                }
            }
            BARRIER();
        }

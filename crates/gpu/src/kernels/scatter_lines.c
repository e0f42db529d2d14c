// A work-item per line of the output: it combines what comes into the line, in order. The index was checked; one that was
// written since and is outside leads to the first.
#include "combine.c"

KERNEL {
    const INDEX line = (INDEX)GID(0);
    if (line < (INDEX)p.lines) {
        LINES(line)
        for (INDEX k = 0; k < (INDEX)p.length; ++k) {
            ELEMENTS(k)
            const i64 named = (i64)LOAD_index(at_index + at_index_step);
            const i64 place = at_to + ((u64)named < (u64)p.places ? named : 0) * p.along;
            const V was = LOAD_to(place);
            const V comes = LOAD_source(at_source + at_source_step);
            STORE_to(place, COMBINE(was, comes));
        }
    }
}

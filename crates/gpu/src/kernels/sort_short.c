// Sorts short lines in shared memory, several in a group, by a bitonic network. The place in the line is the lower part
// of the key: no two entries are equal, so the sort is stable.
#include "key.c"

KERNEL {
    const i64 first = (i64)GROUP_ID(0) * p.lines_per_group;
    const i32 width = p.width;
    const i32 used = p.lines_per_group * width;
    for (i32 slot = LID(0); slot < used; slot += LANES) {
        const i64 line = first + slot / width;
        const i32 k = slot % width;
        keys[slot] = (K)0 - 1;
        places[slot] = 0xffffffffu;
        if (line < p.lines && k < p.length) {
            LINES(line)
            keys[slot] = KEY_OF(LOAD_from(at_from + k * p.from_step));
            places[slot] = (u32)k;
        }
    }
    BARRIER();
    for (i32 size = 2; size <= width; size *= 2) {
        for (i32 gap = size / 2; gap > 0; gap /= 2) {
            for (i32 pair = LID(0); pair < used / 2; pair += LANES) {
                const i32 low = pair / gap * gap * 2 + pair % gap;
                const i32 high = low + gap;
                const bool down = (low & (width - 1) & size) != 0;
                const K a = keys[low], b = keys[high];
                const u32 i = places[low], j = places[high];
                if ((a > b || (a == b && i > j)) != down) {
                    keys[low] = b;
                    keys[high] = a;
                    places[low] = j;
                    places[high] = i;
                }
            }
            BARRIER();
        }
    }
    for (i32 slot = LID(0); slot < used; slot += LANES) {
        const i64 line = first + slot / width;
        const i32 k = slot % width;
        if (line < p.lines && k < p.kept) {
            LINES(line)
            const u32 place = places[slot];
            STORE_indices(at_indices + k * p.indices_step, place);
#if VALUES
            STORE_values(at_values + k * p.values_step, LOAD_from(at_from + place * p.from_step));
#endif
        }
    }
}

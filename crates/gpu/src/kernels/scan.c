// Combines each element of a line with those before it. A line, or a chunk of one, is scanned tile by tile: neighbouring
// work-items bring neighbouring elements to shared memory, each scans ITEMS of them that follow one another, and what these
// come to is scanned in as many steps as their number has bits. TOTALS_ONLY: only what each chunk comes to is stored;
// then WITH_TOTALS takes those of the chunks before.
#include "algebra.c"
#include "lines.c"

#define ADD(a, b) ((a) + (b))
#define MULTIPLY(a, b) ((a) * (b))
#define LARGER(a, b) ((b) >= (a) || (b) != (b) ? (b) : (a))
#define SMALLER(a, b) ((b) <= (a) || (b) != (b) ? (b) : (a))
#if LOGARITHMS
DEVICE_FN A log_add_exp(const A a, const A b) {
    if (a == b && FABS(a) == (A)INFINITY) {
        return a;
    }
    const A low = a < b ? a : b;
    const A high = a < b ? b : a;
    return high + LOG1P(EXP(low - high));
}
#endif

// FOLD(a, at_a, b, at_b): `a` and its place, followed by `b`. The last occurrence of an extreme counts.
#if PLACES
#define FOLD(a, at_a, b, at_b) \
    if ((b) REACHES (a) || (b) != (b)) { \
        a = (b); \
        at_a = (at_b); \
    }
#define WITH_PLACES(statement) statement
#else
#define FOLD(a, at_a, b, at_b) a = COMBINE(a, b);
#define WITH_PLACES(statement)
#endif

KERNEL {
    PLACE
    LINES(inside ? line : 0)
    // A tile's elements in shared memory: one behind the other, or those of neighbouring lines side by side.
    const int tile_step = lane_step == 1 ? lanes * ITEMS : 1;
    const int tile = column * tile_step;
    A carry = IDENTITY;
    WITH_PLACES(i64 carry_place = 0;)
#if WITH_TOTALS
    for (i64 chunk = 0; chunk < (i64)GROUP_ID(1); chunk++) {
        const i64 at = chunk * p.lines + (inside ? line : 0);
        FOLD(carry, carry_place, LOAD_total(at), LOAD_total_place(at))
    }
#endif
    for (i64 start = begin; start < end; start += (i64)lanes * ITEMS) {
        for (int j = 0; j < ITEMS; j++) {
            const i64 k = start + lane + j * lanes;
            const int slot = tile + (lane + j * lanes) * lane_step;
            A element = IDENTITY;
            if (inside && k < end) {
                ELEMENTS(k)
                element = (A)LOAD_x(at_x_line + at_x);
            }
            elements[slot] = element;
            WITH_PLACES(places[slot] = k;)
        }
        BARRIER();
        const int mine = tile + lane * ITEMS * lane_step;
        A sum = elements[mine];
        WITH_PLACES(i64 place = places[mine];)
        for (int j = 1; j < ITEMS; j++) {
            const int slot = mine + j * lane_step;
            FOLD(sum, place, elements[slot], places[slot])
            elements[slot] = sum;
            WITH_PLACES(places[slot] = place;)
        }
        totals[LID(0)] = sum;
        WITH_PLACES(total_places[LID(0)] = place;)
        BARRIER();
        for (int apart = 1; apart < lanes; apart *= 2) {
            const int before = LID(0) - (lane >= apart ? apart * lane_step : 0);
            sum = totals[before];
            WITH_PLACES(place = total_places[before];)
            BARRIER();
            if (lane >= apart) {
                FOLD(sum, place, totals[LID(0)], total_places[LID(0)])
                totals[LID(0)] = sum;
                WITH_PLACES(total_places[LID(0)] = place;)
            }
            BARRIER();
        }
#if !TOTALS_ONLY
        A before = carry;
        WITH_PLACES(i64 before_place = carry_place;)
        if (lane > 0) {
            FOLD(before, before_place, totals[LID(0) - lane_step], total_places[LID(0) - lane_step])
        }
        for (int j = 0; j < ITEMS; j++) {
            const int slot = mine + j * lane_step;
            sum = before;
            WITH_PLACES(place = before_place;)
            FOLD(sum, place, elements[slot], places[slot])
            elements[slot] = sum;
            WITH_PLACES(places[slot] = place;)
        }
        BARRIER();
        for (int j = 0; j < ITEMS; j++) {
            const i64 k = start + lane + j * lanes;
            const int slot = tile + (lane + j * lanes) * lane_step;
            if (inside && k < end) {
                ELEMENTS(k)
                STORE_y(at_y_line + at_y, elements[slot]);
                WITH_PLACES(STORE_index(at_index_line + at_index, places[slot]);)
            }
        }
#endif
        const int last = first + (lanes - 1) * lane_step;
        FOLD(carry, carry_place, totals[last], total_places[last])
        BARRIER();
    }
#if TOTALS_ONLY
    if (lane == 0 && inside) {
        const i64 at = (i64)GROUP_ID(1) * p.lines + line;
        STORE_total(at, carry);
        WITH_PLACES(STORE_total_place(at, carry_place);)
    }
#endif
}

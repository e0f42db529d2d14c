#include "unroll.c"
// A group works on several lines at once, with `lanes` work-items for each: all of a line's are `lane_step` apart, so that
// neighbouring work-items read neighbouring memory, be that of one line or of neighbouring lines.
#define PLACE \
    const int lanes = (int)p.lanes, lane_step = (int)p.lane_step; \
    const int lane = LID(0) / lane_step % lanes; \
    const int column = LID(0) / (int)p.column_step % (int)p.together; \
    const int first = LID(0) - lane * lane_step; \
    const i64 line = (i64)GROUP_ID(0) * p.together + column; \
    const bool inside = line < p.lines; \
    const i64 begin = (i64)GROUP_ID(1) * p.chunk; \
    const i64 end = begin + p.chunk < p.length ? begin + p.chunk : p.length;

// JOIN(to, from) joins what two work-items of a line have in shared memory; in the end `first` has all of the line.
#define TREE(JOIN) \
    BARRIER(); \
    for (int apart = lanes / 2; apart > 0; apart /= 2) { \
        if (lane < apart) { \
            JOIN(LID(0), LID(0) + apart * lane_step) \
        } \
        BARRIER(); \
    }

// Runs through a work-item's elements of its line, the `j`-th of which is the line's `k`-th: all HELD of them, or if that
// is 0 as many as there are.
#if HELD
#define EACH_ELEMENT \
    UNROLL \
    for (int j = 0; j < HELD; j++) { \
        const i64 k = (i64)lane + (i64)j * lanes; \
        if (inside && k < p.length) { \
            ELEMENTS(k)
#define AFTER_EACH } }
#else
#define EACH_ELEMENT \
    for (i64 k = inside ? begin + lane : end; k < end; k += lanes) { \
        { \
            ELEMENTS(k)
#define AFTER_EACH } }
#endif

// One element of an elementwise program per work-item.
#include "algebra.c"

KERNEL {
    const INDEX i = (INDEX)GID(0);
    if (i < (INDEX)p.n) {
        POSITIONS(i)
        PROGRAM
    }
}

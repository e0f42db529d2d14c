// The keys of lines, one after the other.
#include "key.c"

KERNEL {
    const INDEX i = (INDEX)GID(0);
    if (i < (INDEX)p.n) {
        POSITIONS(i)
        STORE_keys(i, KEY_OF(LOAD_from(at_from)));
    }
}

// A library that multiplies matrices in the host's memory, from nothing but the descriptions that it is given: numbers of
// attributes and types are those of NVIDIA's headers, and what is unset, unknown or of another size is refused.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "halves.h"

typedef int code;
typedef struct { int type, batch; uint64_t rows, columns; int64_t leading, stride; } layout;
typedef struct { int compute, scale, a, b, epilogue; const void *bias; } description;
typedef struct { uint64_t workspace; uint32_t alignment[4]; } preference;
typedef struct { uint64_t data[8]; size_t workspace; code state; float waves; int reserved[4]; } heuristic;
enum { SUCCESS = 0, INVALID = 7, UNSUPPORTED = 15 };

static int products, plans, last_compute;
static const char handle_of;
int fake_products(void) { return products; }
int fake_plans(void) { return plans; }
int fake_compute(void) { return last_compute; }

code cublasLtCreate(const void **handle) { return *handle = &handle_of, SUCCESS; }
code cublasLtMatmulDescCreate(description **d, int compute, int scale) {
    *d = calloc(1, sizeof **d);
    (*d)->compute = compute, (*d)->scale = scale, (*d)->epilogue = 1;
    return SUCCESS;
}
code cublasLtMatmulDescDestroy(description *d) { return free(d), SUCCESS; }
code cublasLtMatmulDescSetAttribute(description *d, int what, const void *value, size_t bytes) {
    if (what == 8) return bytes == 8 ? memcpy(&d->bias, value, 8), SUCCESS : INVALID;
    int *place = what == 3 ? &d->a : what == 4 ? &d->b : what == 7 ? &d->epilogue : 0;
    return place && bytes == 4 ? memcpy(place, value, 4), SUCCESS : INVALID;
}
code cublasLtMatrixLayoutCreate(layout **l, int type, uint64_t rows, uint64_t columns, int64_t leading) {
    if (leading < (int64_t)rows || !rows || !columns) return INVALID;
    *l = calloc(1, sizeof **l);
    return **l = (layout){type, 1, rows, columns, leading, 0}, SUCCESS;
}
code cublasLtMatrixLayoutDestroy(layout *l) { return free(l), SUCCESS; }
code cublasLtMatrixLayoutSetAttribute(layout *l, int what, const void *value, size_t bytes) {
    if (what == 5 && bytes == 4) return memcpy(&l->batch, value, 4), SUCCESS;
    if (what == 6 && bytes == 8) return memcpy(&l->stride, value, 8), SUCCESS;
    return INVALID;
}
code cublasLtMatmulPreferenceCreate(preference **p) { return *p = calloc(1, sizeof **p), SUCCESS; }
code cublasLtMatmulPreferenceDestroy(preference *p) { return free(p), SUCCESS; }
code cublasLtMatmulPreferenceSetAttribute(preference *p, int what, const void *value, size_t bytes) {
    if (what == 1 && bytes == 8) return memcpy(&p->workspace, value, 8), SUCCESS;
    if (what >= 5 && what <= 8 && bytes == 4) return memcpy(&p->alignment[what - 5], value, 4), SUCCESS;
    return INVALID;
}

// Whether the sizes fit each other, and the types the sums.
static int fits(const description *d, const layout *a, const layout *b, const layout *c) {
    uint64_t rows = d->a ? a->columns : a->rows, inner = d->a ? a->rows : a->columns;
    uint64_t inner_b = d->b ? b->columns : b->rows, columns = d->b ? b->rows : b->columns;
    int real64 = a->type == 1, single = d->compute == 68 || (a->type == 0 && (d->compute == 75 || d->compute == 77));
    return rows == c->rows && columns == c->columns && inner == inner_b && a->type == b->type && a->type == c->type
        && a->batch == b->batch && a->batch == c->batch && (real64 ? d->compute == 70 && d->scale == 1 : single && d->scale == 0);
}

code cublasLtMatmulAlgoGetHeuristic(const void *handle, const description *d, const layout *a, const layout *b, const layout *c,
                                    const layout *result, const preference *p, int wanted, heuristic *found, int *count) {
    if (handle != &handle_of || c != result || wanted < 1 || !fits(d, a, b, c)) return INVALID;
    for (int i = 0; i < 4; i++) if (!p->alignment[i] || p->alignment[i] & (p->alignment[i] - 1)) return INVALID;
    // As a library may have no algorithm: here for odd addresses of halves with a bias.
    if (d->epilogue == 4 && a->type == 2 && p->alignment[0] < 4) return *count = 0, UNSUPPORTED;
    memset(found, 0, sizeof *found);
    // What is queued must have this plan and its alignment.
    found->data[0] = 0x5eed, memcpy(&found->data[1], p->alignment, sizeof p->alignment);
    found->workspace = p->workspace < 1024 ? 0 : 1024;
    return plans++, *count = 1, SUCCESS;
}

static int aligned(const void *p, uint32_t alignment) { return (uintptr_t)p % alignment == 0; }

code cublasLtMatmul(const void *handle, const description *d, const void *alpha, const void *a, const layout *la, const void *b,
                    const layout *lb, const void *beta, const void *c, const layout *lc, void *result, const layout *lresult,
                    const heuristic *algorithm, void *workspace, size_t bytes, void *stream) {
    uint32_t alignment[4];
    memcpy(alignment, &algorithm->data[1], sizeof alignment);
    if (handle != &handle_of || !fits(d, la, lb, lc) || lc != lresult || algorithm->data[0] != 0x5eed || stream != (void *)1) return INVALID;
    if (!aligned(a, alignment[0]) || !aligned(b, alignment[1]) || !aligned(c, alignment[2]) || !aligned(result, alignment[3])) return INVALID;
    if ((d->epilogue == 4) != (d->bias != 0) || (bytes && !workspace)) return INVALID;
    memset(workspace, 0xcc, bytes);
    double x = load(alpha, d->scale, 0), y = load(beta, d->scale, 0);
    uint64_t inner = d->a ? la->rows : la->columns;
    for (int n = 0; n < lc->batch; n++)
        for (uint64_t column = 0; column < lc->columns; column++)
            for (uint64_t row = 0; row < lc->rows; row++) {
                double sum = 0;
                for (uint64_t k = 0; k < inner; k++) {
                    int64_t at_a = n * la->stride + (d->a ? row * la->leading + k : k * la->leading + row);
                    int64_t at_b = n * lb->stride + (d->b ? k * lb->leading + column : column * lb->leading + k);
                    sum += load(a, la->type, at_a) * load(b, lb->type, at_b);
                }
                int64_t at = n * lc->stride + column * lc->leading + row;
                double value = x * sum + (y != 0 ? y * load(c, lc->type, at) : 0);
                store(result, lc->type, at, value + (d->epilogue == 4 ? load(d->bias, lc->type, row) : 0));
            }
    return last_compute = d->compute, products++, SUCCESS;
}

// A library that convolves in the host's memory, from nothing but the descriptors that it is given: numbers of types and
// modes are those of NVIDIA's headers, and what does not fit is refused.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "halves.h"

typedef int code;
typedef struct { int type, rank, size[5], stride[5]; } tensor;
typedef struct { int spatial, padding[3], stride[3], dilation[3], compute, groups, math; } convolution;
typedef struct { int algorithm; code status; float time; size_t memory; int deterministic, math, reserved[3]; } choice;
typedef struct { void *stream; } library;
enum { SUCCESS = 0, INVALID = 2000, UNSUPPORTED = 3000, BEST = 1, WORKSPACE = 4096 };

static library only;
static int calls[3], last_math, plans;
int fake_convolutions(int part) { return calls[part]; }
int fake_math(void) { return last_math; }
int fake_convolution_plans(void) { return plans; }

code cudnnCreate(library **handle) { return *handle = &only, SUCCESS; }
code cudnnSetStream(library *handle, void *stream) { return handle->stream = stream, SUCCESS; }
code cudnnCreateTensorDescriptor(tensor **t) { return *t = calloc(1, sizeof **t), SUCCESS; }
code cudnnDestroyTensorDescriptor(tensor *t) { return free(t), SUCCESS; }
code cudnnSetTensorNdDescriptor(tensor *t, int type, int rank, const int *size, const int *stride) {
    if (rank < 4 || rank > 5 || (type > 2 && type != 9)) return INVALID;
    t->type = type, t->rank = rank;
    for (int d = 0; d < rank; d++) if ((t->size[d] = size[d]) < 1 || (t->stride[d] = stride[d]) < 1) return INVALID;
    return SUCCESS;
}
code cudnnCreateFilterDescriptor(tensor **t) { return cudnnCreateTensorDescriptor(t); }
code cudnnDestroyFilterDescriptor(tensor *t) { return cudnnDestroyTensorDescriptor(t); }
code cudnnSetFilterNdDescriptor(tensor *t, int type, int format, int rank, const int *size) {
    int stride[5];
    if (format != 0 || rank < 4 || rank > 5) return INVALID;
    for (int d = rank - 1, step = 1; d >= 0; step *= size[d--]) stride[d] = step;
    return cudnnSetTensorNdDescriptor(t, type, rank, size, stride);
}
code cudnnCreateConvolutionDescriptor(convolution **c) { return *c = calloc(1, sizeof **c), (*c)->groups = 1, SUCCESS; }
code cudnnDestroyConvolutionDescriptor(convolution *c) { return free(c), SUCCESS; }
code cudnnSetConvolutionNdDescriptor(convolution *c, int spatial, const int *padding, const int *stride, const int *dilation, int mode,
                                     int compute) {
    if (spatial < 2 || spatial > 3 || mode != 1 || compute > 1) return INVALID;
    c->spatial = spatial, c->compute = compute;
    for (int d = 0; d < spatial; d++) c->padding[d] = padding[d], c->stride[d] = stride[d], c->dilation[d] = dilation[d];
    return SUCCESS;
}
code cudnnSetConvolutionGroupCount(convolution *c, int groups) { return c->groups = groups, groups > 0 ? SUCCESS : INVALID; }
code cudnnSetConvolutionMathType(convolution *c, int math) { return c->math = math, math >= 0 && math <= 3 ? SUCCESS : INVALID; }

// Whether sizes and types fit each other.
static int fits(const tensor *x, const tensor *w, const convolution *c, const tensor *y) {
    if (x->rank != y->rank || x->rank != w->rank || x->rank != c->spatial + 2 || x->type != w->type || x->type != y->type) return 0;
    if ((x->type == 1) != (c->compute == 1) || (x->type > 1 && c->math != 1)) return 0;
    if (x->size[0] != y->size[0] || x->size[1] != w->size[1] * c->groups || y->size[1] != w->size[0] || w->size[0] % c->groups) return 0;
    for (int d = 0; d < c->spatial; d++) {
        int reach = c->dilation[d] * (w->size[d + 2] - 1) + 1;
        if ((x->size[d + 2] + 2 * c->padding[d] - reach) / c->stride[d] + 1 != y->size[d + 2]) return 0;
    }
    return 1;
}

// The first choice is one whose sums differ from run to run, the second wants too much memory, the third is to be taken.
static code choose(int fit, const convolution *c, int wanted, int *found, choice *choices) {
    if (!fit) return INVALID;
    if (wanted < 3) return INVALID;
    memset(choices, 0, 3 * sizeof *choices);
    for (int i = 0; i < 3; i++) choices[i].math = c->math, choices[i].deterministic = i > 0;
    choices[0].algorithm = 0, choices[1].algorithm = 5, choices[2].algorithm = BEST;
    return plans++, *found = 3, SUCCESS;
}
code cudnnGetConvolutionForwardAlgorithm_v7(library *l, const tensor *x, const tensor *w, const convolution *c, const tensor *y, int n,
                                            int *found, choice *choices) {
    return l == &only ? choose(fits(x, w, c, y), c, n, found, choices) : INVALID;
}
code cudnnGetConvolutionBackwardDataAlgorithm_v7(library *l, const tensor *w, const tensor *y, const convolution *c, const tensor *x, int n,
                                                 int *found, choice *choices) {
    return l == &only ? choose(fits(x, w, c, y), c, n, found, choices) : INVALID;
}
code cudnnGetConvolutionBackwardFilterAlgorithm_v7(library *l, const tensor *x, const tensor *y, const convolution *c, const tensor *w,
                                                   int n, int *found, choice *choices) {
    return l == &only ? choose(fits(x, w, c, y), c, n, found, choices) : INVALID;
}
static code measure(int fit, int algorithm, size_t *bytes) {
    return *bytes = algorithm == 5 ? (size_t)1 << 40 : WORKSPACE, fit ? SUCCESS : INVALID;
}
code cudnnGetConvolutionForwardWorkspaceSize(library *l, const tensor *x, const tensor *w, const convolution *c, const tensor *y, int a,
                                             size_t *bytes) {
    return (void)l, measure(fits(x, w, c, y), a, bytes);
}
code cudnnGetConvolutionBackwardDataWorkspaceSize(library *l, const tensor *w, const tensor *y, const convolution *c, const tensor *x, int a,
                                                  size_t *bytes) {
    return (void)l, measure(fits(x, w, c, y), a, bytes);
}
code cudnnGetConvolutionBackwardFilterWorkspaceSize(library *l, const tensor *x, const tensor *y, const convolution *c, const tensor *w,
                                                    int a, size_t *bytes) {
    return (void)l, measure(fits(x, w, c, y), a, bytes);
}

static int64_t count(const tensor *t) {
    int64_t n = 1;
    for (int d = 0; d < t->rank; d++) n *= t->size[d];
    return n;
}

// Adds up, in double, every product of an input, a tap and an output to the one of the three that is the result.
static code convolve(int part, library *l, const void *alpha, const tensor *x, const void *px, const tensor *w, const void *pw,
                     const convolution *c, const tensor *y, const void *py, int algorithm, void *work, size_t bytes, const void *beta) {
    if (l != &only || l->stream != (void *)1 || !fits(x, w, c, y) || algorithm != BEST || bytes != WORKSPACE || !work) return INVALID;
    if (load(alpha, c->compute, 0) != 1 || load(beta, c->compute, 0) != 0) return UNSUPPORTED;
    memset(work, 0xcc, bytes);
    const tensor *result = part == 0 ? y : part == 1 ? x : w;
    void *place = (void *)(part == 0 ? py : part == 1 ? px : pw);
    double *sums = calloc(count(result), sizeof *sums);
    int rank = x->rank, filters = w->size[0] / c->groups;
    for (int64_t i = 0; i < count(y); i++) {
        int at_y[5];
        int64_t rest = i;
        for (int d = rank - 1; d >= 0; rest /= y->size[d--]) at_y[d] = rest % y->size[d];
        for (int64_t tap = 0; tap < count(w) / w->size[0]; tap++) {
            int at_w[5], inside = 1;
            int64_t ix, iw = (int64_t)at_y[1] * (count(w) / w->size[0]) + tap;
            rest = tap;
            for (int d = rank - 1; d >= 1; rest /= w->size[d--]) at_w[d] = rest % w->size[d];
            ix = (int64_t)at_y[0] * x->size[1] + at_y[1] / filters * w->size[1] + at_w[1];
            for (int d = 2; d < rank; d++) {
                int at = at_y[d] * c->stride[d - 2] - c->padding[d - 2] + at_w[d] * c->dilation[d - 2];
                inside &= at >= 0 && at < x->size[d];
                ix = ix * x->size[d] + at;
            }
            if (!inside) continue;
            if (part == 0) sums[i] += load(px, x->type, ix) * load(pw, w->type, iw);
            if (part == 1) sums[ix] += load(py, y->type, i) * load(pw, w->type, iw);
            if (part == 2) sums[iw] += load(py, y->type, i) * load(px, x->type, ix);
        }
    }
    for (int64_t i = 0; i < count(result); i++) store(place, result->type, i, sums[i]);
    free(sums);
    return last_math = c->math, calls[part]++, SUCCESS;
}
code cudnnConvolutionForward(library *l, const void *alpha, const tensor *x, const void *px, const tensor *w, const void *pw,
                             const convolution *c, int algorithm, void *work, size_t bytes, const void *beta, const tensor *y, void *py) {
    return convolve(0, l, alpha, x, px, w, pw, c, y, py, algorithm, work, bytes, beta);
}
code cudnnConvolutionBackwardData(library *l, const void *alpha, const tensor *w, const void *pw, const tensor *y, const void *py,
                                  const convolution *c, int algorithm, void *work, size_t bytes, const void *beta, const tensor *x, void *px) {
    return convolve(1, l, alpha, x, px, w, pw, c, y, py, algorithm, work, bytes, beta);
}
code cudnnConvolutionBackwardFilter(library *l, const void *alpha, const tensor *x, const void *px, const tensor *y, const void *py,
                                    const convolution *c, int algorithm, void *work, size_t bytes, const void *beta, const tensor *w, void *pw) {
    return convolve(2, l, alpha, x, px, w, pw, c, y, py, algorithm, work, bytes, beta);
}
code cudnnAddTensor(library *l, const void *alpha, const tensor *b, const void *pb, const void *beta, const tensor *y, void *py) {
    int scale = y->type == 1;
    if (l != &only || b->type != y->type || b->rank != y->rank || b->size[1] != y->size[1] || count(b) != b->size[1]) return INVALID;
    if (load(alpha, scale, 0) != 1 || load(beta, scale, 0) != 1) return UNSUPPORTED;
    int64_t plane = count(y) / y->size[0] / y->size[1];
    for (int64_t i = 0; i < count(y); i++) store(py, y->type, i, load(py, y->type, i) + load(pb, b->type, i / plane % y->size[1]));
    return SUCCESS;
}

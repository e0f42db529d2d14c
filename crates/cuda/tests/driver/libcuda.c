// A driver of CUDA whose one device is the host's memory: kernels do not run, and a call fails when it is told to.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int CUresult;
typedef void *handle;

static int contexts, depth, fails_after = -1, fails_with, launches;
static handle current;
static char context;
static unsigned last_grid[3], last_block[3];
static int64_t last_parameter;
static int streams, events, done, noted;
static char notes[1024];

static uint64_t outside;
static char *last_image;

// For the tests: the `after`-th call from now on that may fail does so with `code`; later ones too if it is a fault.
void fake_fail(int after, int code) { fails_after = after, fails_with = code; }
int fake_contexts(void) { return contexts; }
int fake_depth(void) { return depth; }
int fake_launches(void) { return launches; }
unsigned fake_grid(int d) { return last_grid[d]; }
unsigned fake_block(int d) { return last_block[d]; }
const char *fake_image(void) { return last_image; }
int64_t fake_parameter(void) { return last_parameter; }

// What streams were asked for, and whether events are done.
void fake_done(int all) { done = all; }
const char *fake_notes(void) {
    notes[noted] = 0, noted = 0;
    return notes;
}

static void note(const char *format, int number) {
    int room = sizeof notes - 1 - noted, length = snprintf(notes + noted, room, format, number);
    if (length < room) noted += length;
}

// Created here, the legacy one, or one that a test calls another library's.
static int is_stream(handle stream) {
    uintptr_t name = (uintptr_t)stream;
    return name == 1 || name == 2 || name == 7777 || (name >= 100 && name < (uintptr_t)(100 + streams));
}

static CUresult outcome(void) {
    if (current != &context) return 201;
    if (fails_after < 0 || fails_after-- > 0) return 0;
    // 701, too many resources for a launch, is no fault. 209, no program for this GPU, is the answer for every program.
    if (fails_with >= 700 && fails_with != 701 || fails_with == 209) fails_after = 0;
    return fails_with;
}

CUresult cuInit(unsigned flags) { return flags; }
CUresult cuDriverGetVersion(int *version) { return *version = 12040, 0; }
CUresult cuGetErrorName(CUresult code, const char **name) {
    *name = code == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS" : code == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : 0;
    return *name ? 0 : 1;
}
CUresult cuGetErrorString(CUresult code, const char **text) {
    *text = code == 700 ? "an illegal memory access was encountered" : "out of memory";
    return 0;
}
CUresult cuDeviceGetCount(int *count) { return *count = 1, 0; }
CUresult cuDeviceGet(int *device, int index) { return *device = 40 + index, 0; }
CUresult cuDeviceGetName(char *name, int length, int device) {
    (void)device;
    return strncpy(name, "Pretended GPU", length), 0;
}
CUresult cuDeviceTotalMem_v2(size_t *bytes, int device) { return (void)device, *bytes = (size_t)1 << 33, 0; }
CUresult cuDeviceGetAttribute(int *value, int what, int device) {
    switch (what) {
    case 1: *value = 1024; break;
    case 5: *value = INT32_MAX; break;
    case 6:
    case 7: *value = 65535; break;
    case 8: *value = 49152; break;
    case 16: *value = getenv("STAND_IN_MULTIPROCESSORS") ? atoi(getenv("STAND_IN_MULTIPROCESSORS")) : 108; break;
    case 75: *value = 8; break;
    case 76: *value = 0; break;
    default: return 1;
    }
    return device == 40 ? 0 : 101;
}
CUresult cuDevicePrimaryCtxRetain(handle *made, int device) { return (void)device, contexts++, *made = &context, 0; }
CUresult cuCtxGetCurrent(handle *now) { return *now = current, 0; }
CUresult cuCtxPushCurrent_v2(handle next) { return depth++, current = next, 0; }
CUresult cuCtxPopCurrent_v2(handle *last) { return depth--, *last = current, current = 0, 0; }
// What was allocated, so that it can be asked whose an address is.
enum { BLOCKS = 8192 };
static struct block { uint64_t start; size_t bytes; } blocks[BLOCKS];

static struct block *find(uint64_t address) {
    for (struct block *block = blocks; block < blocks + BLOCKS; block++)
        if (block->start && address - block->start < block->bytes) return block;
    return 0;
}

CUresult cuMemAlloc_v2(uint64_t *address, size_t bytes) {
    CUresult code = outcome();
    if (code) return code;
    *address = (uint64_t)aligned_alloc(256, (bytes + 255) / 256 * 256);
    memset((void *)*address, 0, bytes);
    for (struct block *block = blocks; block < blocks + BLOCKS; block++)
        if (!block->start) return *block = (struct block){*address, bytes}, 0;
    return 999;
}
CUresult cuMemFree_v2(uint64_t address) {
    struct block *block = find(address);
    if (!block || block->start != address) return 1;
    block->start = 0;
    return free((void *)address), current == &context ? 0 : 201;
}
CUresult cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t n, handle stream) {
    if (!is_stream(stream)) return 400;
    return memcpy((void *)to, from, n), outcome();
}
CUresult cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t n, handle stream) {
    if (!is_stream(stream)) return 400;
    // What kernels would have written is not there. For those who run whole programs it is zero, whatever lies there.
    if (getenv("STAND_IN_ZEROS") && from != outside) return memset(to, 0, n), outcome();
    outside = 0;
    return memcpy(to, (void *)from, n), outcome();
}
CUresult cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t n, handle stream) {
    if (!is_stream(stream)) return 400;
    return memcpy((void *)to, (void *)from, n), outcome();
}
CUresult cuPointerGetAttribute(void *value, int what, uint64_t address) {
    return what == 9 && find(address) ? *(int *)value = 0, 0 : 1;
}
CUresult cuMemGetAddressRange_v2(uint64_t *start, size_t *bytes, uint64_t address) {
    struct block *block = find(address);
    if (!block) return 1;
    return *start = block->start, *bytes = block->bytes, 0;
}
CUresult cuModuleLoadDataEx(handle *module, const void *image, unsigned n, int *options, void **values) {
    (void)n, (void)options, (void)values;
    free(last_image), last_image = strdup(image);
    return *module = (handle)image, memcmp(image, "\177ELF", 4) && memcmp(image, ".version", 8) ? 200 : outcome();
}
CUresult cuModuleUnload(handle module) { return (void)module, 0; }
CUresult cuModuleGetFunction(handle *function, handle module, const char *name) {
    (void)module;
    return *function = strdup(name), 0;
}
CUresult cuLaunchKernel(handle function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                        unsigned shared, handle stream, void **arguments, void **extra) {
    if (!function || shared || !is_stream(stream) || extra) return 400;
    last_grid[0] = gx, last_grid[1] = gy, last_grid[2] = gz;
    last_block[0] = bx, last_block[1] = by, last_block[2] = bz;
    // The kernel that the test starts has one buffer, then its parameters.
    last_parameter = *(int64_t *)arguments[1];
    if (!strcmp(function, "look_up")) {
        // Two kernels are read at once: this one for where an index was wrong (nowhere), the other for how far they lie.
        outside = *(uint64_t *)arguments[0];
        for (unsigned i = 0; i < 2 * gx; i++) ((int64_t *)outside)[i] = INT64_MAX;
    }
    if (!strcmp(function, "pool_spread")) memset(*(void **)arguments[1], 0, gx * 7 * sizeof(int64_t));
    return launches++, outcome();
}
CUresult cuMemHostAlloc(void **address, size_t bytes, unsigned flags) {
    return *address = malloc(bytes), flags == 1 ? outcome() : 1;
}
CUresult cuMemFreeHost(void *address) { return free(address), 0; }

// An event is the number of the stream that recorded it, and how many events were before it.
struct event { int stream, count; unsigned flags; };

CUresult cuStreamCreateWithPriority(handle *stream, unsigned flags, int priority) {
    if (flags != 1) return 1;
    note("create %d; ", priority);
    return *stream = (handle)(uintptr_t)(100 + streams++), outcome();
}
CUresult cuStreamSynchronize(handle stream) {
    note("synchronize %d; ", (int)(uintptr_t)stream);
    return is_stream(stream) ? outcome() : 400;
}
CUresult cuStreamWaitEvent(handle stream, struct event *event, unsigned flags) {
    note("%d waits for ", (int)(uintptr_t)stream), note("event %d; ", event->count);
    return event && event->stream && is_stream(stream) && !flags ? outcome() : 400;
}
CUresult cuEventCreate(struct event **event, unsigned flags) {
    *event = calloc(1, sizeof **event), (*event)->flags = flags;
    return flags == 2 || flags == 0 ? outcome() : 1;
}
CUresult cuEventRecord(struct event *event, handle stream) {
    if (!event || !is_stream(stream)) return 400;
    event->stream = (int)(uintptr_t)stream, event->count = events++;
    note("event %d ", event->count), note("on %d; ", event->stream);
    return outcome();
}
CUresult cuEventQuery(struct event *event) { return event && event->stream ? done ? 0 : 600 : 400; }
CUresult cuEventSynchronize(struct event *event) { return event && event->stream ? outcome() : 400; }
CUresult cuEventElapsedTime(float *milliseconds, struct event *start, struct event *end) {
    if (start->flags || end->flags) return 400;
    return *milliseconds = 0.5f * (end->count - start->count), outcome();
}
CUresult cuEventDestroy_v2(handle event) { return free(event), 0; }

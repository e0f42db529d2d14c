// The machine's OpenCL, where functions fail when they are told to. What is not here is found in the library that this
// one needs.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

typedef void *handle;

static struct {
    const char *name;
    int after, times, code;
} faults[32];
static int count;

// The calls of a function answer `code` after `after` more that go through, `times` times; always if that is negative.
void fail(const char *function, int after, int times, int code) {
    int n = 0;
    while (n < count && strcmp(faults[n].name, function)) n++;
    if (n == count) faults[count++].name = strdup(function);
    faults[n].after = after, faults[n].times = times, faults[n].code = code;
}

static int fault(const char *function) {
    for (int n = 0; n < count; n++) {
        if (strcmp(faults[n].name, function) || faults[n].times == 0 || faults[n].after-- > 0) continue;
        faults[n].after = 0;
        if (faults[n].times > 0) faults[n].times--;
        return faults[n].code;
    }
    return 0;
}

static void *real(const char *function) {
    static handle library;
    if (!library) library = dlopen(OPENCL, RTLD_NOW | RTLD_LOCAL);
    return dlsym(library, function);
}

#define ANSWERS(name, types, names)                                    \
    int name types {                                                   \
        const int code = fault(#name);                                 \
        return code ? code : ((int(*) types)real(#name))names;         \
    }
#define MAKES(name, types, names)                                      \
    handle name types {                                                \
        *code = fault(#name);                                          \
        return *code ? NULL : ((handle(*) types)real(#name))names;     \
    }
typedef unsigned int u;
typedef const void *list;
// With SEPARATE_MEMORY, the device's memory is not the host's.
int clGetDeviceInfo(handle device, u what, size_t n, void *value, size_t *size) {
    const int code = ((int (*)(handle, u, size_t, void *, size_t *))real("clGetDeviceInfo"))(device, what, n, value, size);
    if (what == 0x1035 && value && getenv("SEPARATE_MEMORY")) *(u *)value = 0;
    return code;
}
ANSWERS(clBuildProgram, (handle p, u n, list d, list o, list f, handle x), (p, n, d, o, f, x))
ANSWERS(clEnqueueNDRangeKernel, (handle q, handle k, u n, list o, list g, list l, u w, list e, handle m),
        (q, k, n, o, g, l, w, e, m))
ANSWERS(clEnqueueReadBuffer, (handle q, handle b, u wait, size_t o, size_t n, handle to, u w, list e, handle m),
        (q, b, wait, o, n, to, w, e, m))
ANSWERS(clEnqueueWriteBuffer, (handle q, handle b, u wait, size_t o, size_t n, list from, u w, list e, handle m),
        (q, b, wait, o, n, from, w, e, m))
ANSWERS(clEnqueueCopyBuffer, (handle q, handle a, handle b, size_t o, size_t p, size_t n, u w, list e, handle m),
        (q, a, b, o, p, n, w, e, m))
ANSWERS(clEnqueueMarkerWithWaitList, (handle q, u w, list e, handle m), (q, w, e, m))
ANSWERS(clEnqueueUnmapMemObject, (handle q, handle b, handle a, u w, list e, handle m), (q, b, a, w, e, m))
ANSWERS(clWaitForEvents, (u n, list e), (n, e))
ANSWERS(clFlush, (handle q), (q))
ANSWERS(clFinish, (handle q), (q))
MAKES(clCreateBuffer, (handle c, unsigned long flags, size_t n, handle h, int *code), (c, flags, n, h, code))
MAKES(clEnqueueMapBuffer,
      (handle q, handle b, u wait, unsigned long flags, size_t o, size_t n, u w, list e, handle m, int *code),
      (q, b, wait, flags, o, n, w, e, m, code))

// A compiler that takes every text and makes nothing of it: what its caller keeps on disk tells which texts it met.
#include <stddef.h>
#include <string.h>

typedef int code;
static const char image[8] = "\177ELF";

code nvrtcVersion(int *major, int *minor) { return *major = 12, *minor = 4, 0; }
const char *nvrtcGetErrorString(code c) { return c ? "an error" : "none"; }
code nvrtcGetNumSupportedArchs(int *n) { return *n = 1, 0; }
code nvrtcGetSupportedArchs(int *known) { return *known = 80, 0; }
code nvrtcCreateProgram(void **program, const char *text, const char *name, int n, const char *const *headers, const char *const *names) {
    (void)name, (void)headers, (void)names;
    return *program = (void *)text, text && !n ? 0 : 1;
}
code nvrtcDestroyProgram(void **program) { return *program = 0, 0; }
code nvrtcCompileProgram(void *program, int n, const char *const *options) { return program && n && options[0] ? 0 : 1; }
code nvrtcGetPTXSize(void *program, size_t *size) { return *size = sizeof image, program ? 0 : 1; }
code nvrtcGetPTX(void *program, char *to) { return memcpy(to, image, sizeof image), program ? 0 : 1; }
code nvrtcGetCUBINSize(void *program, size_t *size) { return nvrtcGetPTXSize(program, size); }
code nvrtcGetCUBIN(void *program, char *to) { return nvrtcGetPTX(program, to); }
code nvrtcGetProgramLogSize(void *program, size_t *size) { return nvrtcGetPTXSize(program, size); }
code nvrtcGetProgramLog(void *program, char *to) { return nvrtcGetPTX(program, to); }

// libdovetail_onnxruntime.so: picks the build of the operators that suits this CPU and hands RegisterCustomOps on to it.
// NativeAOT fixes the instruction sets when it compiles, so there is one build for each level of x86-64; a build ends the
// process on a CPU below its level, which is why the choice is made here, in C, before any of them is loaded.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

// The head of ONNX Runtime's C API: stable in every release, and all that is needed to report a failure.
typedef struct { void *(*create_status)(int code, const char *message); } api_head;
typedef struct { const api_head *(*get_api)(unsigned version); const char *(*version)(void); } api_base;
typedef void *(*register_function)(void *session_options, const api_base *base);

static int cpu_level(void) {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd")
      && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return 4;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") ? 3 : 2;
}

__attribute__((visibility("default"))) void *RegisterCustomOps(void *session_options, const api_base *base) {
  char path[4096], message[8192];
  Dl_info self;
  int level = cpu_level();
  const char *slash = dladdr((void *)&RegisterCustomOps, &self) ? strrchr(self.dli_fname, '/') : NULL;
  int folder = slash == NULL ? 0 : (int)(slash - self.dli_fname) + 1;
  int length = snprintf(path, sizeof path, "%.*slibdovetail_onnxruntime.x86-64-v%d.so", folder, folder ? self.dli_fname : "", level);
  void *library = length < (int)sizeof path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
  register_function next = NULL;
  if (library != NULL)
    *(void **)&next = dlsym(library, "RegisterCustomOps");
  if (next != NULL)
    return next(session_options, base);
  snprintf(message, sizeof message, "The operators of ai.dovetail for this CPU cannot be loaded: %s. "
           "Keep the libdovetail_onnxruntime.*.so files together in one folder.", length < (int)sizeof path ? dlerror() : "the path is too long");
  return base->get_api(1)->create_status(1, message);
}

// A host of the native library in plain C: what Python and C++ do through ONNX Runtime's C API.
//   host LIBRARY run MODEL INPUT OUTPUT TYPE DIM...   registers, runs, writes the first output's bytes
//   host LIBRARY time MODEL INPUT TYPE DIM...         the 10th percentile of 400 runs on one thread, in microseconds
//   host LIBRARY again MODEL                          registers and frees a session three times
//   host LIBRARY together MODEL                       the first sessions of the process, on eight threads at once
//   host LIBRARY old                                  registers in an ONNX Runtime whose API ends at version 16
// TYPE is float or uint8; INPUT holds the tensor's bytes. A refusal is printed to standard error, exit code 1.
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "onnxruntime_c_api.h"

static const OrtApi *api;

static void check(OrtStatus *status) {
  if (status == NULL) return;
  fprintf(stderr, "%s\n", api->GetErrorMessage(status));
  api->ReleaseStatus(status);
  exit(1);
}

static void require(int condition, const char *what) {
  if (condition) return;
  fprintf(stderr, "host: %s\n", what);
  exit(2);
}

static OrtSession *open_session(OrtEnv *env, const char *library, const char *model) {
  OrtSessionOptions *options;
  OrtSession *session;
  check(api->CreateSessionOptions(&options));
  check(api->SetIntraOpNumThreads(options, 1));
  check(api->AddSessionConfigEntry(options, "session.x64quantprecision", "1")); // its own int8 layers exact on every CPU
  check(api->RegisterCustomOpsLibrary_V2(options, library));
  check(api->CreateSession(env, model, options, &session));
  api->ReleaseSessionOptions(options);
  return session;
}

static void *read_file(const char *path, size_t *bytes) {
  FILE *file = fopen(path, "rb");
  require(file != NULL, path);
  fseek(file, 0, SEEK_END);
  *bytes = (size_t)ftell(file);
  rewind(file);
  void *data = malloc(*bytes);
  require(fread(data, 1, *bytes, file) == *bytes, path);
  fclose(file);
  return data;
}

static OrtValue *read_input(const char *path, const char *type, int rank, char **dimensions) {
  OrtMemoryInfo *memory;
  OrtValue *value;
  int64_t shape[8];
  size_t bytes;
  void *data = read_file(path, &bytes);
  for (int i = 0; i < rank; i++) shape[i] = strtoll(dimensions[i], NULL, 10);
  check(api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory));
  check(api->CreateTensorWithDataAsOrtValue(memory, data, bytes, shape, (size_t)rank,
      strcmp(type, "float") == 0 ? ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT : ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, &value));
  return value;
}

static OrtValue *run(OrtSession *session, const OrtValue *input) {
  OrtAllocator *allocator;
  char *input_name, *output_name;
  OrtValue *output = NULL;
  check(api->GetAllocatorWithDefaultOptions(&allocator));
  check(api->SessionGetInputName(session, 0, allocator, &input_name));
  check(api->SessionGetOutputName(session, 0, allocator, &output_name));
  check(api->Run(session, NULL, (const char *const *)&input_name, &input, 1, (const char *const *)&output_name, 1, &output));
  check(api->AllocatorFree(allocator, input_name));
  check(api->AllocatorFree(allocator, output_name));
  return output;
}

static void write_output(OrtValue *value, const char *path) {
  OrtTensorTypeAndShapeInfo *info;
  ONNXTensorElementDataType type;
  size_t count;
  void *data;
  check(api->GetTensorTypeAndShape(value, &info));
  check(api->GetTensorElementType(info, &type));
  check(api->GetTensorShapeElementCount(info, &count));
  check(api->GetTensorMutableData(value, &data));
  size_t bytes = count * (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT ? sizeof(float) : 1);
  FILE *file = fopen(path, "wb");
  require(file != NULL && fwrite(data, 1, bytes, file) == bytes && fclose(file) == 0, path);
  api->ReleaseTensorTypeAndShapeInfo(info);
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double time_runs(OrtSession *session, const OrtValue *input) {
  enum { warm_up = 100, runs = 400 };
  static double microseconds[runs];
  for (int i = -warm_up; i < runs; i++) {
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    api->ReleaseValue(run(session, input));
    clock_gettime(CLOCK_MONOTONIC, &end);
    if (i >= 0) microseconds[i] = (double)(end.tv_sec - start.tv_sec) * 1e6 + (double)(end.tv_nsec - start.tv_nsec) / 1e3;
  }
  qsort(microseconds, runs, sizeof(double), compare);
  return microseconds[runs / 10];
}

static const OrtApi *ORT_API_CALL api_until_16(uint32_t version) NO_EXCEPTION {
  return version <= 16 ? OrtGetApiBase()->GetApi(version) : NULL;
}

static const char *ORT_API_CALL version_16(void) NO_EXCEPTION { return "1.16.3"; }

static void register_in_old_host(const char *library) {
  OrtApiBase old = {api_until_16, version_16};
  OrtSessionOptions *options;
  void *handle = dlopen(library, RTLD_NOW);
  require(handle != NULL, "dlopen failed");
  RegisterCustomOpsFn entry;
  *(void **)&entry = dlsym(handle, "RegisterCustomOps");
  require(entry != NULL, "there is no RegisterCustomOps");
  check(api->CreateSessionOptions(&options));
  check(entry(options, &old));
}

enum { crowd_size = 8 };

typedef struct {
  OrtEnv *env;
  const char *library, *model;
  pthread_barrier_t start;
} Crowd;

// Returns a status, for exit() would pull the library from under the other threads.
static void *open_in_crowd(void *argument) {
  Crowd *crowd = argument;
  OrtSession *session = NULL;
  OrtSessionOptions *options;
  check(api->CreateSessionOptions(&options));
  pthread_barrier_wait(&crowd->start);
  OrtStatus *status = api->RegisterCustomOpsLibrary_V2(options, crowd->library);
  pthread_barrier_wait(&crowd->start);
  if (status == NULL) status = api->CreateSession(crowd->env, crowd->model, options, &session);
  api->ReleaseSessionOptions(options);
  api->ReleaseSession(session);
  return status;
}

static void open_together(OrtEnv *env, const char *library, const char *model) {
  Crowd crowd = {.env = env, .library = library, .model = model};
  pthread_t threads[crowd_size];
  require(pthread_barrier_init(&crowd.start, NULL, crowd_size) == 0, "no barrier");
  for (int i = 0; i < crowd_size; i++) require(pthread_create(&threads[i], NULL, open_in_crowd, &crowd) == 0, "no thread");
  void *statuses[crowd_size];
  for (int i = 0; i < crowd_size; i++) pthread_join(threads[i], &statuses[i]);
  for (int i = 0; i < crowd_size; i++) check(statuses[i]);
}

int main(int argc, char **argv) {
  require(argc >= 3, "expected LIBRARY and a verb");
  const char *library = argv[1], *verb = argv[2];
  OrtEnv *env;
  api = OrtGetApiBase()->GetApi(ORT_API_VERSION);
  require(api != NULL, "libonnxruntime.so is older than its header");
  check(api->CreateEnv(ORT_LOGGING_LEVEL_FATAL, "host", &env));
  if (strcmp(verb, "run") == 0 && argc >= 8) {
    OrtSession *session = open_session(env, library, argv[3]);
    OrtValue *output = run(session, read_input(argv[4], argv[6], argc - 7, argv + 7));
    write_output(output, argv[5]);
    api->ReleaseValue(output);
    api->ReleaseSession(session);
  } else if (strcmp(verb, "time") == 0 && argc >= 7) {
    OrtSession *session = open_session(env, library, argv[3]);
    printf("%.2f\n", time_runs(session, read_input(argv[4], argv[5], argc - 6, argv + 6)));
    api->ReleaseSession(session);
  } else if (strcmp(verb, "again") == 0 && argc == 4) {
    for (int i = 0; i < 3; i++) api->ReleaseSession(open_session(env, library, argv[3]));
  } else if (strcmp(verb, "together") == 0 && argc == 4) {
    open_together(env, library, argv[3]);
  } else if (strcmp(verb, "old") == 0) {
    register_in_old_host(library);
  } else {
    require(0, "unknown verb or wrong number of arguments");
  }
  api->ReleaseEnv(env);
  return 0;
}

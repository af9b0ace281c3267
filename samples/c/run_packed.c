// Runs a packed model from C on an image of zeros and prints the outputs:  run_packed LIBRARY MODEL
// One line is ours: RegisterCustomOpsLibrary_V2. Build it with
//   gcc run_packed.c -I INCLUDE -L LIB -lonnxruntime      (INCLUDE, LIB: of the ONNX Runtime that you use)
#include <stdio.h>
#include <stdlib.h>

#include "onnxruntime_c_api.h"

static const OrtApi *api;

static void check(OrtStatus *status) {
  if (status == NULL) return;
  fprintf(stderr, "%s\n", api->GetErrorMessage(status));
  exit(1);
}

int main(int argc, char **argv) {
  if (argc != 3) return fprintf(stderr, "run_packed LIBRARY MODEL\n"), 2;
  OrtEnv *env;
  OrtSessionOptions *options;
  OrtSession *session;
  api = OrtGetApiBase()->GetApi(ORT_API_VERSION);
  check(api->CreateEnv(ORT_LOGGING_LEVEL_FATAL, "run_packed", &env));
  check(api->CreateSessionOptions(&options));
  check(api->RegisterCustomOpsLibrary_V2(options, argv[1]));  // the operators of ai.dovetail
  check(api->CreateSession(env, argv[2], options, &session));

  static float pixels[28 * 28];
  const int64_t shape[] = {1, 1, 28, 28};
  const char *inputs[] = {"image"}, *outputs[] = {"logits"};
  OrtMemoryInfo *memory;
  OrtValue *image, *logits = NULL;
  check(api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory));
  check(api->CreateTensorWithDataAsOrtValue(memory, pixels, sizeof pixels, shape, 4, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &image));
  check(api->Run(session, NULL, inputs, (const OrtValue *const *)&image, 1, outputs, 1, &logits));

  float *values;
  check(api->GetTensorMutableData(logits, (void **)&values));
  for (int i = 0; i < 10; i++) printf("%.4f\n", values[i]);
  api->ReleaseValue(logits);
  api->ReleaseValue(image);
  api->ReleaseMemoryInfo(memory);
  api->ReleaseSession(session);
  api->ReleaseSessionOptions(options);
  api->ReleaseEnv(env);
  return 0;
}

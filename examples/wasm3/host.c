/*
 * Runs a model that pint8 compiled in wasm3 (https://github.com/wasm3/wasm3, source/ is all of it):
 *
 *   pint8 compile digits_int8.tflite -o model.wasm
 *   cc -O3 -I. -Iwasm3/source host.c wasm3/source/*.c -lm -o host
 *   ./host model.wasm input.bin
 *
 * On a microcontroller model.wasm is an array in flash: m3_ParseModule keeps pointers into it and copies the data segments to the
 * memory once. wasm3 gives memory in whole pages of 64 KiB (d_m3MemPageSize can be lowered in its configuration).
 */
#include <stdio.h>
#include <stdlib.h>

#include "model.h"
#include "wasm3.h"

#define STACK_BYTES 8192

static void check(M3Result result, const char *what) {
  if (!result) return;
  fprintf(stderr, "%s: %s\n", what, result);
  exit(1);
}

static uint8_t *read_file(const char *name, uint32_t *size) {
  FILE *file = fopen(name, "rb");
  if (!file) check("cannot be read", name);
  fseek(file, 0, SEEK_END);
  *size = (uint32_t)ftell(file);
  rewind(file);
  uint8_t *bytes = malloc(*size);
  if (!bytes || fread(bytes, 1, *size, file) != *size) check("cannot be read", name);
  fclose(file);
  return bytes;
}

int main(int argc, char **argv) {
  if (argc != 3) check("host model.wasm input.bin", "usage");
  uint32_t size, input_size;
  const uint8_t *wasm = read_file(argv[1], &size);
  const uint8_t *input = read_file(argv[2], &input_size);
  if (input_size != MODEL_INPUT_0_BYTES) check("another size than the model's first input", argv[2]);

  IM3Environment environment = m3_NewEnvironment();
  IM3Runtime runtime = m3_NewRuntime(environment, STACK_BYTES, NULL);
  IM3Module module;
  check(m3_ParseModule(environment, &module, wasm, size), "parse");
  check(m3_LoadModule(runtime, module), "load");
  IM3Function invoke;
  check(m3_FindFunction(&invoke, runtime, "invoke"), "invoke");

  uint32_t memory_size;
  uint8_t *memory = m3_GetMemory(runtime, &memory_size, 0);
  for (uint32_t i = 0; i < MODEL_INPUT_0_BYTES; i++) memory[MODEL_INPUT_0_ADDRESS + i] = input[i];
  check(m3_CallV(invoke), "invoke");

  const MODEL_OUTPUT_0_TYPE *scores = (const MODEL_OUTPUT_0_TYPE *)(memory + MODEL_OUTPUT_0_ADDRESS);
  unsigned best = 0;
  for (unsigned i = 1; i < MODEL_OUTPUT_0_ELEMENTS; i++)
    if (scores[i] > scores[best]) best = i;
  printf("class %u, score %g\n", best, MODEL_OUTPUT_0_SCALE * (scores[best] - MODEL_OUTPUT_0_ZERO_POINT));
  m3_FreeRuntime(runtime);
  m3_FreeEnvironment(environment);
  return 0;
}

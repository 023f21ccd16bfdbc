/*
 * Runs a model that pint8 compiled in WAMR (https://github.com/bytecodealliance/wasm-micro-runtime), built as a library:
 *
 *   cmake -S wasm-micro-runtime/product-mini/platforms/linux -B wamr -DWAMR_BUILD_INTERP=1 -DWAMR_BUILD_FAST_INTERP=1 \
 *     -DWAMR_BUILD_AOT=0 -DWAMR_BUILD_LIBC_WASI=0 -DWAMR_BUILD_SIMD=0 && cmake --build wamr
 *   cc -O2 -I. -Iwasm-micro-runtime/core/iwasm/include host.c wamr/libiwasm.a -lm -lpthread -o host
 *   ./host model.wasm input.bin
 *
 * The module has no memory.grow and exports __data_end and __heap_base, so WAMR gives it MODEL_USED_BYTES of memory in place of
 * whole pages. No heap is asked for at instantiation: the model allocates nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "wasm_export.h"

#define STACK_BYTES 4096
#define HEAP_BYTES 0

static void fail(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static uint8_t *read_file(const char *name, uint32_t *size) {
  FILE *file = fopen(name, "rb");
  if (!file) fail(name, "cannot be read");
  fseek(file, 0, SEEK_END);
  *size = (uint32_t)ftell(file);
  rewind(file);
  uint8_t *bytes = malloc(*size);
  if (!bytes || fread(bytes, 1, *size, file) != *size) fail(name, "cannot be read");
  fclose(file);
  return bytes;
}

int main(int argc, char **argv) {
  if (argc != 3) fail("usage", "host model.wasm input.bin");
  uint32_t size, input_size;
  uint8_t *wasm = read_file(argv[1], &size); /* WAMR may write into it, so on a board it is copied to RAM or loaded as AOT */
  const uint8_t *input = read_file(argv[2], &input_size);
  if (input_size != MODEL_INPUT_0_BYTES) fail(argv[2], "another size than the model's first input");

  char error[128];
  if (!wasm_runtime_init()) fail("init", "failed");
  wasm_module_t module = wasm_runtime_load(wasm, size, error, sizeof error);
  if (!module) fail("load", error);
  wasm_module_inst_t instance = wasm_runtime_instantiate(module, STACK_BYTES, HEAP_BYTES, error, sizeof error);
  if (!instance) fail("instantiate", error);
  wasm_exec_env_t environment = wasm_runtime_create_exec_env(instance, STACK_BYTES);
  wasm_function_inst_t invoke = wasm_runtime_lookup_function(instance, "invoke");
  if (!environment || !invoke) fail("invoke", "not there");

  memcpy(wasm_runtime_addr_app_to_native(instance, MODEL_INPUT_0_ADDRESS), input, MODEL_INPUT_0_BYTES);
  uint32_t result[1] = {0};
  if (!wasm_runtime_call_wasm(environment, invoke, 0, result)) fail("invoke", wasm_runtime_get_exception(instance));

  const MODEL_OUTPUT_0_TYPE *scores = wasm_runtime_addr_app_to_native(instance, MODEL_OUTPUT_0_ADDRESS);
  unsigned best = 0;
  for (unsigned i = 1; i < MODEL_OUTPUT_0_ELEMENTS; i++)
    if (scores[i] > scores[best]) best = i;
  printf("class %u, score %g\n", best, MODEL_OUTPUT_0_SCALE * (scores[best] - MODEL_OUTPUT_0_ZERO_POINT));
  wasm_runtime_destroy_exec_env(environment);
  wasm_runtime_deinstantiate(instance);
  wasm_runtime_unload(module);
  wasm_runtime_destroy();
  return 0;
}

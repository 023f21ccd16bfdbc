/*
 * A host for a model that pint8 compiled and wasm2c turned into C:
 *
 *   pint8 compile digits_int8.tflite -o model.wasm
 *   wasm2c model.wasm -n model -o model_module.c
 *   cc -O2 -DNDEBUG -DWASM_RT_MEMCHECK_SIGNAL_HANDLER=0 -I. host.c runtime.c model_module.c -lm -o host
 *   ./host input.bin output.bin
 *
 * input.bin holds the raw bytes of all inputs, one after the other; output.bin gets those of all outputs.
 */
#include <stdio.h>

#include "model.h"
#include "module.h"

static int fail(const char *what, const char *name) {
  fprintf(stderr, "%s: %s\n", what, name);
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 3) return fail("usage", "host input.bin output.bin");
  static instance_t model;
  wasm_rt_init();
  instantiate(&model);
  uint8_t *memory = EXPORT(memory)(&model)->data;

  FILE *input = fopen(argv[1], "rb");
  if (!input) return fail("cannot read", argv[1]);
  for (u32 i = 0; i < MODEL_INPUTS; i++) {
    u32 bytes = EXPORT(input_bytes)(&model, i);
    if (fread(memory + EXPORT(input_ptr)(&model, i), 1, bytes, input) != bytes) return fail("too short", argv[1]);
  }
  if (fgetc(input) != EOF) return fail("too long", argv[1]);
  fclose(input);

  EXPORT(invoke)(&model);

  FILE *output = fopen(argv[2], "wb");
  if (!output) return fail("cannot write", argv[2]);
  for (u32 i = 0; i < MODEL_OUTPUTS; i++)
    fwrite(memory + EXPORT(output_ptr)(&model, i), 1, EXPORT(output_bytes)(&model, i), output);
  if (fclose(output)) return fail("cannot write", argv[2]);

  const MODEL_OUTPUT_0_TYPE *scores = (const MODEL_OUTPUT_0_TYPE *)(memory + MODEL_OUTPUT_0_ADDRESS);
  unsigned best = 0;
  for (unsigned i = 1; i < MODEL_OUTPUT_0_ELEMENTS; i++)
    if (scores[i] > scores[best]) best = i;
  printf("class %u, score %g\n", best, MODEL_OUTPUT_0_SCALE * (scores[best] - MODEL_OUTPUT_0_ZERO_POINT));
  printf("memory %u bytes, %llu MACs\n", MODEL_USED_BYTES, MODEL_MACS);
  return 0;
}

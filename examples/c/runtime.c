/*
 * All of wasm2c's runtime that a model compiled by pint8 needs: one memory that never grows, and traps. The memory is a
 * static array of the bytes that the model uses, which may be less than the whole pages that WebAssembly counts in.
 */
#include <wasm-rt.h>

#include "model.h"

#if WASM_RT_USE_STACK_DEPTH_COUNT
uint32_t wasm_rt_call_stack_depth;
#endif

static _Alignas(16) uint8_t linear_memory[MODEL_USED_BYTES];

void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint32_t pages, uint32_t most_pages) {
  memory->data = linear_memory;
  memory->pages = pages;
  memory->max_pages = most_pages;
  memory->size = sizeof linear_memory;
}

void wasm_rt_free_memory(wasm_rt_memory_t *memory) { memory->data = 0; }

/* A model that pint8 compiled traps only where an engine's relaxed SIMD is not exact. */
void wasm_rt_trap(wasm_rt_trap_t reason) {
  (void)reason;
  abort();
}

/* There are no tables, so nobody asks for the types of functions. */
uint32_t wasm_rt_register_func_type(uint32_t params, uint32_t results, ...) {
  (void)params;
  (void)results;
  return 0;
}

void wasm_rt_init(void) {}
bool wasm_rt_is_initialized(void) { return true; }
void wasm_rt_free(void) {}

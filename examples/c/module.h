/*
 * The functions that wabt's wasm2c makes of model.wasm (`wasm2c model.wasm -n model -o model_module.c`), under one name each:
 * wasm2c 1.0.31 to 1.0.32 writes Z_modelZ_invoke, later ones w2c_model_invoke.
 */
#ifndef MODULE_H
#define MODULE_H

#include <wasm-rt.h>

/* From 1.0.33 on wasm-rt.h itself defines the types. */
#ifdef WASM_RT_CORE_TYPES_DEFINED
#include "model_module.h"
typedef w2c_model instance_t;
#define EXPORT(name) w2c_model_##name
static inline void instantiate(instance_t *m) { wasm2c_model_instantiate(m); }
#else
#include "model_module.h"
typedef Z_model_instance_t instance_t;
#define EXPORT(name) Z_modelZ_##name
static inline void instantiate(instance_t *m) {
  Z_model_init_module();
  Z_model_instantiate(m);
}
#endif

#endif

#!/bin/sh
# Builds firmware.elf in the current folder from model.wasm and model.h, which `pint8 compile MODEL -o model.wasm` wrote there.
# Needs wabt, gcc-arm-none-eabi and libnewlib-arm-none-eabi; to run it, qemu-system-arm and an input.bin:
#
#   qemu-system-arm -M mps2-an385 -nographic -monitor none -serial none -icount shift=0 \
#     -semihosting-config enable=on,target=native -kernel firmware.elf
set -eu
here=$(cd "$(dirname "$0")" && pwd)
wasm2c model.wasm -n model -o model_module.c
# wasm-rt.h and nothing else of the host's headers.
mkdir -p include && cp "${WASM_RT:-/usr/include/wasm-rt.h}" include/wasm-rt.h
arm-none-eabi-gcc -mcpu=cortex-m3 -mthumb -O2 -DNDEBUG -ffunction-sections -fdata-sections -Wl,--gc-sections \
  -I. -Iinclude -I"$here/../c" -nostartfiles --specs=nosys.specs -T "$here/mps2.ld" \
  "$here/firmware.c" "$here/../c/runtime.c" model_module.c -lm -o firmware.elf
arm-none-eabi-size firmware.elf

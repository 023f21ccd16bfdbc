/*
 * Firmware for a Cortex-M (here the mps2-an385 board that QEMU emulates): runs a model that pint8 compiled and wasm2c turned
 * into C. It reads input.bin and writes output.bin by semihosting, and says the class, its RAM and flash, and how many
 * instructions one inference takes. See build.sh.
 */
#include "../c/module.h"
#include "model.h"

/* From mps2.ld. */
extern uint32_t data_start[], data_end[], data_load[], bss_start[], bss_end[], flash_end[], stack_top[];

/* Semihosting: https://github.com/ARM-software/abi-aa/blob/main/semihosting/semihosting.rst */
enum { SYS_OPEN = 1, SYS_CLOSE = 2, SYS_WRITE0 = 4, SYS_WRITE = 5, SYS_READ = 6, SYS_EXIT_EXTENDED = 0x20 };

static int semihost(int operation, const void *arguments) {
  register int r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = arguments;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

static void print(const char *text) { semihost(SYS_WRITE0, text); }

static void print_number(uint64_t value) {
  char digits[21];
  char *at = digits + sizeof digits - 1;
  *at = 0;
  do *--at = (char)('0' + value % 10);
  while (value /= 10);
  print(at);
}

static void leave(int status) {
  const uint32_t block[] = {0x20026 /* ADP_Stopped_ApplicationExit */, (uint32_t)status};
  for (;;) semihost(SYS_EXIT_EXTENDED, block);
}

void abort(void) {
  print("trap\n");
  leave(1);
  __builtin_unreachable();
}

static int open_file(const char *name, int mode) {
  const uint32_t block[] = {(uint32_t)name, (uint32_t)mode, (uint32_t)__builtin_strlen(name)};
  const int file = semihost(SYS_OPEN, block);
  if (file < 0) abort();
  return file;
}

/* 0 where all bytes were transferred. */
static int transfer(int operation, int file, void *bytes, uint32_t count) {
  const uint32_t block[] = {(uint32_t)file, (uint32_t)bytes, count};
  return semihost(operation, block);
}

/* SysTick counts down 24 bits at the processor's clock of 25 MHz; with `-icount shift=0` that is every 40 instructions. */
#define SYST_CSR (*(volatile uint32_t *)0xE000E010)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018)
#define INSTRUCTIONS_PER_TICK 40
#define TICKS_PER_WRAP 0x1000000u

static volatile uint32_t wraps;
static void on_systick(void) { wraps++; }

static uint64_t ticks(void) {
  uint32_t before, count;
  do {
    before = wraps;
    count = SYST_CVR;
  } while (before != wraps);
  return (uint64_t)before * TICKS_PER_WRAP + (TICKS_PER_WRAP - 1 - count);
}

static instance_t model;

static void run(void) {
  instantiate(&model);
  uint8_t *memory = EXPORT(memory)(&model)->data;
  const int input = open_file("input.bin", 1 /* rb */);
  for (u32 i = 0; i < MODEL_INPUTS; i++)
    if (transfer(SYS_READ, input, memory + EXPORT(input_ptr)(&model, i), EXPORT(input_bytes)(&model, i))) abort();

  SYST_RVR = TICKS_PER_WRAP - 1;
  SYST_CVR = 0;
  SYST_CSR = 7; /* enabled, with interrupt, from the processor's clock */
  while (SYST_CVR == 0) {
  }
  const uint64_t start = ticks();
  EXPORT(invoke)(&model);
  const uint64_t instructions = (ticks() - start) * INSTRUCTIONS_PER_TICK;
  SYST_CSR = 0;

  const int output = open_file("output.bin", 5 /* wb */);
  for (u32 i = 0; i < MODEL_OUTPUTS; i++)
    if (transfer(SYS_WRITE, output, memory + EXPORT(output_ptr)(&model, i), EXPORT(output_bytes)(&model, i))) abort();
  const uint32_t block[] = {(uint32_t)output};
  semihost(SYS_CLOSE, block);

  const MODEL_OUTPUT_0_TYPE *scores = (const MODEL_OUTPUT_0_TYPE *)(memory + MODEL_OUTPUT_0_ADDRESS);
  uint32_t best = 0;
  for (uint32_t i = 1; i < MODEL_OUTPUT_0_ELEMENTS; i++)
    if (scores[i] > scores[best]) best = i;
  print("class ");
  print_number(best);
  print("\nRAM ");
  print_number((uint32_t)bss_end - (uint32_t)data_start);
  print(" bytes\nflash ");
  print_number((uint32_t)flash_end);
  print(" bytes\ninstructions ");
  print_number(instructions);
  print("\n");
}

void on_reset(void) {
  uint32_t *from = data_load;
  for (uint32_t *to = data_start; to < data_end; to++) *to = *from++;
  for (uint32_t *to = bss_start; to < bss_end; to++) *to = 0;
  run();
  leave(0);
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    stack_top, (void *)on_reset, (void *)abort, (void *)abort, (void *)abort, (void *)abort, (void *)abort, 0,
    0,         0,                0,             (void *)abort, 0,             0,             (void *)abort, (void *)on_systick,
};

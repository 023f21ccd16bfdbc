/** as-pect runs the functions of assembly/ inside wasm, with assertions on. */
export default {
  entries: ["tests/aspect/**/*.spec.ts"],
  include: [],
  disclude: [/node_modules/],
  async instantiate(memory, createImports, instantiate, binary) {
    return instantiate(binary, createImports({ env: { memory } }));
  },
  outputBinary: false,
};

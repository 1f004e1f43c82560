// SPDX-License-Identifier: MIT
// Tests of firmware sources: as-pect compiles and runs each spec.
//
// With its own runtime, in debug; what is shipped is the release module, which node:test runs.

export default {
  entries: ["tests/firmware/**/*.spec.ts"],
  include: [],
  disclude: [/node_modules/],
  outputBinary: false,
  // The stages import no host function. A spec that reaches an abi file gets no host here and must not.
  async instantiate(memory, createImports, instantiate, binary) {
    return instantiate(binary, createImports({ env: { memory } }));
  },
};

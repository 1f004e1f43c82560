// SPDX-License-Identifier: MIT
// Binaryen in a thread of its own, for tests: assembles text, plants traps.
//
// Plain JavaScript, since the loader that strips types would take seconds to read binaryen's file.
// One question at a time: the answer goes to the port, then the signal is raised.

import { parentPort, workerData } from "node:worker_threads";
import binaryen from "binaryen";

/** The octets of a module written as text. */
function assemble({ text }) {
  return emit(binaryen.parseText(text));
}

/** The same module, but its n-th call of an export without parameters (1: the first) is a trap. */
function plantTrap({ wasm, exportName, call }) {
  const module = binaryen.readBinary(wasm);
  const { MVP, SignExt, BulkMemory, BulkMemoryOpt } = binaryen.Features;
  module.setFeatures(MVP | SignExt | BulkMemory | BulkMemoryOpt); // what asc uses, and nothing newer
  const target = binaryen.getExportInfo(module.getExport(exportName)).value;
  const result = binaryen.getFunctionInfo(module.getFunction(target)).results;
  const { i32 } = binaryen;
  module.addGlobal("planted", i32, true, module.i32.const(0));
  const count = () => module.global.get("planted", i32);
  const steps = [
    module.global.set("planted", module.i32.add(count(), module.i32.const(1))),
    module.if(module.i32.eq(count(), module.i32.const(call)), module.unreachable()),
    module.call(target, [], result),
  ];
  const body = module.block(null, steps, result);
  module.addFunction("planted-trap", binaryen.none, result, [], body);
  module.removeExport(exportName);
  module.addFunctionExport("planted-trap", exportName);
  if (!module.validate()) throw new Error("the planted module is not valid");
  return emit(module);
}

function emit(module) {
  const wasm = module.emitBinary();
  module.dispose();
  return wasm;
}

const signal = new Int32Array(workerData.signal);
parentPort.on("message", (question) => {
  let answer;
  try {
    answer = question.text === undefined ? plantTrap(question) : assemble(question);
  } catch (error) {
    answer = String(error);
  }
  workerData.port.postMessage(answer);
  Atomics.store(signal, 0, 1);
  Atomics.notify(signal, 0);
});

// SPDX-License-Identifier: MIT
// Goal: a built module holds what the rules allow, and nothing is allocated.
// Method: texts of the generator and instructions of the release modules are read; ticks are counted
// (20,000 by default, `node --import tsx tests/loop/module.test.ts 1000000` for 10^6).

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import binaryen from "binaryen";
import { memoryBound } from "../../scripts/build/memory.ts";
import { generateLoop } from "../../scripts/build/generate-loop.ts";
import { Failure } from "../../scripts/cli/failure.ts";
import { readRegisters } from "../support/modbus.ts";
import { buildLoop, createLoopHost, NO_CODE, parseNode } from "../support/loop-host.ts";
import type { NodeType } from "../../scripts/build/schema.ts";

const ROOT = join(import.meta.dirname, "../..");
const TICKS = Number(process.argv[2] ?? 20_000);
const PAGE = 65_536;

const text = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const readNode = (path: string): NodeType => parseNode(JSON.parse(text(path)));

const reference = readNode("tests/vectors/reference-node.json");
const wide = readNode("tests/loop/wide-node.json"); // a channel of every kind
const oven = readNode("firmware/nodes/oven/node.json");
const meter = readNode("firmware/nodes/meter/node.json");
const REFERENCE_CODE = `
import { drive, report, value } from "ferrule/loop";
import { FLOW, PRESSURE, VALVE, VALVE_OUTPUT } from "ferrule/node";
export function decide(): void {
  drive(VALVE_OUTPUT, value(PRESSURE) % 10000);
  report(VALVE, value(FLOW) & 0xffff);
}
`;
const modules = {
  reference: await buildLoop(reference, REFERENCE_CODE),
  oven: await buildLoop(oven, text("firmware/nodes/oven/loop.ts")),
  meter: await buildLoop(meter, NO_CODE),
  press: await buildLoop(readNode("firmware/nodes/press/node.json"), NO_CODE),
  scale: await buildLoop(readNode("firmware/nodes/scale/node.json"), NO_CODE),
  wide: await buildLoop(wide, NO_CODE),
};

function instructions(wasm: Uint8Array): string {
  const module = binaryen.readBinary(wasm);
  try {
    return module.emitText();
  } finally {
    module.dispose();
  }
}

function importsOf(wasm: Uint8Array): string[] {
  return WebAssembly.Module.imports(new WebAssembly.Module(wasm as BufferSource))
    .map(({ module, name }) => `${module}.${name}`)
    .sort();
}

test("the constants in the tree are what the generator makes of the reference node", () => {
  assert.equal(text("firmware/generated/loop.ts"), generateLoop(reference).constants);
});

test("no module of ours grows its memory or computes in f64", () => {
  for (const [name, wasm] of Object.entries(modules)) {
    const code = instructions(wasm);
    assert.doesNotMatch(code, /memory\.grow|\(f64\./, name);
    assert.match(code, /unreachable/, `${name}: asserts are in`);
  }
});

test("a node is built with what it uses: no tap, no Modbus; no input, no sampling", () => {
  assert.deepEqual(importsOf(modules.oven), [
    "host.adc_read",
    "host.mailbox_take",
    "host.now_us",
    "host.pwm_write",
    "host.ring_put",
  ]);
  assert.deepEqual(importsOf(modules.meter), ["host.now_us", "host.ring_put", "host.tap_take"]);
  // 40961 is the polynomial of the CRC.
  assert.doesNotMatch(instructions(modules.oven), /i32\.const (-24575|40961)\b/);
  assert.doesNotMatch(instructions(modules.scale), /i32\.const (-24575|40961)\b/);
  assert.deepEqual(importsOf(modules.scale), importsOf(modules.meter));
  assert.match(instructions(modules.meter), /i32\.const (-24575|40961)\b/);
});

test("the modules have exactly these sizes", () => {
  const sizes = Object.fromEntries(Object.entries(modules).map(([name, w]) => [name, w.length]));
  assert.deepEqual(sizes, {
    reference: 6846,
    oven: 3792,
    meter: 5843,
    press: 5825,
    scale: 3890,
    wide: 11678,
  });
});

test(`${TICKS} ticks leave the memory as large and as high as the first hundred`, () => {
  const host = createLoopHost(modules.reference);
  const times = new Float64Array(64);
  const octets = Buffer.concat(readRegisters(9, 4, 100, [0x1234, 0x4142]));
  const tick = (i: number): void => {
    host.records.length = 0;
    host.adc[2] = 400 + ((i * 37) % 3700);
    if (i % 10 === 0) host.put(0, octets, times.fill(host.nowUs + 1).subarray(0, octets.length));
    host.tick(host.nowUs + 10_000);
  };
  const highest = (): number => {
    const bytes = new Uint8Array(host.memory.buffer);
    let at = bytes.length - 1;
    while (at >= 0 && bytes[at] === 0) at--;
    return at | 15; // numbers in the last words grow
  };
  host.init();
  for (let i = 0; i < 100; i++) tick(i);
  const before = highest();
  for (let i = 100; i < TICKS; i++) tick(i);
  assert.equal(highest(), before);
  assert.ok(highest() < memoryBound("loop", modules.reference));
  assert.equal(host.memory.buffer.byteLength, PAGE);
});

function withChannels(channels: Record<string, unknown>, more: object = {}): NodeType {
  return parseNode({ type: "t", channels, ...more });
}

test("names become constants, and two that would become the same are refused", () => {
  const computed = { kind: "computed" };
  const node = withChannels(
    { "a-b": computed, "9th": computed },
    { outputs: { c: { output: 0 } } },
  );
  const { names } = generateLoop(node);
  assert.match(
    names,
    /export const A_B: i32 = 0;\nexport const _9TH: i32 = 1;\nexport const C_OUTPUT: i32 = 0;/,
  );
  assert.throws(
    () => generateLoop(withChannels({ "a-b": computed, A_B: computed })),
    (error) => error instanceof Failure && error.message.startsWith("channels.A_B:"),
  );
  assert.throws(
    () => generateLoop(withChannels({ c_output: computed }, { outputs: { c: { output: 0 } } })),
    (error) => error instanceof Failure && error.message.startsWith("outputs.c:"),
  );
});

test("a line beyond 32 bits and a tap faster than the tick are refused with their field", () => {
  const steep = { kind: "analog", input: 0, decimals: 6, scale: { raw: [0, 1], value: [0, 1] } };
  assert.throws(
    () => generateLoop(withChannels({ steep })),
    (error) => error instanceof Failure && error.message.startsWith("channels.steep.scale:"),
  );
  const computed = { c: { kind: "computed" } };
  const bus = { uart: 0, protocol: "modbus-rtu", baud: 115_200 };
  assert.throws(
    () => generateLoop(withChannels(computed, { taps: { bus } })),
    (error) => error instanceof Failure && error.next === 'set "periodMs" to 5.5 or less',
  );
  generateLoop(withChannels(computed, { taps: { bus }, periodMs: 5.5 }));
});

test("limits beyond the range of a register are cut to it", () => {
  const { constants } = generateLoop(
    withChannels(
      {
        r: {
          kind: "register",
          tap: "bus",
          unitId: 1,
          table: "holding",
          address: 0,
          deadband: 1e12,
          alarms: { low: { below: -5 }, high: { above: 1e12, hysteresis: 1 } },
        },
      },
      { taps: { bus: { uart: 0, protocol: "modbus-rtu" } } },
    ),
  );
  const rows = constants.slice(constants.indexOf("ALARM_ROWS"));
  assert.match(rows, /\/\/ r\/low\n {2}0, 0, 0, 0,\n {2}\/\/ r\/high\n {2}1, -1, -1, 0,/);
});

// Order of the fields: the structs that the tables are laid under.
test("each table has the columns of its struct", () => {
  const columns = (file: string, name: string): number => {
    const body = new RegExp(`class ${name} \\{([^}]*)\\}`).exec(text(`firmware/loop/${file}`))![1]!;
    return body.match(/: [iu]32;/g)!.length;
  };
  const { constants } = generateLoop(wide);
  const numbers = (name: string): number => {
    const table = constants.slice(constants.indexOf(`${name}_ROWS`));
    return table.slice(0, table.indexOf("];")).match(/-?\d+,/g)!.length;
  };
  const count = (name: string): number =>
    Number(new RegExp(`${name}_COUNT: i32 = (\\d+)`).exec(constants)![1]);
  for (const [name, struct, file] of [
    ["CHANNEL", "ChannelRow", "filter.ts"],
    ["ANALOG", "AnalogRow", "sample.ts"],
    ["CHAIN", "ChainRow", "chain.ts"],
    ["REGISTER", "RegisterRow", "tap/register.ts"],
    ["ALARM", "AlarmRow", "decide.ts"],
    ["DIGITAL", "DigitalRow", "digital.ts"],
    ["COUNTER", "CounterRow", "tick/pins.ts"],
    ["BURST", "BurstRow", "tick/bursts.ts"],
    ["FEATURE", "FeatureRow", "tick/bursts.ts"],
    ["STATE", "StateRow", "machine.ts"],
    ["LATCH", "LatchRow", "decide.ts"],
    ["SWITCH", "SwitchRow", "actuate.ts"],
    ["SETPOINT", "SetpointRow", "setpoint.ts"],
    ["OUTPUT", "OutputRow", "actuate.ts"],
    ["TAP", "TapRow", "tick/taps.ts"],
  ] as const)
    assert.equal(numbers(name), count(name) * columns(file, struct), name);
  // Four sections follow the fields of an accelerometer.
  const accelerometer =
    columns("vibration.ts", "VibrationRow") + 4 * columns("biquad.ts", "BiquadRow");
  assert.equal(numbers("ACCELEROMETER"), count("ACCELEROMETER") * accelerometer);
});

test("only index.ts and tick/ reach the host and the generated constants", () => {
  const files = readdirSync(join(ROOT, "firmware/loop"), { recursive: true, encoding: "utf8" });
  for (const file of files.filter((name) => name.endsWith(".ts"))) {
    const source = text(join("firmware/loop", file));
    const reaches = /from "(\.\.\/)+generated\/loop|from "\.{1,2}\/abi"/.test(source);
    if (file !== "index.ts" && !file.startsWith("tick/")) assert.ok(!reaches, file);
    if (file !== "abi.ts") assert.doesNotMatch(source, /@external/, file);
    if (file !== "compare.ts") assert.doesNotMatch(source, /\bf32\b[<(>]|<f32>/, file);
  }
});

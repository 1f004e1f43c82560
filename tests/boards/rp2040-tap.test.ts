// SPDX-License-Identifier: MIT
// A tap of the flash image: each character of a busy line, its time, its errors.
//
// Goal: a Modbus line at full load is heard whole at each speed and format while loop takes most of its period and
// the transport's line is full, and the tap drives no wire. Method: the real image with a loop that logs what tap_take gives; the emulated UART
// and DMA; the row of the tap in the image's table is changed for each line.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  characterBits,
  ERROR_BREAK,
  ERROR_FRAME,
  ERROR_PARITY,
  formatOf,
} from "../../host-sim/chips/rp2040/serial.ts";
import { attachWave } from "../../host-sim/chips/rp2040/wave.ts";
import { formatOf as formatOfLine } from "../../host-sim/line/format.ts";
import { inARow, transmit } from "../../host-sim/line/sender.ts";
import { delay, invert, type Wave } from "../../host-sim/line/wave.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { type BuiltNode, buildNode } from "../../scripts/build/modules.ts";
import { boardHeader, readBoard } from "../../scripts/build/rp2040-board.ts";
import { buildRp2040, type Rp2040Image } from "../../scripts/build/rp2040.ts";
import { assemble } from "../host-sim/small-modules.ts";
import { PROJECT } from "../support/ferrule.ts";
import { program } from "../support/need.ts";
import { emptyFlash, type Running, start } from "./rp2040-rig.ts";

const tools = program("arm-none-eabi-gcc");
const folder = mkdtempSync(join(tmpdir(), "ferrule pico tap "));
const MS = 1e6;
const RX = 5;
const UART1_TX = [4, 8, 20, 24]; // pins that UART1 could drive
const [LOG, LOG_MAX] = [4096, 7680]; // octets from there, entries of 8
const BUSY_US = 7000; // of the period of 10 ms
const FASTEST = { baud: 460_800, format: "8E1" } as const;
const LCR = { "8N1": 0x70, "8N2": 0x78, "8E1": 0x76, "8O1": 0x72, "7E1": 0x56, "7O1": 0x52 };
type FormatName = keyof typeof LCR;

let meter: BuiltNode;
let image: Rp2040Image;
before(async () => {
  meter = await buildNode(join(PROJECT, "firmware/nodes/meter"));
  const bus = { ...meter.type.taps["bus"]!, ...FASTEST };
  meter = { ...meter, type: { ...meter.type, taps: { bus } } };
  if (tools.skip !== false) return;
  const wasm = loggingLoop(BUSY_US);
  image = buildRp2040("pico", { ...meter, loop: { ...meter.loop, wasm } }, join(folder, "meter"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

// Word 0: entries in the log. Word 4, set by the test: 1, take nothing.
function loggingLoop(busyUs: number): Uint8Array {
  return assemble(`(module
    (import "host" "now_us" (func $now (result i32)))
    (import "host" "tap_take" (func $tap (param i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "init"))
    (func (export "tick") (local $began i32)
      (local.set $began (call $now))
      (if (i32.eqz (i32.load (i32.const 4)))
        (then (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0))
          (call $tap (i32.const 0)
            (i32.add (i32.const ${LOG}) (i32.mul (i32.load (i32.const 0)) (i32.const 8)))
            (i32.sub (i32.const ${LOG_MAX}) (i32.load (i32.const 0))))))))
      (loop $busy (br_if $busy (i32.lt_u
        (i32.sub (call $now) (local.get $began)) (i32.const ${busyUs}))))))`);
}

interface Entry {
  us: number;
  octet: number;
  flags: number;
}

interface Tapped extends Running {
  log(): Entry[];
  hush(on: boolean): void; // loop takes nothing meanwhile
}

/** The image with its tap set to this line. */
function startTap(baud: number, format: FormatName): Tapped {
  return logged(image, (flash) => {
    const row = tapRow(FASTEST.baud, FASTEST.format);
    const at = Buffer.from(flash.buffer).indexOf(row);
    assert.ok(at > 0 && Buffer.from(flash.buffer).indexOf(row, at + 1) < 0, "one row");
    flash.set(tapRow(baud, format), at);
  });
}

function logged(of: Rp2040Image, patch?: (flash: Uint8Array) => void): Tapped {
  const running = start(of, emptyFlash(), true, patch);
  const { chip, symbol } = running;
  const memory = new DataView(chip.sram.buffer, symbol("loop_memory") - 0x20000000);
  return {
    ...running,
    hush: (on) => memory.setUint32(4, on ? 1 : 0, true),
    log: () =>
      Array.from({ length: memory.getUint32(0, true) }, (_, i) => ({
        us: memory.getUint32(LOG + 8 * i, true),
        octet: memory.getUint8(LOG + 8 * i + 4),
        flags: memory.getUint8(LOG + 8 * i + 5),
      })),
  };
}

// struct board_tap
function tapRow(baud: number, format: FormatName): Uint8Array {
  const row = new DataView(new ArrayBuffer(8));
  [1, RX, LCR[format], characterBits(formatOf(baud, format))].forEach((octet, i) =>
    row.setUint8(i, octet),
  );
  row.setUint32(4, baud, true);
  return new Uint8Array(row.buffer);
}

/** Frames of 8 to 255 octets, 3.5 characters between them; what the tap must hear of it. */
function speak(node: Tapped, baud: number, format: FormatName, count: number): Entry[] {
  const { chip } = node;
  const shape = formatOf(baud, format);
  const mask = (1 << shape.dataBits) - 1;
  const characterNs = characterBits(shape) * shape.bitNs;
  const prng = createPrng(baud);
  const said: Entry[] = [];
  let ns = chip.time.nowNs();
  let left = 0;
  for (let i = 0; i < count; i++) {
    if (left-- === 0) {
      left = 7 + prng.below(248);
      ns += 3.5 * characterNs;
    }
    ns += characterNs;
    const errors = i % 97 === 96 ? [ERROR_FRAME, ERROR_PARITY, ERROR_BREAK][prng.below(3)]! : 0;
    const octet = (prng.below(256) & mask) | (errors & ERROR_FRAME); // 0 would be a break
    chip.time.atNs(ns, () => assert.ok(chip.serial.hear(RX, { octet, errors, format: shape })));
    said.push(heard(Math.floor(ns / 1000), octet, errors, shape.parity));
  }
  return said;
}

// A broken stop bit alone; a parity error only where there is parity; a break is an octet 0 without stop bit.
function heard(us: number, octet: number, errors: number, parity: string): Entry {
  if (errors === ERROR_BREAK) {
    const flags = ERROR_BREAK | ERROR_FRAME | (parity === "odd" ? ERROR_PARITY : 0);
    return { us, octet: 0, flags };
  }
  return { us, octet, flags: parity === "none" ? errors & ~ERROR_PARITY : errors };
}

const LINES: readonly (readonly [baud: number, format: FormatName, count: number])[] = [
  [9600, "8E1", 500],
  [19_200, "8O1", 800],
  [38_400, "7E1", 1000],
  [57_600, "8N2", 1200],
  [115_200, "8N1", 2000],
  [230_400, "7O1", 3000],
  [460_800, "8N1", 6000],
  [460_800, "8E1", 6000],
];

for (const [baud, format, count] of LINES)
  test(`a line at ${baud} baud, ${format}, is heard whole while loop is busy`, tools, () => {
    const node = startTap(baud, format);
    const { chip, words } = node;
    let drove = false;
    chip.pins.onChange(RX, (_level, driven) => void (drove ||= driven));
    chip.runToNs(200 * MS);
    const noise = createPrng(1);
    node.say(Uint8Array.from({ length: 1000 }, () => noise.below(256))); // 87 ms at 115,200 baud
    const said = speak(node, baud, format, count);
    chip.runToNs(said.at(-1)!.us * 1000 + 25 * MS);
    assert.deepEqual(node.log().map(withoutTime), said.map(withoutTime));
    const startUs = timerStartUs(node);
    node.log().forEach(({ us }, i) => assert.ok(isAt(us + startUs, said[i]!.us), `character ${i}`));
    assert.deepEqual(chip.serial.counts[1], { said: 0, heard: count, lost: 0 });
    assert.equal(drove, false);
    const [ticks, missed, overruns] = words("rhythm", 3);
    assert.ok(ticks! > 10);
    assert.deepEqual([missed, overruns], [0, 0]);
  });

// The chip's microseconds begin when its clocks run; both counts are whole microseconds.
function timerStartUs({ chip }: Tapped): number {
  return Math.floor(chip.time.nowNs() / 1000) - chip.bus.read(0x40054028, 4);
}
const isAt = (us: number, saidUs: number): boolean => Math.abs(us - saidUs) <= 1;

const withoutTime = ({ octet, flags }: Entry): number[] => [octet, flags];

test("the tap cannot drive its line: pad, function, transmitter", tools, () => {
  const { chip } = startTap(9600, "8E1");
  chip.runToNs(200 * MS);
  const read = (address: number): number => chip.bus.read(address, 4);
  assert.equal(read(0x4001c004 + 4 * RX) & 0x80, 0x80); // output disable
  for (const pin of UART1_TX) assert.equal(read(0x40014004 + 8 * pin) & 31, 31, `GPIO ${pin}`);
  assert.equal(read(0x40038030), 0x201); // CR: on, receive; no transmit
  chip.bus.write(0x40038000 + 0x30, 4, 0x301);
  chip.bus.write(0x40038000, 4, 0x55); // even a character sent by mistake
  chip.runToNs(210 * MS);
  assert.deepEqual(
    [...UART1_TX, RX].filter((pin) => chip.pins.driven(pin)),
    [],
  );
});

test('"inverted": true turns the pin: a line that rests low is heard', tools, () => {
  const octets = Array.from({ length: 60 }, (_, i) => (i * 37) & 0xff);
  const type = { ...meter.type, taps: { bus: { ...meter.type.taps["bus"]!, inverted: true } } };
  const turned = { ...meter, type, loop: { ...meter.loop, wasm: loggingLoop(0) } } as BuiltNode;
  const low = buildRp2040("pico", turned, join(folder, "inverted"));
  const heardOf = (rests: (wave: Wave) => Wave): number[] => {
    const node = logged(low);
    const line = { format: formatOfLine(FASTEST.baud, FASTEST.format) };
    const wave = transmit(inARow(octets, 0), line, createPrng(1));
    attachWave(node.chip, RX, delay(rests(wave), 200 * MS));
    node.chip.runToNs(240 * MS);
    return node.log().flatMap(({ octet, flags }) => (flags === 0 ? [octet] : []));
  };
  assert.deepEqual(heardOf(invert), octets);
  assert.notDeepEqual(
    heardOf((wave) => wave),
    octets,
  );
});

test("what loop leaves too long is lost, and the next entry says so", tools, () => {
  const node = startTap(460_800, "8N1");
  const { chip } = node;
  chip.runToNs(200 * MS);
  const said = speak(node, 460_800, "8N1", 7000); // 156 ms; the ring keeps 960
  const at = (ms: number, on: boolean): void =>
    void chip.time.atNs(chip.time.nowNs() + ms * MS, () => node.hush(on));
  at(20, true);
  at(70, false); // more than two rounds of the ring
  at(100, true);
  at(125, false); // more than one
  chip.runToNs(said.at(-1)!.us * 1000 + 25 * MS);
  const startUs = timerStartUs(node);
  const log = node.log();
  assert.equal(log.filter(({ flags }) => (flags & 8) !== 0).length, 2);
  let next = 0;
  for (const { us, octet, flags } of log) {
    if ((flags & 8) !== 0) while (us + startUs - said[next]!.us > 1) next++;
    assert.deepEqual([octet, flags & 7], withoutTime(said[next]!));
    assert.ok(isAt(us + startUs, said[next]!.us));
    next++;
  }
  assert.equal(next, said.length);
  assert.ok(log.length < said.length - 1500 && log.length > said.length - 4000, `${log.length}`);
});

test("a period too long for the speed is refused by name", () => {
  const { type } = meter;
  const slow = { ...meter, type: { ...type, periodMs: 1000 } };
  assert.throws(() => boardHeader(readBoard("pico"), slow), {
    message: "a tap of meter hears more in 1000 ms than the board can keep",
    next: "make periodMs at most 88",
  });
});

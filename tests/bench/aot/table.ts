// SPDX-License-Identifier: MIT
// Figures of the bench as JSON and as the table of aot/README.md.

import { join } from "node:path";
import { PROJECT } from "../../../scripts/build/sources.ts";

/** Cycles or instructions of one round. */
export interface Pair {
  native: number;
  ours: number;
  wasm2c: number;
  unchecked: number; // of the same source with unchecked() around every index
  tested: number; // of the C by hand with a test of every index
}

export interface Outcome {
  name: string;
  m0plus: Pair;
  rv32imc: Pair;
}

const README = join(PROJECT, "aot/README.md");
const BEGIN = "<!-- bench:aot -->";
const END = "<!-- /bench:aot -->";

const ratioOf = ({ native, ours }: Pair): number => ours / native;
const wasm2cOf = ({ native, wasm2c }: Pair): number => wasm2c / native;

const uncheckedOf = ({ native, unchecked }: Pair): number => unchecked / native;
const testedOf = ({ native, tested }: Pair): number => tested / native;

function summary(pairs: readonly Pair[], of = ratioOf): { geomean: number; max: number } {
  const ratios = pairs.map(of);
  const logs = ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0);
  return { geomean: round(Math.exp(logs / ratios.length)), max: round(Math.max(...ratios)) };
}

const round = (value: number): number => Number(value.toFixed(4));

/** {"m0plus": {"geomean", "max", "wasm2c": {"geomean", "max"}, "kernels": {"pid_fir": …, …}}, "rv32imc": …} */
export function jsonOf(outcomes: readonly Outcome[]): unknown {
  const core = (name: "m0plus" | "rv32imc"): unknown => ({
    ...summary(outcomes.map((outcome) => outcome[name])),
    wasm2c: summary(
      outcomes.map((outcome) => outcome[name]),
      wasm2cOf,
    ),
    kernels: Object.fromEntries(
      outcomes.map((outcome) => [
        outcome.name,
        {
          ratio: round(ratioOf(outcome[name])),
          wasm2cRatio: round(wasm2cOf(outcome[name])),
          uncheckedRatio: round(uncheckedOf(outcome[name])),
          testedRatio: round(testedOf(outcome[name])),
          ...outcome[name],
        },
      ]),
    ),
  });
  return { m0plus: core("m0plus"), rv32imc: core("rv32imc") };
}

const COLUMNS = ["ratio", "`unchecked()`", "C that tests", "wasm2c"];
const RATIOS = [ratioOf, uncheckedOf, testedOf, wasm2cOf];

/** A table of Markdown, the geometric mean and the largest ratio last. */
export function tableOf(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(({ name, m0plus, rv32imc }) => [
    `\`${name}\``,
    ...[m0plus, rv32imc].flatMap((pair) => [
      ...[pair.native, pair.ours].map((count) => Math.round(count).toLocaleString("en")),
      ...RATIOS.map((of) => of(pair).toFixed(2)),
    ]),
  ]);
  const cores = [outcomes.map((o) => o.m0plus), outcomes.map((o) => o.rv32imc)];
  const last = (name: string, key: "geomean" | "max"): string[] => [
    name,
    ...cores.flatMap((pairs) => [
      ...["", ""],
      ...RATIOS.map((of) => summary(pairs, of)[key].toFixed(2)),
    ]),
  ];
  const heads = ["M0+ cycles, C", "rv32imc instructions, C"].flatMap((head) => [
    ...[head, "translated"],
    ...COLUMNS,
  ]);
  const table = [
    ["kernel", ...heads],
    ["---", ...heads.map(() => "---:")],
    ...rows,
    last("geometric mean", "geomean"),
    last("largest", "max"),
  ];
  return table.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Puts the table between its marks in aot/README.md. */
export function writeTable(
  outcomes: readonly Outcome[],
  read: (file: string, encoding: "utf8") => string,
  write: (file: string, text: string) => void,
): void {
  const text = read(README, "utf8");
  const start = text.indexOf(BEGIN) + BEGIN.length;
  const end = text.indexOf(END);
  if (start < BEGIN.length || end < start) throw new Error(`${README} has no ${BEGIN} … ${END}`);
  write(README, `${text.slice(0, start)}\n\n${tableOf(outcomes)}\n\n${text.slice(end)}`);
}

// SPDX-License-Identifier: MIT
// What a tap found out: its line, the units on it, the registers learned.
//
// The inventory is asked for by itself while it is in sight, since it is large and moves slowly.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { LearnedRegister, LearnedUnit, LineView, TapInventory, TapView } from "../api.ts";
import { formatCount, formatShare, NO_VALUE } from "./format.ts";
import { INVENTORY_MS, INVENTORY_ROWS } from "./limits.ts";
import { Fact } from "./machine-tables.tsx";

const PHASES: Record<LineView["phase"], string> = {
  listening: "listening",
  line: "line found",
  protocol: "found",
  changed: "changed",
  none: "no serial line",
};

export function LineFacts({ line }: { line: LineView }): JSX.Element {
  return (
    <dl class="figures">
      <Fact name="state">{PHASES[line.phase]}</Fact>
      <Fact name="baud">{line.baud === null ? NO_VALUE : formatCount(line.baud)}</Fact>
      <Fact name="format">{line.format ?? NO_VALUE}</Fact>
      <Fact name="polarity">{line.inverted ? "inverted" : "normal"}</Fact>
      <Fact name="protocol">{line.protocol ?? NO_VALUE}</Fact>
      <Fact name="confidence">{formatShare(line.confidence, 1)}</Fact>
      <Fact name="in frames">{formatShare(line.coverage, 1)}</Fact>
    </dl>
  );
}

/** Nothing while the tap has learned nothing. */
export function Learned({ node, tap }: { node: string; tap: TapView }): JSX.Element | null {
  const found = useInventory(node, tap);
  if (found === null || (found.units.length === 0 && found.proposed === 0)) return null;
  const query = new URLSearchParams({ node, tap: tap.name }).toString();
  const rows = found.registers.slice(0, INVENTORY_ROWS);
  const more = found.registers.length - rows.length;
  return (
    <>
      <p class="pad learned-head">
        <strong>Learned from this line</strong>
        <span class="muted">{summary(found)}</span>
        {found.proposed > 0 && (
          <a href={`/api/tap/node.json?${query}`} download="node.json">
            Proposed node.json
          </a>
        )}
      </p>
      {found.units.length > 0 && <UnitTable units={found.units} />}
      {rows.length > 0 && <LearnedTable rows={rows} />}
      {more > 0 && <p class="muted pad">and {more} more, in /api/tap</p>}
    </>
  );
}

function summary({ registers, units, registersLeftOut, proposed }: TapInventory): string {
  if (units.length === 0) return `${proposed} channels that lines of this kind usually have`;
  const more = registersLeftOut > 0 ? ", more than the node can hold" : "";
  const from = units.length === 1 ? "1 unit" : `${units.length} units`;
  return `${registers.length} registers of ${from}${more}`;
}

function useInventory(node: string, { name, learned, line }: TapView): TapInventory | null {
  const [found, setFound] = useState<TapInventory | null>(null);
  const asks = learned > 0 || line !== null;
  useEffect(() => {
    if (!asks) return undefined;
    const query = new URLSearchParams({ node, tap: name }).toString();
    let isOver = false;
    const ask = async (): Promise<void> => {
      try {
        const response = await fetch(`/api/tap?${query}`, {
          signal: AbortSignal.timeout(INVENTORY_MS),
        });
        const answer = response.ok ? ((await response.json()) as TapInventory) : null;
        if (!isOver && answer !== null) setFound(answer);
      } catch {
        // The page says by itself that the hub is away; what was learned stays in sight.
      }
    };
    void ask();
    const timer = setInterval(() => void ask(), INVENTORY_MS);
    return () => {
      isOver = true;
      clearInterval(timer);
    };
  }, [node, name, asks]);
  return found;
}

function UnitTable({ units }: { units: readonly LearnedUnit[] }): JSX.Element {
  return (
    <table class="table stack learned">
      <thead>
        <tr>
          {["Unit", "Registers", "Questions", "Answered", "Unanswered", "Exceptions", "Writes"].map(
            (name) => (
              <th key={name} scope="col" class="right">
                {name}
              </th>
            ),
          )}
          <th
            scope="col"
            class="right"
            title="from the end of the question to the end of the answer"
          >
            Answer time
          </th>
        </tr>
      </thead>
      <tbody>
        {units.map((one) => (
          <tr key={one.unit}>
            <th scope="row" class="right">
              <span class="muted">unit</span> {one.unit}
            </th>
            <Count label="registers" value={one.registers} />
            <Count label="questions" value={one.polls} />
            <Count label="answered" value={one.answered} />
            <Count label="unanswered" value={one.unanswered} />
            <Count label="exceptions" value={one.exceptions} />
            <Count label="writes" value={one.writes} />
            <td class="right" data-label="answer time">
              {one.answerUs === null ? NO_VALUE : `${(one.answerUs / 1000).toFixed(1)} ms`}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Count({ label, value }: { label: string; value: number }): JSX.Element {
  return (
    <td class="right" data-label={label}>
      {formatCount(value)}
    </td>
  );
}

const TABLES: Record<number, string> = { 1: "coils", 2: "discrete", 3: "holding", 4: "input" };

function LearnedTable({ rows }: { rows: readonly LearnedRegister[] }): JSX.Element {
  return (
    <table class="table stack learned">
      <thead>
        <tr>
          <th scope="col" class="right">
            Unit
          </th>
          <th scope="col">Table</th>
          {["Address", "Value", "Min", "Max", "Changes", "Heard", "Writes"].map((name) => (
            <th key={name} scope="col" class="right">
              {name}
            </th>
          ))}
          <th scope="col" title="plausible from its range, no proof">
            Likely
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={`${row.unit}/${row.code}/${row.address}`}>
            <th scope="row" class="right">
              <span class="muted">unit</span> {row.unit}
            </th>
            <td data-label="table">{TABLES[row.code] ?? `FC ${row.code}`}</td>
            <td class="right" data-label="address">
              {row.address}
            </td>
            <td class="right" data-label="value">
              {shown(row, row.value)}
            </td>
            <td class="right" data-label="min">
              {shown(row, row.min)}
            </td>
            <td class="right" data-label="max">
              {shown(row, row.max)}
            </td>
            <Count label="changes" value={row.changes} />
            <Count label="heard" value={row.samples} />
            <Count label="writes" value={row.writes} />
            <td data-label="likely">{row.likely}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Coils as hexadecimal, since each is a bit. */
function shown({ likely }: LearnedRegister, value: number): string {
  return likely === "bits" ? `0x${value.toString(16).padStart(4, "0")}` : String(value);
}

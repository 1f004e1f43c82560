// SPDX-License-Identifier: MIT
// Tables of 32-bit fields as AssemblyScript, laid out as prettier has it.

/** One row of a table: a name for the comment, and its fields. */
export interface Row {
  name: string;
  fields: number[];
}

/** The count and the rows of a table; `struct` says where its fields are named. */
export function table(name: string, struct: string, rows: Row[]): string {
  const lines = rows.map((row) => `  // ${row.name}\n${wrap(row.fields)}\n`);
  // An empty array would still lay its header into the module.
  const typed = rows.length === 0 ? "usize = 0" : `StaticArray<i32> = [\n${lines.join("")}]`;
  return (
    `export const ${name}_COUNT: i32 = ${rows.length};\n\n// ${struct}\n` +
    `export const ${name}_ROWS: ${typed};\n`
  );
}

/** Octets in static memory, or 0 when there are none. */
export function octetTable(name: string, about: string, octets: number[]): string {
  const typed = octets.length === 0 ? "0" : `memory.data<u8>([\n${wrap(octets)}\n])`;
  return `// ${about}\nexport const ${name}: usize = ${typed};\n`;
}

// One row on lines of at most 100 columns, as prettier has it.
function wrap(fields: number[]): string {
  const lines: string[] = [];
  let line = " ";
  for (const field of fields) {
    const next = ` ${field},`;
    if (line.length + next.length > 100) {
      lines.push(line);
      line = " ";
    }
    line += next;
  }
  return [...lines, line].join("\n");
}

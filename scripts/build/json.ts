// SPDX-License-Identifier: MIT
// Reads JSON and remembers each line, so that an error can point at a field.
//
// Spec: RFC 8259. JSON.parse says neither the line nor that a name stands twice, and takes the last one.
// A byte order mark and Windows line ends are accepted. Errors are returned with line and column, from 1.

const DEPTH_MAX = 32; // a description is 6 deep; more is a mistake, and this bounds the recursion

export type JsonResult =
  { ok: true; value: unknown; lines: Map<string, number> } | { ok: false; error: JsonError };

export interface JsonError {
  line: number;
  column: number;
  message: string;
}

interface Cursor {
  text: string;
  offset: number;
  lines: Map<string, number>; // fieldKey(path) -> line
  line: number; // line of the text at `counted`
  counted: number;
  error: JsonError | undefined; // sticky: the first one counts
}

/** Name of a path in `lines`. */
export function fieldKey(path: readonly PropertyKey[]): string {
  return path.map(String).join("\u0000");
}

/** A JSON text as value, with the line of each field. */
export function readJson(text: string): JsonResult {
  const cursor: Cursor = {
    text,
    offset: 0,
    lines: new Map(),
    line: 1,
    counted: 0,
    error: undefined,
  };
  if (text.charCodeAt(0) === 0xfeff) cursor.offset = 1;
  const value = readValue(cursor, []);
  skipSpace(cursor);
  if (cursor.offset < text.length) fail(cursor, `unexpected ${seen(cursor)} after the end`);
  if (cursor.error) return { ok: false, error: cursor.error };
  return { ok: true, value, lines: cursor.lines };
}

function fail(cursor: Cursor, message: string, offset = cursor.offset): undefined {
  if (cursor.error === undefined) {
    const before = cursor.text.slice(0, offset).split("\n");
    cursor.error = { line: before.length, column: (before.at(-1) ?? "").length + 1, message };
  }
  cursor.offset = cursor.text.length; // nothing more is read
  return undefined;
}

// Offsets only grow, so each line end is counted once.
function lineAt(cursor: Cursor, offset: number): number {
  for (; cursor.counted < offset; cursor.counted++)
    if (cursor.text[cursor.counted] === "\n") cursor.line++;
  return cursor.line;
}

function seen(cursor: Cursor): string {
  const sign = cursor.text[cursor.offset];
  return sign === undefined ? "end of the file" : JSON.stringify(sign);
}

function skipSpace(cursor: Cursor): void {
  while (/[ \t\r\n]/.test(cursor.text[cursor.offset] ?? "")) cursor.offset++;
  if (cursor.text.startsWith("//", cursor.offset) || cursor.text.startsWith("/*", cursor.offset))
    fail(cursor, "JSON has no comments");
}

function readValue(cursor: Cursor, path: string[]): unknown {
  skipSpace(cursor);
  const key = fieldKey(path);
  if (!cursor.lines.has(key)) cursor.lines.set(key, lineAt(cursor, cursor.offset));
  const sign = cursor.text[cursor.offset];
  if (path.length > DEPTH_MAX) return fail(cursor, `nested deeper than ${DEPTH_MAX}`);
  if (sign === "{") return readObject(cursor, path);
  if (sign === "[") return readArray(cursor, path);
  if (sign === '"') return readString(cursor);
  return readWord(cursor);
}

const WORDS: Record<string, unknown> = { true: true, false: false, null: null };

function readWord(cursor: Cursor): unknown {
  const word = /^[-+.\w]+/.exec(cursor.text.slice(cursor.offset, cursor.offset + 64))?.[0];
  if (word === undefined) return fail(cursor, `a value is wanted, not ${seen(cursor)}`);
  const start = cursor.offset;
  cursor.offset += word.length;
  if (Object.hasOwn(WORDS, word)) return WORDS[word];
  if (/^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/.test(word)) return Number(word);
  return fail(cursor, `${JSON.stringify(word)} is no JSON value`, start);
}

function readString(cursor: Cursor): string | undefined {
  const start = cursor.offset;
  let end = start + 1;
  while (end < cursor.text.length && cursor.text[end] !== '"' && cursor.text[end] !== "\n")
    end += cursor.text[end] === "\\" ? 2 : 1;
  if (cursor.text[end] !== '"') return fail(cursor, "this text has no closing quote", start);
  cursor.offset = end + 1;
  try {
    return JSON.parse(cursor.text.slice(start, end + 1)) as string;
  } catch {
    return fail(cursor, "this text has an escape or a sign that JSON does not know", start);
  }
}

function readArray(cursor: Cursor, path: string[]): unknown[] | undefined {
  const items: unknown[] = [];
  cursor.offset++;
  skipSpace(cursor);
  if (cursor.text[cursor.offset] === "]") return closed(cursor, items);
  for (;;) {
    items.push(readValue(cursor, [...path, String(items.length)]));
    skipSpace(cursor);
    const sign = cursor.text[cursor.offset];
    if (sign === "]") return closed(cursor, items);
    if (sign !== ",") return fail(cursor, `"," or "]" is wanted, not ${seen(cursor)}`);
    cursor.offset++;
  }
}

function readObject(cursor: Cursor, path: string[]): Record<string, unknown> | undefined {
  const object: Record<string, unknown> = {};
  cursor.offset++;
  skipSpace(cursor);
  if (cursor.text[cursor.offset] === "}") return closed(cursor, object);
  for (;;) {
    readMember(cursor, path, object);
    skipSpace(cursor);
    const sign = cursor.text[cursor.offset];
    if (sign === "}") return closed(cursor, object);
    if (sign !== ",") return fail(cursor, `"," or "}" is wanted, not ${seen(cursor)}`);
    cursor.offset++;
  }
}

function readMember(cursor: Cursor, path: string[], object: Record<string, unknown>): void {
  skipSpace(cursor);
  const start = cursor.offset;
  if (cursor.text[start] !== '"') {
    fail(
      cursor,
      cursor.text[start] === "}" ? 'a "," too many' : `a "name" is wanted, not ${seen(cursor)}`,
    );
    return;
  }
  const name = readString(cursor) ?? "";
  if (Object.hasOwn(object, name)) fail(cursor, `"${name}" stands here a second time`, start);
  if (name === "__proto__") fail(cursor, `"${name}" is not a name`, start);
  skipSpace(cursor);
  if (cursor.text[cursor.offset] !== ":") {
    fail(cursor, `":" is wanted, not ${seen(cursor)}`);
    return;
  }
  cursor.lines.set(fieldKey([...path, name]), lineAt(cursor, start));
  cursor.offset++;
  object[name] = readValue(cursor, [...path, name]);
}

function closed<T>(cursor: Cursor, value: T): T {
  cursor.offset++;
  return value;
}

// SPDX-License-Identifier: MIT
// Reporter for node:test: one JSON line for each test, and what test files print.
//
// Read by node-tests.ts. Plain JavaScript: Node loads it before TypeScript is registered.

export default async function* report(events) {
  for await (const { type, data } of events) {
    if (type === "test:pass" || type === "test:fail") {
      if (data.details?.type === "suite" && type === "test:pass") continue;
      yield `${JSON.stringify({
        kind: type === "test:pass" ? "pass" : "fail",
        suite: data.details?.type === "suite",
        name: data.name,
        file: data.file,
        line: data.line,
        nesting: data.nesting,
        skip: data.skip === undefined ? undefined : String(data.skip || "no reason given"),
        lengthMs: data.details?.duration_ms,
        error: describe(data.details?.error),
        failureType: data.details?.error?.failureType,
      })}\n`;
    } else if (type === "test:stdout" || type === "test:stderr")
      yield `${JSON.stringify({ kind: "output", file: data.file, text: data.message })}\n`;
  }
}

function describe(error) {
  if (error === undefined) return undefined;
  const cause = error.cause ?? error;
  return typeof cause === "string" ? cause : String(cause.stack ?? cause.message ?? cause);
}

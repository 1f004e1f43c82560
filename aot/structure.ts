// SPDX-License-Identifier: MIT
// Bodies without labels and branches that say nothing.
//
// A branch to where control goes anyway is dropped, and so is a block that nobody branches to. What is left
// of a counted loop is then one `if` in the loop, and further stages see it as one.

import { branchesTo } from "./copy.ts";
import type { Statement } from "./ir.ts";

/** The same statements, flatter. */
export function flatten(list: readonly Statement[]): Statement[] {
  return list.flatMap((statement): Statement[] => {
    switch (statement.kind) {
      case "block": {
        const body = flatten(statement.body);
        dropTail(body, statement.label);
        if (branchesTo(body, statement.label) === 0) return body;
        return [{ ...statement, body }];
      }
      case "loop":
        statement.body = flatten(statement.body);
        return [statement];
      case "if":
        statement.yes = flatten(statement.yes);
        statement.no = flatten(statement.no);
        return [statement];
      default:
        return [statement];
    }
  });
}

// Behind the list comes what the label means.
function dropTail(list: Statement[], label: number): void {
  const last = list.at(-1);
  if (last === undefined) return;
  if (last.kind === "branch" && last.label === label) list.pop();
  if (last.kind === "block") dropTail(last.body, label);
  if (last.kind !== "if") return;
  dropTail(last.yes, label);
  dropTail(last.no, label);
}

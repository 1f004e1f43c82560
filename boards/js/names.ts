// SPDX-License-Identifier: MIT
// Short names for what host and modules call each other in one script.
//
// The minifier leaves properties alone. Names are renamed wherever they stand: as a property, as a key, as a text of
// their own. No engine has properties of these names, and every reader of a name is in the script.

import { eachNode, type Expression, literal, type Statement } from "./tree.ts";

const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** Renames in place. Throws where there are more names than letters. */
export function shortenNames(body: readonly Statement[], names: readonly string[]): void {
  const unique = [...new Set(names)];
  if (unique.length > LETTERS.length)
    throw new Error(`${unique.length} names, too many for letters`);
  const short = new Map(unique.map((name, place) => [name, LETTERS[place]!]));
  for (const statement of body)
    eachNode(statement, (node) => {
      if (node.type === "MemberExpression" && !node.computed) rename(node.property, short);
      if (node.type === "Property") rename(node.key, short);
      if (node.type === "Literal") rename(node, short);
    });
}

function rename(key: Expression, short: ReadonlyMap<string, string>): void {
  if (key.type === "Identifier") key.name = short.get(key.name) ?? key.name;
  if (key.type !== "Literal" || typeof key.value !== "string") return;
  const letter = short.get(key.value);
  if (letter !== undefined) Object.assign(key, literal(letter), { raw: undefined }); // raw is what is written
}

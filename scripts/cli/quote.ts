// SPDX-License-Identifier: MIT
// A word as a person can paste it into a shell.

/** The word itself, in single quotes where the shell would read more into it. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

// SPDX-License-Identifier: MIT
// What a command says when it cannot do its work, and the exit code it ends with.
//
// A Failure is the user's business: one sentence that says what is wrong, one that says what to do next.
// Everything else that is thrown is a programmer's error. Exit codes are stable (CLI contract).

export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;
export const EXIT_NOT_FOUND = 3;
export const EXIT_TIMED_OUT = 4;
export const EXIT_INTERRUPTED = 130; // 128 + SIGINT, as shells have it

/** A refusal with its exit code and the next step; never shown with a stack trace. */
export class Failure extends Error {
  readonly exitCode: number;
  readonly next: string;

  constructor(exitCode: number, message: string, next = "", cause?: unknown) {
    super(message, { cause });
    this.exitCode = exitCode;
    this.next = next;
  }
}

/** Waits for a part to start; a part that says why it cannot is a Failure with its words. */
export async function started<T>(
  part: Promise<T>,
  next: string | ((message: string) => string),
): Promise<T> {
  try {
    return await part;
  } catch (error) {
    if (error instanceof Failure || !(error instanceof Error)) throw error;
    const { message } = error;
    const step = typeof next === "string" ? next : next(message);
    throw new Failure(EXIT_FAILED, message, step, error);
  }
}

/** The code of a system error such as ENOENT, or an empty string. */
export function systemCode(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
}

/** Names the path that the user gave in a system error about it; gives back anything else unchanged. */
export function about(error: unknown, path: string): unknown {
  return systemCode(error) === "" ? error : Object.assign(error as Error, { path });
}

/** Turns the system errors that a user can mend into a Failure; gives back anything else unchanged. */
export function explain(error: unknown): unknown {
  const code = systemCode(error);
  const path = error instanceof Error && "path" in error ? String(error.path) : "a file";
  if (code === "ENOSPC")
    return new Failure(
      EXIT_FAILED,
      `the disk is full: ${path} cannot be written`,
      "make room or choose another place, then run the command again",
    );
  if (code === "EROFS")
    return new Failure(
      EXIT_FAILED,
      `${path} cannot be written: its file system is read-only`,
      "choose another place, or mount it so that it can be written",
    );
  if (code === "EACCES" || code === "EPERM")
    return new Failure(
      EXIT_FAILED,
      `${path} may not be written or read (${code})`,
      "choose another place, or change the rights of this one",
    );
  if (code === "ENOENT")
    return new Failure(
      EXIT_NOT_FOUND,
      `${path} is not there, or cannot be made`,
      "choose another place, or make its folder",
    );
  if (code === "ENOTDIR" || code === "EEXIST")
    return new Failure(
      EXIT_FAILED,
      `${path}: a part of it is a file, and a folder is wanted`,
      "choose another place",
    );
  if (code === "EISDIR")
    return new Failure(EXIT_FAILED, `${path} is a folder, and a file is wanted`, "give a file");
  if (code === "EADDRINUSE") return portInUse(error);
  return error;
}

function portInUse(error: unknown): Failure {
  const port = error instanceof Error && "port" in error ? String(error.port) : "?";
  return new Failure(
    EXIT_FAILED,
    `port ${port} is in use by another program`,
    "choose another port, or end that program",
  );
}

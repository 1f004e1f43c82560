// SPDX-License-Identifier: MIT
// A thread that stays: what it loaded and optimised serves the next work.
//
// The module exports `work(input)`, as in apart.ts. One work at a time, the next ones wait in order. A thread
// that dies fails the work it had and is replaced by a new one for the next.

import { Worker } from "node:worker_threads";
import { EXIT_INTERRUPTED, Failure } from "../cli/failure.ts";

export interface Warm<Input, Output> {
  work(input: Input): Promise<Output>;
  /** Ends the thread; work under way is interrupted. */
  close(): Promise<void>;
}

/** A thread for `module`, started with its first work. */
export function createWarm<Input, Output>(module: string): Warm<Input, Output> {
  let worker: Worker | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;
  let answer: (result: Output) => void = () => undefined; // to the work under way
  let refuse: (error: unknown) => void = () => undefined;

  function once(input: Input): Promise<Output> {
    if (closed) return Promise.reject(new Failure(EXIT_INTERRUPTED, "interrupted"));
    worker ??= start();
    const mine = worker;
    return new Promise<Output>((resolve, reject) => {
      answer = resolve;
      refuse = reject;
      mine.postMessage(input);
    });
  }
  function start(): Worker {
    const made = new Worker(new URL("./worker.js", import.meta.url), {
      workerData: { module, warm: true },
    });
    made.on("message", ({ result }: { result: Output }) => answer(result));
    made.on("error", (error) => refuse(error));
    made.on("exit", () => {
      worker = undefined;
      refuse(new Failure(EXIT_INTERRUPTED, "interrupted")); // no effect after an error
    });
    return made;
  }
  return {
    work(input) {
      const result = last.then(() => once(input));
      last = result.catch(() => undefined);
      return result;
    },
    async close() {
      closed = true;
      await worker?.terminate();
    },
  };
}

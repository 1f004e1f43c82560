// SPDX-License-Identifier: MIT
// Runs a long computation in a thread of its own.
//
// So that Ctrl-C and the page stay alive meanwhile. The module exports `work(input, report)`; input and result are plain data. A Failure crosses as one.

import { Worker } from "node:worker_threads";
import { EXIT_INTERRUPTED, Failure } from "../cli/failure.ts";

export interface Apart<Progress> {
  signal?: AbortSignal; // ends the thread at once
  progress?: (value: Progress) => void;
}

/** What `work` of the module returns for `input`; rejects with what it throws. */
export function runApart<Input, Output, Progress = never>(
  module: string,
  input: Input,
  { signal, progress }: Apart<Progress> = {},
): Promise<Output> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.js", import.meta.url), {
      workerData: { module, input },
    });
    const interrupt = (): void => {
      reject(new Failure(EXIT_INTERRUPTED, "interrupted"));
      void worker.terminate();
    };
    signal?.addEventListener("abort", interrupt, { once: true });
    worker.on("message", (message: { result?: Output; progress?: Progress }) => {
      if ("progress" in message) progress?.(message.progress as Progress);
      else resolve(message.result as Output);
    });
    worker.on("error", reject);
    worker.on("exit", (code) => {
      signal?.removeEventListener("abort", interrupt);
      reject(new Error(`the thread ended early with code ${code}`)); // no effect after resolve
    });
  });
}

// SPDX-License-Identifier: MIT
// A hub with a history file as a process of its own, to be killed.
//
// Arguments: the broker's address, the file, and a sequence number of press-1. Writes "ready" when it
// is up, and "heard" when it has that reading and a commit is behind it.

import { startHub } from "../../hub/server.ts";
import { PLAIN_PAGE, PLANT } from "../support/fixture-hub.ts";

const [brokerUrl = "", historyFile = "", sequence = ""] = process.argv.slice(2);
const log = { info: () => undefined, warn: (text: string) => process.stderr.write(`${text}\n`) };
const { hub } = await startHub({
  config: PLANT,
  brokerUrl,
  pageHost: "127.0.0.1",
  pagePort: 0,
  log,
  page: PLAIN_PAGE,
  historyFile,
});
process.stdout.write("ready\n");
let ticks = 0; // since it has it
setInterval(() => {
  if (hub.has("press-1", 1, Number(sequence)) && ++ticks === 10) process.stdout.write("heard\n");
}, 100);

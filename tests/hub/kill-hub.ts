// SPDX-License-Identifier: MIT
// A hub with a history file as a process of its own, to be killed.
//
// Arguments: the broker's address and the file. Writes "ready" when it is subscribed.

import { startHub } from "../../hub/server.ts";
import { PLAIN_PAGE, PLANT } from "../support/fixture-hub.ts";

const [brokerUrl = "", historyFile = ""] = process.argv.slice(2);
const log = { info: () => undefined, warn: (text: string) => process.stderr.write(`${text}\n`) };
await startHub({
  config: PLANT,
  brokerUrl,
  pageHost: "127.0.0.1",
  pagePort: 0,
  log,
  page: PLAIN_PAGE,
  historyFile,
});
process.stdout.write("ready\n");

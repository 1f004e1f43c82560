// SPDX-License-Identifier: MIT
// Says at the start which nodes of a plant send on a line.

import type { PlantPlan } from "../../host-sim/plan.ts";
import { say } from "../cli/terminal.ts";

/** A line of talk for each tap that polls. */
export function tellPolls({ nodes }: PlantPlan): void {
  for (const { id, taps } of nodes)
    for (const { name, polls, baud, format } of taps)
      if (polls === true) say(`${id}/${name} polls: it sends on its line, ${baud} ${format}`);
}

// SPDX-License-Identifier: MIT
// The plant that a command takes when none is named.

import { fileURLToPath } from "node:url";

export const EXAMPLE_PLANT = fileURLToPath(new URL("../../plants/example", import.meta.url));

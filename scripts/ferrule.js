#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// The `ferrule` command: makes Node read TypeScript, then hands over.
//
// Works from any folder and as an installed package: everything is found beside this file.

import { register } from "tsx/esm/api";

register();
await import("./ferrule.ts");

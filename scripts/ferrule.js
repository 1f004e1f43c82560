#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// The `ferrule` command: makes Node read TypeScript, then hands over.
//
// Works from any folder and as an installed package: everything is found beside this file.

const tsx = await import("tsx/esm/api").catch((error) => {
  if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
});
if (tsx === undefined) {
  process.stderr.write(
    "ferrule: its packages are not installed\n  next: npm ci --ignore-scripts\n",
  );
  process.exitCode = 1;
} else {
  tsx.register();
  await import("./run/packages.js");
  await import("./ferrule.ts");
}

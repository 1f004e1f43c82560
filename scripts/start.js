// SPDX-License-Identifier: MIT
// What the npm scripts call: installs by itself, then hands over.
//
// Plain JavaScript, so that any Node can say one clear sentence; nothing but Node's own modules is needed.
// The work runs in this same process: arguments, signals and exit codes are its own.

var major = Number(process.versions.node.split(".")[0]);
var oldestMajor = 20; // package.json's "engines"

if (major < oldestMajor) {
  console.error(
    "ferrule: needs Node " +
      oldestMajor +
      " or newer, and this is " +
      process.versions.node +
      "; install it from https://nodejs.org",
  );
  process.exitCode = 1;
} else {
  import("./steps/start.js").then((start) => start.run(process.argv.slice(2)));
}

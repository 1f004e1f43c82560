// SPDX-License-Identifier: MIT
// T12: every dependency is pinned, locked and explained.

import type { Problem } from "./file.ts";

interface Package {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

/** Checks package.json against the lock file, ARCHITECTURE.md and .npmrc; absent files are empty texts. */
export function dependencies(read: (path: string) => string): Problem[] {
  const own = JSON.parse(read("package.json") || "{}") as Package;
  const lock = JSON.parse(read("package-lock.json") || "{}") as {
    packages?: Record<string, { version?: string }>;
  };
  const explained = read("ARCHITECTURE.md").split(/[\s`,|()]+/);
  const found: Problem[] = [];
  const say = (path: string, text: string): void => {
    found.push({ path, line: 1, rule: "T12", text });
  };
  for (const [name, version] of Object.entries({ ...own.dependencies, ...own.devDependencies })) {
    if (!/^\d+\.\d+\.\d+$/.test(version))
      say("package.json", `${name} ${version}: pin one version`);
    else if (lock.packages?.[`node_modules/${name}`]?.version !== version)
      say("package-lock.json", `${name} ${version} is not locked: run npm install`);
    if (!explained.some((word) => word === name))
      say("ARCHITECTURE.md", `${name} has no line that says what it saves us`);
  }
  if (!/^engine-strict=true$/m.test(read(".npmrc"))) say(".npmrc", "engine-strict=true is missing");
  return found;
}

// SPDX-License-Identifier: MIT
// Installs the packages of the lock file when they are not there: `npm ci`, once.
//
// A stamp in node_modules names the lock file it was made from. It is written last and taken away first, so
// that an installation that broke off is never trusted. Packages that were installed by hand count as well.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const OUTPUT_BYTES_MAX = 1 << 20; // of npm's talk; the end of it tells

const NETWORK = new RegExp(
  "E(?:NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT|NETUNREACH|HOSTUNREACH|SOCKETTIMEDOUT)" +
    "|ERR_SOCKET_TIMEOUT|CERT_[A-Z_]+|SELF_SIGNED[A-Z_]+",
);
const FORBIDDEN = /EACCES|EPERM|EROFS/;

/** Installs what is missing; returns undefined, or one message that says why it could not. */
export async function installPackages(withTools, root = ROOT) {
  const lockFile = join(root, "package-lock.json");
  if (!existsSync(lockFile)) return undefined; // an installed package has its dependencies beside it
  const lock = readFileSync(lockFile, "utf8");
  const stamp = { lock: createHash("sha256").update(lock).digest("hex"), withTools };
  if (fits(root, lock, stamp)) return undefined;
  const stampFile = join(root, "node_modules", ".ferrule-installed.json");
  try {
    rmSync(stampFile, { force: true });
    rmSync(join(root, "node_modules", ".package-lock.json"), { force: true });
  } catch (error) {
    return explain(String(error), root);
  }
  process.stderr.write(`installing npm packages${withTools ? " and tools" : ""} (once)\n`);
  const { code, output } = await runNpm(root, withTools);
  if (code !== 0) return explain(output, root);
  writeFileSync(`${stampFile}.new`, JSON.stringify(stamp));
  renameSync(`${stampFile}.new`, stampFile);
  return undefined;
}

/** True when the stamp, or what npm itself wrote down, covers the lock file. */
export function fits(root, lock, stamp) {
  const modules = join(root, "node_modules");
  const found = readJson(join(modules, ".ferrule-installed.json"));
  if (found?.lock === stamp.lock && (found.withTools || !stamp.withTools)) return true;
  const installed = readJson(join(modules, ".package-lock.json"))?.packages;
  if (installed === undefined) return false;
  return Object.entries(JSON.parse(lock).packages).every(
    ([path, wanted]) =>
      path === "" ||
      wanted.optional === true ||
      (wanted.dev === true && !stamp.withTools) ||
      (installed[path]?.version === wanted.version && existsSync(join(root, path))),
  );
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

// npm runs as the same program as this one where npm started us; its talk is kept for the message.
function runNpm(root, withTools) {
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  args.push("--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000");
  if (!withTools) args.push("--omit=dev");
  const npm = process.env.npm_execpath;
  const ours = npm !== undefined && /npm-cli\.c?js$/.test(npm);
  const [program, first] = ours ? [process.execPath, [npm]] : ["npm", []];
  return new Promise((resolve) => {
    const child = spawn(program, [...first, ...args], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const keep = (chunk) => {
      output = (output + String(chunk)).slice(-OUTPUT_BYTES_MAX);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", (error) => resolve({ code: 1, output: String(error) }));
    child.on("close", (code) => resolve({ code: code ?? 130, output }));
  });
}

/** One message for what npm said. */
export function explain(output, root) {
  const code = NETWORK.exec(output)?.[0];
  const again = "then run the same command again; nothing half-installed is used";
  if (code !== undefined)
    return `the npm registry cannot be reached (${code}): check the network or the proxy, ${again}`;
  if (/ENOSPC/.test(output)) return `the disk is full: make room, ${again}`;
  if (FORBIDDEN.test(output))
    return `${join(root, "node_modules")} may not be written: run as its owner, ${again}`;
  if (/spawn npm ENOENT/.test(output)) return `npm is not on the PATH: install it, ${again}`;
  const last = output.trim().split("\n").slice(-5).join("\n  ");
  return `npm could not install the packages:\n  ${last}\nmend that, ${again}`;
}

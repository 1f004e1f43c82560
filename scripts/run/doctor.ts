// SPDX-License-Identifier: MIT
// Looks at this machine: Node, packages, cache, ports, page, rights.
//
// Nothing is changed. What `ferrule up` needs is marked as needed; the rest only tests or taps need.

import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { createSocket } from "node:dgram";
import { join } from "node:path";
import { cacheFolder } from "../build/cache.ts";
import { PROJECT } from "../build/sources.ts";
import { DEBIAN_PACKAGES, isInstalled, installLine } from "./debian.ts";
import { PAGE_PORT, portIsFree } from "./ports.ts";

export interface Finding {
  name: string;
  ok: boolean;
  needed: boolean; // `ferrule up` does not run without it
  text: string; // what was found
  mend: string; // the line that mends it; empty when ok
}

const NODE_MAJOR_MIN = 20;
const GATEWAY_PORT = 10_000;

/** All findings, in the order a new user meets them. */
export async function examine(): Promise<Finding[]> {
  return [
    checkNode(),
    checkPackages(),
    checkCache(),
    await checkPagePort(),
    await checkGatewayPort(),
    await checkPage(),
    ...DEBIAN_PACKAGES.map(({ name, proof, use }) =>
      finding(`Debian's ${name}`, isInstalled(proof), false, use, installLine([name])),
    ),
    checkSerial(),
  ];
}

function finding(name: string, ok: boolean, needed: boolean, text: string, mend: string): Finding {
  return { name, ok, needed, text, mend: ok ? "" : mend };
}

function checkNode(): Finding {
  const major = Number(process.versions.node.split(".")[0]);
  const mend = "install Node 20 or newer from https://nodejs.org";
  return finding("Node", major >= NODE_MAJOR_MIN, true, process.versions.node, mend);
}

function checkPackages(): Finding {
  const { dependencies } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const missing = Object.keys(dependencies).filter((name) => !resolves(name));
  const text = missing.length === 0 ? "all there" : `without ${missing.join(", ")}`;
  return finding("npm packages", missing.length === 0, true, text, "npm ci --ignore-scripts");
}

function resolves(name: string): boolean {
  for (let folder = PROJECT; ; folder = join(folder, "..")) {
    if (existsSync(join(folder, "node_modules", name, "package.json"))) return true;
    if (folder === join(folder, "..")) return false;
  }
}

function checkCache(): Finding {
  const folder = cacheFolder();
  const text = folder ?? "no folder may be written; every start builds anew";
  const mend = "export XDG_CACHE_HOME=/a/folder/of/yours";
  return finding("cache of built modules", folder !== undefined, false, text, mend);
}

async function checkPagePort(): Promise<Finding> {
  const free = await portIsFree({ host: "127.0.0.1", port: PAGE_PORT });
  const state = free ? "is free" : "is taken; ferrule up takes the next free one";
  const text = `TCP ${PAGE_PORT} ${state}`;
  return finding("port of the page", free, false, text, `ss -ltnp 'sport = :${PAGE_PORT}'`);
}

async function checkGatewayPort(): Promise<Finding> {
  const free = await new Promise<boolean>((resolve) => {
    const socket = createSocket("udp4");
    socket.once("error", () => resolve(false));
    socket.bind(GATEWAY_PORT, "127.0.0.1", () => socket.close(() => resolve(true)));
  });
  const text = `UDP ${GATEWAY_PORT} ${free ? "is free" : "is taken"}`;
  return finding("port of ferrule gateway", free, false, text, "ferrule gateway --udp 10001 ...");
}

async function checkPage(): Promise<Finding> {
  try {
    const { bundlePage } = await import("../../hub/web/bundle.ts");
    const { js } = await bundlePage();
    return finding("page", true, true, `compiles to ${Math.round(js.length / 1024)} KB`, "");
  } catch (error) {
    const text = String(error).split("\n")[0] ?? "";
    return finding("page", false, true, text, "npm ci --ignore-scripts");
  }
}

function checkSerial(): Finding {
  const ports = existsSync("/dev")
    ? readdirSync("/dev").filter((name) => /^tty(USB|ACM|AMA)\d+$/.test(name))
    : [];
  const refused = ports.filter((name) => !mayUse(join("/dev", name)));
  const user = spawnSync("id", ["-un"], { encoding: "utf8" }).stdout?.trim() || "$USER";
  const text = ports.length === 0 ? "no port is plugged in" : `${ports.length} ports`;
  return finding(
    "serial ports",
    refused.length === 0,
    false,
    refused.length === 0 ? text : `no right to ${refused.join(", ")}`,
    `sudo usermod -aG dialout ${user}   (then log in again)`,
  );
}

function mayUse(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

// SPDX-License-Identifier: MIT
// Debian packages that tests use as judges: found and installed.
//
// `ferrule up` needs none of them. Nothing recommended comes along; services of the packages do not start.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

export interface DebianPackage {
  name: string;
  proof: string; // a program on the PATH or in sbin, or a path
  use: string;
}

export const DEBIAN_PACKAGES: readonly DebianPackage[] = [
  { name: "mosquitto", proof: "mosquitto", use: "a second MQTT broker, for tests" },
  { name: "mosquitto-clients", proof: "mosquitto_sub", use: "a second MQTT client, for tests" },
  { name: "tshark", proof: "tshark", use: "a second reader of MQTT-SN, for tests" },
  { name: "chromium", proof: "chromium", use: "a browser for the page, for tests" },
  { name: "gcc", proof: "gcc", use: "a compiler of the C that ferrule aot writes, for tests" },
  {
    name: "libc6-dev",
    proof: "/usr/include/stdio.h",
    use: "the C library's headers, for the same tests",
  },
  {
    name: "gcc-arm-none-eabi",
    proof: "arm-none-eabi-gcc",
    use: "a compiler for Cortex-M0+ boards, for the same tests",
  },
  {
    name: "gcc-riscv64-unknown-elf",
    proof: "riscv64-unknown-elf-gcc",
    use: "a compiler for RV32 boards, for the same tests",
  },
  {
    name: "qemu-system-arm",
    proof: "qemu-system-arm",
    use: "a second Armv6-M processor, for tests",
  },
  {
    name: "python3-cbor2",
    proof: "/usr/lib/python3/dist-packages/cbor2",
    use: "a second reader of CBOR, for tests",
  },
  { name: "duktape", proof: "duk", use: "a second JavaScript engine, for tests" },
  { name: "mbpoll", proof: "mbpoll", use: "a Modbus master of others, with libmodbus, for tests" },
  {
    name: "python3-pymodbus",
    proof: "/usr/lib/python3/dist-packages/pymodbus",
    use: "a second Modbus master and slave, for tests",
  },
  {
    name: "python3-serial-asyncio",
    proof: "/usr/lib/python3/dist-packages/serial_asyncio",
    use: "serial lines for python3-pymodbus, for tests",
  },
];

const INSTALL_MS_MAX = 15 * 60_000; // chromium is 300 MB unpacked

/** Packages whose proof is absent. */
export function missingPackages(): string[] {
  return DEBIAN_PACKAGES.filter(({ proof }) => !isInstalled(proof)).map(({ name }) => name);
}

/** True when a program is on the PATH or in sbin, or a path exists. */
export function isInstalled(proof: string): boolean {
  if (proof.startsWith("/")) return existsSync(proof);
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return [...folders, "/usr/sbin", "/usr/local/sbin"].some((f) => existsSync(join(f, proof)));
}

/** The line a person runs to install packages. */
export function installLine(names: readonly string[]): string {
  return `sudo apt-get install --no-install-recommends ${names.join(" ")}`;
}

/** Installs packages as root; undefined when it worked, else why not. */
export function installPackages(names: readonly string[]): string | undefined {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const steps = [
    ["update", "-qq"],
    ["install", "-qq", "-y", "--no-install-recommends", ...names],
  ];
  for (const args of steps) {
    const run = spawnSync("apt-get", args, { env, encoding: "utf8", timeout: INSTALL_MS_MAX });
    if (run.status !== 0) return lastLines(run.error?.message ?? run.stderr ?? "");
  }
  return undefined;
}

function lastLines(text: string): string {
  return text.trim().split("\n").slice(-3).join("\n");
}

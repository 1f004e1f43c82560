// SPDX-License-Identifier: MIT
// The DHCP client of the boards, as a process: what it believes, and what it asks.
//
// Goal: hostile answers change nothing but a counter, no octet beyond a message is read, messages are those of RFC 2131
// table 5. Method: the client's own C under AddressSanitizer; a server model; tshark reads what the client writes.

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { createDhcpServer, type DhcpSettings } from "../../host-sim/network/dhcp-server.ts";
import { addressOf } from "../../host-sim/network/ethernet.ts";
import { encodePcapDatagram, encodePcapHeader } from "../../host-sim/pcap.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { PROJECT } from "../support/ferrule.ts";
import { program } from "../support/need.ts";
import { HOSTILE, patched, withOption } from "./dhcp-hostile.ts";

const tools = program("cc");
const readers = program("cc", "tshark");
const folder = mkdtempSync(join(tmpdir(), "ferrule dhcp "));
const path = join(folder, "client");
const FUZZED = 3000;
const children: ChildProcess[] = [];
const [SELECTING, REQUESTING, CHECKING, BOUND, RENEWING, REBINDING] = [2, 3, 4, 5, 6, 7];
const POOL: DhcpSettings = {
  ...{ address: addressOf("192.0.2.1"), mask: addressOf("255.255.255.0") },
  ...{ router: addressOf("192.0.2.1"), first: addressOf("192.0.2.50"), count: 9, leaseS: 3600 },
};

before(() => {
  if (tools.skip !== false) return;
  const ethernet = join(PROJECT, "boards/rp2040/ethernet");
  const sources = [join(PROJECT, "tests/boards/dhcp-main.c")];
  sources.push(join(ethernet, "dhcp.c"), join(ethernet, "dhcp-message.c"));
  const checks = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
  const warnings = ["-std=gnu11", "-Wall", "-Wextra", "-Werror"];
  const paths = ["-I", ethernet, "-I", join(PROJECT, "boards/rp2040")];
  execFileSync("cc", [...checks, ...warnings, ...paths, ...sources, "-o", path]);
});
after(() => {
  for (const child of children) child.kill();
  rmSync(folder, { recursive: true, force: true });
});

interface Said {
  state: number;
  dueMs: number;
  address: number;
  mask: number;
  router: number;
  counters: number[]; // malformed, foreign, unexpected, refusals, conflicts, leases
  to: number;
  message: Uint8Array | undefined;
}

function startClient() {
  const child: ChildProcess = spawn(path, { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  async function command(text: string): Promise<Said> {
    child.stdin!.write(`${text}\n`);
    const { value, done } = await lines.next();
    assert.ok(done !== true, `the client ended at: ${text.slice(0, 80)}`);
    const words = String(value).split(" ");
    const numbers = words.slice(0, 11).map(Number);
    const [state, dueMs, address, mask, router] = numbers as [
      number,
      number,
      number,
      number,
      number,
    ];
    const [to, hex] = words[11]!.split(":");
    const message = hex === undefined ? undefined : Uint8Array.from(Buffer.from(hex, "hex"));
    const counters = numbers.slice(5);
    return { state, dueMs, address, mask, router, counters, to: Number(to), message };
  }
  const take = (ms: number, bytes: Uint8Array): Promise<Said> =>
    command(`take ${ms} ${Buffer.from(bytes).toString("hex")}`);
  return { command, take, end: () => child.stdin!.end() };
}

type Client = ReturnType<typeof startClient>;

const server = (nowMs = () => 0, more: Partial<DhcpSettings> = {}) =>
  createDhcpServer({ ...POOL, ...more }, nowMs);

/** Cable in, DISCOVER, OFFER; the client has asked for what was offered: gives that REQUEST. */
async function toRequest(client: Client, dhcp = server()): Promise<Uint8Array> {
  const { dueMs } = await client.command("cable 0 1");
  const discover = await client.command(`poll ${dueMs} `);
  await client.take(dueMs, dhcp.take(discover.message!)!.message);
  const request = await client.command(`poll ${dueMs} `);
  assert.equal(request.state, REQUESTING);
  return request.message!;
}

test("an answer that no client may follow changes nothing but a counter", tools, async () => {
  for (const [what, hostile] of Object.entries(HOSTILE)) {
    if (what === "of 1,400 octets") continue; // longer than the driver's buffer: it never comes so far
    const client = startClient();
    const dhcp = server();
    const ack = dhcp.take(await toRequest(client, dhcp))!.message;
    const said = await client.take(1000, hostile(ack));
    const [malformed, foreign, unexpected] = said.counters;
    assert.deepEqual([said.state, said.address], [REQUESTING, 0], what);
    assert.equal(malformed! + foreign! + unexpected!, 1, what);
    client.end();
  }
});

test("an OFFER is no ACK, and only the server that was asked may answer", tools, async () => {
  const client = startClient();
  const dhcp = server();
  const ack = dhcp.take(await toRequest(client, dhcp))!.message;
  const other = withOption(ack, 54, [192, 0, 2, 77]);
  assert.equal((await client.take(1000, other)).state, REQUESTING);
  assert.equal((await client.take(1000, withOption(ack, 53, [2]))).state, REQUESTING);
  assert.equal((await client.take(1000, patched(ack, 19, 51))).state, REQUESTING); // another address
  const { state, counters } = await client.take(1000, ack);
  assert.equal(state, CHECKING);
  assert.equal(counters[2], 3);
  const bound = await client.command("checked 1300 0");
  assert.deepEqual([bound.state, bound.address, bound.router], [BOUND, POOL.first, POOL.router]);
  client.end();
});

test(
  "a router outside the network is none, a mask that is missing is the class's",
  tools,
  async () => {
    const client = startClient();
    const dhcp = server();
    const ack = dhcp.take(await toRequest(client, dhcp))!.message;
    const at = ack.indexOf(1, 255); // option 1 behind server and lease
    const bare = patched(withOption(ack, 3, [198, 51, 100, 1]), at, 224); // an option nobody knows
    await client.take(1000, bare);
    const said = await client.command("checked 1300 0");
    assert.deepEqual([said.address, said.mask, said.router], [POOL.first, 0xffffff00, 0]);
    client.end();
  },
);

test(
  "times of a lease that make no sense are replaced, and asked in their order",
  tools,
  async () => {
    for (const [t1S, t2S] of [
      [0, 0],
      [9000, 10],
      [3600, 3600],
      [0xffffffff, 0xffffffff],
    ] as const) {
      const client = startClient();
      const dhcp = server(() => 0, { t1S, t2S });
      await client.take(1000, dhcp.take(await toRequest(client, dhcp))!.message);
      const { dueMs } = await client.command("checked 1300 0");
      assert.ok(dueMs > 0 && dueMs <= 1_801_000, `T1 at ${dueMs} ms of ${t1S}, ${t2S}`);
      client.end();
    }
  },
);

test("renewing asks the server, rebinding anybody; the lease ends", tools, async () => {
  const client = startClient();
  const dhcp = server();
  await client.take(1000, dhcp.take(await toRequest(client, dhcp))!.message);
  let said = await client.command("checked 1300 0");
  const asked: [number, number][] = [];
  let ms = 0;
  while (said.address !== 0 && asked.length < 50) {
    ms = said.dueMs;
    said = await client.command(`poll ${ms} `);
    if (said.message !== undefined) asked.push([said.state, said.to]);
  }
  assert.ok(ms >= 3_600_000 && ms < 3_602_000, `${ms}`);
  assert.deepEqual(asked[0], [RENEWING, POOL.address]);
  assert.deepEqual(asked.at(-1), [REBINDING, 0xffffffff]);
  const firstRebind = asked.findIndex(([state]) => state === REBINDING);
  assert.ok(asked.slice(firstRebind).every(([state]) => state === REBINDING));
  client.end();
});

test(
  "random damage: no octet outside a message is read, no address is made up",
  tools,
  async () => {
    const prng = createPrng(11);
    const client = startClient();
    const dhcp = server();
    const ack = dhcp.take(await toRequest(client, dhcp))!.message;
    for (let i = 0; i < FUZZED; i++) {
      const bytes = ack.slice(0, 236 + prng.below(ack.length - 235));
      for (let k = prng.below(6); k >= 0; k--)
        bytes[236 + prng.below(ack.length - 236)] = prng.below(256);
      const { state } = await client.take(1000, bytes);
      if (state === REQUESTING) continue;
      const said = await client.command("checked 1000 0"); // the damage was of what nobody reads
      if (said.state === BOUND) assert.equal(said.address, POOL.first);
      await client.command("cable 1000 0");
      break;
    }
    client.end();
  },
);

test("tshark reads DISCOVER, REQUEST and renewal as RFC 2131 has them", readers, async () => {
  const client = startClient();
  const dhcp = server();
  const { dueMs } = await client.command("cable 0 1");
  const discover = await client.command(`poll ${dueMs} `);
  assert.equal(discover.state, SELECTING);
  await client.take(dueMs, dhcp.take(discover.message!)!.message);
  const request = await client.command(`poll ${dueMs} `);
  const ack = dhcp.take(request.message!)!.message;
  await client.take(dueMs, ack);
  const bound = await client.command("checked 1300 0");
  const renewal = await client.command(`poll ${bound.dueMs} `);
  const rows = dissect([discover.message!, request.message!, ack, renewal.message!]);
  const [flag, none, mac] = ["0x8000", "0.0.0.0", "02:00:00:00:00:07"];
  const both = `${mac},${mac}`; // chaddr and client identifier
  assert.deepEqual(rows, [
    ["1", flag, none, both, "", "", "oven-1"],
    ["3", flag, none, both, "192.0.2.50", "192.0.2.1", "oven-1"],
    ["5", flag, none, mac, "", "192.0.2.1", ""],
    ["3", "0x0000", "192.0.2.50", both, "", "", "oven-1"],
  ]);
  client.end();
});

function dissect(messages: readonly Uint8Array[]): string[][] {
  const file = join(folder, "dhcp.pcap");
  const [from, to] = [
    { host: "192.0.2.9", port: 68 },
    { host: "192.0.2.1", port: 67 },
  ];
  const records = messages.map((message, i) => encodePcapDatagram(i, from, to, message));
  writeFileSync(file, Buffer.concat([encodePcapHeader(), ...records]));
  const fields = ["option.dhcp", "flags", "ip.client", "hw.mac_addr"];
  fields.push("option.requested_ip_address", "option.dhcp_server_id", "option.hostname");
  const args = ["-r", file, "-T", "fields", ...fields.flatMap((field) => ["-e", `dhcp.${field}`])];
  const said = execFileSync("tshark", args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return said
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));
}

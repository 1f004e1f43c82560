// SPDX-License-Identifier: MIT
// A DHCP server: a pool, a lease time, and the moods that a test asks for.
//
// Spec: RFC 2131 4.3, RFC 2132. Octets in, octets out. A client keeps its address while its lease holds; after
// that it may go to another. What was declined is not offered again.

import { BROADCAST } from "./ethernet.ts";

const [OP, XID, FLAGS, CIADDR, YIADDR, CHADDR, MAGIC, OPTIONS] = [0, 4, 10, 12, 16, 28, 236, 240];
export const [DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK] = [1, 2, 3, 4, 5, 6] as const;
const [MASK, ROUTER, REQUESTED, LEASE, TYPE, SERVER, T1, T2] = [1, 3, 50, 51, 53, 54, 58, 59];
const END = 255;

export interface DhcpSettings {
  address: number; // of the server
  mask: number;
  router: number;
  first: number; // of the pool
  count: number;
  leaseS: number;
  t1S?: number; // absent: not said
  t2S?: number;
}

export interface DhcpServer {
  /** May be changed at any time. */
  readonly settings: DhcpSettings;
  /** Answers nothing; answers each REQUEST with NAK. */
  readonly mood: { silent: boolean; refuses: boolean };
  /** Message types that came. */
  readonly asked: number[];
  /** By hardware address in hexadecimal. */
  readonly leases: Map<string, { address: number; endMs: number }>;
  /** What is answered, and to which address. */
  take(message: Uint8Array): { to: number; message: Uint8Array } | undefined;
}

interface Request {
  type: number;
  mac: string;
  requested: number; // option 50, 0: none
  server: number; // option 54, 0: none
  ciaddr: number;
}

export function createDhcpServer(settings: DhcpSettings, nowMs: () => number): DhcpServer {
  const declined = new Set<number>();
  const server: DhcpServer = {
    settings,
    mood: { silent: false, refuses: false },
    asked: [],
    leases: new Map(),
    take(message) {
      const request = readRequest(message);
      if (request === undefined) return undefined;
      server.asked.push(request.type);
      if (server.mood.silent) return undefined;
      if (request.type === DECLINE) {
        declined.add(request.requested);
        server.leases.delete(request.mac);
      }
      const { type, address } = decide(server, declined, request, nowMs());
      if (type === 0) return undefined;
      const isReachable = request.ciaddr !== 0 && type === ACK;
      const answer = writeAnswer(server.settings, message, type, address);
      return { to: isReachable ? request.ciaddr : BROADCAST, message: answer };
    },
  };
  return server;
}

function decide(
  { leases, settings, mood }: DhcpServer,
  declined: ReadonlySet<number>,
  request: Request,
  nowMs: number,
): { type: number; address: number } {
  const own = leases.get(request.mac);
  const address = own !== undefined && own.endMs > nowMs ? own.address : freeOf();
  if (request.type === DISCOVER) return { type: address === 0 ? 0 : OFFER, address };
  if (request.type !== REQUEST) return { type: 0, address: 0 };
  if (request.server !== 0 && request.server !== settings.address) return { type: 0, address: 0 };
  const wanted = request.ciaddr !== 0 ? request.ciaddr : request.requested;
  if (mood.refuses || wanted !== address) return { type: NAK, address: 0 };
  leases.set(request.mac, { address, endMs: nowMs + settings.leaseS * 1000 });
  return { type: ACK, address };

  function freeOf(): number {
    const held = [...leases].flatMap(([mac, { address: at, endMs }]) =>
      endMs > nowMs && mac !== request.mac ? [at] : [],
    );
    for (let at = settings.first; at < settings.first + settings.count; at++)
      if (!declined.has(at) && !held.includes(at)) return at;
    return 0;
  }
}

function readRequest(message: Uint8Array): Request | undefined {
  if (message.length < OPTIONS || message[OP] !== 1) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const mac = Buffer.from(message.subarray(CHADDR, CHADDR + 6)).toString("hex");
  const request: Request = {
    ...{ type: 0, mac, requested: 0, server: 0, ciaddr: view.getUint32(CIADDR) },
  };
  for (let at = OPTIONS; at < message.length && message[at] !== END;) {
    if (message[at] === 0) {
      at++;
      continue;
    }
    const [code, from] = [message[at]!, at + 2];
    if (code === TYPE) request.type = message[from]!;
    if (code === REQUESTED) request.requested = view.getUint32(from);
    if (code === SERVER) request.server = view.getUint32(from);
    at = from + message[at + 1]!;
  }
  return request;
}

function writeAnswer(
  settings: DhcpSettings,
  request: Uint8Array,
  type: number,
  address: number,
): Uint8Array {
  const numbers: [number, number | undefined][] =
    type === NAK
      ? [[SERVER, settings.address]]
      : [
          [SERVER, settings.address],
          [LEASE, settings.leaseS],
          [MASK, settings.mask],
          [ROUTER, settings.router],
          [T1, settings.t1S],
          [T2, settings.t2S],
        ];
  const said = numbers.filter((row): row is [number, number] => row[1] !== undefined);
  const answer = new Uint8Array(OPTIONS + 3 + 6 * said.length + 1);
  const view = new DataView(answer.buffer);
  answer.set([2, 1, 6, 0], OP);
  answer.set(request.subarray(XID, XID + 4), XID);
  answer.set(request.subarray(FLAGS, FLAGS + 2), FLAGS);
  view.setUint32(YIADDR, address);
  answer.set(request.subarray(CHADDR, CHADDR + 16), CHADDR);
  answer.set(request.subarray(MAGIC, MAGIC + 4), MAGIC);
  answer.set([TYPE, 1, type], OPTIONS);
  said.forEach(([code, value], row) => {
    const at = OPTIONS + 3 + 6 * row;
    answer.set([code, 4], at);
    view.setUint32(at + 2, value);
  });
  answer[answer.length - 1] = END;
  return answer;
}

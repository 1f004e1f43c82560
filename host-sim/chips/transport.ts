// SPDX-License-Identifier: MIT
// What stands between a board's pins and the network of datagrams.

/** Made for one power-on of a board. */
export interface Transport {
  /** A datagram of "host:port" came; false: no room, it is lost. */
  hear(from: string, message: Uint8Array): boolean;
  /** The power went. */
  end(): void;
}

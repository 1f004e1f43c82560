// SPDX-License-Identifier: MIT
// Who a JavaScript board is and where its gateways are: its settings file.
//
// Spec: SPEC.md section 21. One bundle serves all nodes of a type; what differs is here. It holds a password, so that
// nobody prints it, and no manifest has it.

import { EXIT_FAILED, Failure } from "../cli/failure.ts";
import { eui64Of, type Identity } from "./identity.ts";
import type { JsBoard } from "./js-board.ts";

const NEXT = "mend the identity file; SPEC.md section 21 says what stands in it";

/** The text of the settings file: ASCII, keys in a fixed order. Throws Failure for what the board cannot do. */
export function settingsText(board: JsBoard, identity: Identity): string {
  const { id, eui64, wifi, network } = identity;
  const refuse = (what: string): Failure =>
    new Failure(EXIT_FAILED, `${board.name}: ${what}`, NEXT);
  const [gateway] = network?.gateways ?? [];
  if (id === undefined) throw refuse('it needs an "id"');
  if (board.network.kind === "serial") {
    if (wifi !== undefined || network !== undefined)
      throw refuse("it has no network of its own, but the identity file names one");
  } else {
    if (wifi === undefined) throw refuse('it needs "wifi": {"ssid": "…", "password": "…"}');
    if (gateway === undefined)
      throw refuse('it needs "network": {"gateways": ["192.0.2.2:10000"]}: it cannot search');
    if (network?.address !== undefined || network?.router !== undefined)
      throw refuse("its engine asks for an address (DHCP): leave address and router out");
  }
  const settings = {
    id,
    eui64: eui64 ?? Buffer.from(eui64Of(id)).toString("hex"),
    gateway,
    ...wifi,
  };
  return JSON.stringify(settings).replaceAll(/[\u007f-\uffff]/g, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

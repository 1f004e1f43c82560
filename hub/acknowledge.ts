// SPDX-License-Identifier: MIT
// What an alarm is: standing, acknowledged, returned; and who acknowledged it.
//
// The states and words of ISA-18.2. Acknowledging never hides an alarm that stands.
//
//   normal -raise-> unacknowledged -acknowledge-> acknowledged -return-> normal
//   unacknowledged -return-> returned -acknowledge-> normal        returned -raise-> unacknowledged

import type { AlarmView } from "./api.ts";
import { putNodeChange } from "./changes.ts";
import { type Core, tell, touch } from "./core.ts";
import type { AlarmLimit } from "./decode-birth.ts";

export interface AlarmState {
  active: boolean;
  sinceMs: number; // when it was raised; of one that was seen to return only, when that was
  returnedMs: number | null; // when it returned
  raises: number; // since nobody acknowledged
  acknowledgedBy: string | null; // null: nobody yet
  asks: boolean; // for an acknowledgement
  boot: number; // of the newest event
  sequence: number;
}

/** A person's word that an alarm was seen. */
export interface Acknowledgement {
  node: string;
  channel: string;
  alarm: string;
  by: string;
  comment: string; // "": none
}

/** The state after an event of the node. */
export function moveAlarm(
  before: AlarmState | undefined,
  event: { active: boolean; atMs: number; boot: number; sequence: number },
): AlarmState {
  const { active, atMs, boot, sequence } = event;
  const asks = before?.asks ?? false;
  const raises = asks ? (before?.raises ?? 0) : 0;
  if (!active) {
    const sinceMs = before?.active === true ? before.sinceMs : atMs;
    return {
      active,
      sinceMs,
      returnedMs: atMs,
      raises,
      acknowledgedBy: null,
      asks,
      boot,
      sequence,
    };
  }
  const anew = { sinceMs: atMs, returnedMs: null, raises: raises + 1, acknowledgedBy: null };
  return { active, ...anew, asks: true, boot, sequence };
}

/** The alarm as the API shows it; one that is normal has no times. */
export function alarmView(limit: AlarmLimit, state: AlarmState | undefined): AlarmView {
  const active = state?.active ?? false;
  const asks = state?.asks ?? false;
  return {
    ...limit,
    active,
    sinceMs: active || asks ? (state?.sinceMs ?? null) : null,
    returnedMs: !active && asks ? (state?.returnedMs ?? null) : null,
    raises: asks ? (state?.raises ?? 0) : 0,
    acknowledged: active && !asks,
    acknowledgedBy: active ? (state?.acknowledgedBy ?? null) : null,
  };
}

/** Takes an acknowledgement: told, written down and kept; else what is wrong with it. */
export function acknowledgeAlarm(
  core: Core,
  word: Acknowledgement,
  wallMs: number,
): { status: 404 | 409; error: string } | null {
  const { by, comment } = word;
  const node = core.registry.nodes.get(word.node);
  const channel = node?.byName.get(word.channel);
  const announced = channel?.birth?.alarms.some(({ name }) => name === word.alarm) ?? false;
  if (node === undefined || channel === undefined || !announced)
    return { status: 404, error: "there is no such alarm" };
  const state = channel.alarms.get(word.alarm);
  if (state?.asks !== true)
    return { status: 409, error: "nothing to acknowledge: it is normal, or somebody did already" };
  channel.alarms.set(word.alarm, { ...state, asks: false, acknowledgedBy: by });
  touch(core, node, channel);
  const said = comment === "" ? "" : ` “${comment}”`;
  const text = `${by} acknowledged ${node.id} ${channel.name} ${word.alarm}.${said}`;
  const where = { channel: channel.name, alarm: word.alarm };
  tell(core, node, { kind: "acknowledged", ...where, text, atMs: wallMs }, wallMs);
  core.audit.add({
    wallMs,
    node: node.id,
    name: `${channel.name}/${word.alarm}`,
    value: null,
    effective: null,
    by,
    request: null,
    outcome: "acknowledged",
    reason: comment === "" ? null : comment,
  });
  putNodeChange(core.changes, node.id);
  return null;
}

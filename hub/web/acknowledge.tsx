// SPDX-License-Identifier: MIT
// The dialog in which a person says that alarms were seen.
//
// The name is asked once per browser, the token once per tab; the comment is free.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { AcknowledgeRequest, Problem } from "../api.ts";
import { after } from "./clock.ts";
import type { OpenAlarm } from "./condition.ts";
import { usePage } from "./page-context.ts";
import { keepWriter, readWriter, type Writer } from "./setpoint-write.ts";

/** An answer that takes longer is none. */
const ANSWER_MS = 5_000;

/** The hub looks at so many a second; what is beyond waits so long. */
const TOO_MANY = 429;
const AGAIN_MS = 1_000;

/** Somebody else was faster, or it is normal again. */
const NOTHING_TO_DO = 409;

export function AcknowledgeDialog(): JSX.Element | null {
  const { acknowledging } = usePage();
  const open = acknowledging.value;
  if (open === null) return null;
  return <Dialog alarms={open} />;
}

function Dialog({ alarms }: { alarms: readonly OpenAlarm[] }): JSX.Element {
  const { acknowledging } = usePage();
  const dialog = useRef<HTMLDialogElement>(null);
  const [writer, setWriter] = useState(readWriter);
  const [known] = useState(writer);
  const [error, setError] = useState("");
  const [left, setLeft] = useState(0); // of those under way
  const close = (): void => void (acknowledging.value = null);
  useEffect(() => {
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>(":required:invalid, .strong")?.focus();
  }, []);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const comment = new FormData(event.currentTarget as HTMLFormElement).get("comment") as string;
    const failed = await postAll(alarms, comment, writer, setLeft);
    setLeft(0);
    if (failed === null) close();
    else setError(failed);
  };
  return (
    <dialog ref={dialog} aria-label="Acknowledge" onClose={close}>
      <form class="form" onSubmit={(event) => void submit(event)}>
        <h2>Acknowledge</h2>
        <p>{namesOf(alarms)}. What stands stays in the list.</p>
        <Field
          label="Your name"
          value={writer.name}
          max={64}
          onInput={(name) => setWriter({ ...writer, name })}
        />
        {(known.token === "" || error !== "") && (
          <Field
            label="Token, printed where the hub was started"
            value={writer.token}
            max={64}
            onInput={(token) => setWriter({ ...writer, token })}
          />
        )}
        <label>
          Comment
          <input name="comment" maxLength={120} autocomplete="off" />
        </label>
        {error !== "" && (
          <p class="tone-warning" role="alert">
            Not acknowledged: {error}.
          </p>
        )}
        <p class="form-end">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button class="strong" disabled={left > 0}>
            {left > 1 ? `${left} left` : "Acknowledge"}
          </button>
        </p>
      </form>
    </dialog>
  );
}

function namesOf(alarms: readonly OpenAlarm[]): string {
  const [one, ...others] = alarms.map(
    ({ node, channel, alarm }) => `${node.id} ${channel.name} ${alarm.name}`,
  );
  return others.length === 0 ? `${one}` : `${one} and ${others.length} more`;
}

/** One after the other; null: all were taken, else what was wrong with the first that was not. */
async function postAll(
  alarms: readonly OpenAlarm[],
  comment: string,
  writer: Writer,
  setLeft: (count: number) => void,
): Promise<string | null> {
  const by = writer.name.trim();
  for (const [index, { node, channel, alarm }] of alarms.entries()) {
    setLeft(alarms.length - index);
    const where = { node: node.id, channel: channel.name, alarm: alarm.name };
    const word: AcknowledgeRequest = { ...where, by, comment };
    let reply = await post(word, writer);
    if (reply.status === TOO_MANY) {
      await new Promise<void>((done) => void after(AGAIN_MS, done));
      reply = await post(word, writer);
    }
    const passed = alarms.length > 1 && reply.status === NOTHING_TO_DO;
    if (reply.error !== null && !passed) return reply.error;
  }
  return null;
}

/** Error null: taken; else why not, in one sentence. */
async function post(
  word: AcknowledgeRequest,
  writer: Writer,
): Promise<{ status: number; error: string | null }> {
  try {
    const response = await fetch("/api/acknowledge", {
      method: "POST",
      headers: { "content-type": "application/json", "x-ferrule-token": writer.token.trim() },
      body: JSON.stringify(word),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const { ok, status } = response;
    if (ok) keepWriter(writer);
    else if (status === 401) keepWriter({ ...writer, token: "" });
    return { status, error: ok ? null : ((await response.json()) as Problem).error };
  } catch {
    return { status: 0, error: "the hub did not answer, try again when the page is live" };
  }
}

function Field(props: {
  label: string;
  value: string;
  max: number;
  onInput: (text: string) => void;
}): JSX.Element {
  return (
    <label>
      {props.label}
      <input
        required
        autocomplete="off"
        maxLength={props.max}
        value={props.value}
        onInput={(event) => props.onInput(event.currentTarget.value)}
      />
    </label>
  );
}

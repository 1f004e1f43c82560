// SPDX-License-Identifier: MIT
// The dialog in which a person says that an alarm was seen.
//
// The name is asked once per browser, the token once per tab; the comment is free.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { AcknowledgeRequest, Problem } from "../api.ts";
import type { OpenAlarm } from "./condition.ts";
import { usePage } from "./page-context.ts";
import { keepWriter, readWriter, type Writer } from "./setpoint-write.ts";

/** An answer that takes longer is none. */
const ANSWER_MS = 5_000;

export function AcknowledgeDialog(): JSX.Element | null {
  const { acknowledging } = usePage();
  const open = acknowledging.value;
  if (open === null) return null;
  return <Dialog key={open.alarm.name} {...open} />;
}

function Dialog({ node, channel, alarm }: OpenAlarm): JSX.Element {
  const { acknowledging } = usePage();
  const dialog = useRef<HTMLDialogElement>(null);
  const [writer, setWriter] = useState(readWriter);
  const [known] = useState(writer);
  const [error, setError] = useState("");
  const close = (): void => void (acknowledging.value = null);
  useEffect(() => {
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>(":required:invalid, .strong")?.focus();
  }, []);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const comment = new FormData(event.currentTarget as HTMLFormElement).get("comment") as string;
    const where = { node: node.id, channel: channel.name, alarm: alarm.name, comment };
    const failed = await post({ ...where, by: writer.name.trim() }, writer);
    if (failed === null) close();
    else setError(failed);
  };
  return (
    <dialog ref={dialog} aria-label="Acknowledge" onClose={close}>
      <form class="form" onSubmit={(event) => void submit(event)}>
        <h2>Acknowledge</h2>
        <p>
          {node.id} {channel.name} {alarm.name}. An alarm that stands stays in the list.
        </p>
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
          <button class="strong">Acknowledge</button>
        </p>
      </form>
    </dialog>
  );
}

/** Null: taken; else why not, in one sentence. */
async function post(word: AcknowledgeRequest, writer: Writer): Promise<string | null> {
  try {
    const response = await fetch("/api/acknowledge", {
      method: "POST",
      headers: { "content-type": "application/json", "x-ferrule-token": writer.token.trim() },
      body: JSON.stringify(word),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (response.ok) keepWriter(writer);
    else if (response.status === 401) keepWriter({ ...writer, token: "" });
    return response.ok ? null : ((await response.json()) as Problem).error;
  } catch {
    return "the hub did not answer, try again when the page is live";
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

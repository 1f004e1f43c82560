// SPDX-License-Identifier: MIT
// A new value for one set-point, in two steps: review, then apply.
//
//   editing -review, the text is a value within limits-> staged -apply-> sending -taken-> editing
//      ^---------- cancel, Escape, the value changed meanwhile ---------'   '-refused-> staged

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { NodeView, SetpointView } from "../api.ts";
import { unitView } from "./format.ts";
import { TOKEN_CHARS_MAX, WRITER_CHARS_MAX } from "./limits.ts";
import { readEntry, show } from "./setpoint-text.ts";
import { keepWriter, postSetpoint, readWriter, type Writer } from "./setpoint-write.ts";

interface EntryProps {
  node: NodeView;
  setpoint: SetpointView;
  obstacle: string | null; // why nothing can be written now
  refused: () => void; // the hub refused a write: the audit has a row more
}

interface Staged {
  value: number;
  seenMs: number; // since when the value holds that was on screen at review; 0: none was
}

export function SetpointEntry(props: EntryProps): JSX.Element {
  const { node, setpoint, obstacle } = props;
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  const [staged, setStaged] = useState<Staged | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const id = `set-${setpoint.name}`;
  const { label } = unitView(setpoint.unit);
  const review = (event: Event): void => {
    event.preventDefault();
    if (staged !== null) return;
    const entry = readEntry(text, setpoint);
    setProblem("error" in entry ? entry.error : "");
    if ("error" in entry) field.current?.focus();
    else setStaged({ value: entry.value, seenMs: setpoint.effectiveAtMs ?? 0 });
  };
  const end = (said: string, isDone: boolean): void => {
    setStaged(null);
    setProblem(said);
    if (isDone) setText("");
    field.current?.focus();
  };
  const problemId = `${id}-problem`;
  return (
    <div class="setpoint-entry">
      <form onSubmit={review} autocomplete="off">
        <label for={id}>
          New {setpoint.name}
          {label === "" ? "" : ` in ${label}`}
        </label>
        <div class="row">
          <input
            id={id}
            ref={field}
            inputMode="decimal"
            value={text}
            size={10}
            readOnly={staged !== null}
            aria-invalid={problem !== ""}
            aria-describedby={problemId}
            onInput={(event) => setText(event.currentTarget.value)}
          />
          <button type="submit" disabled={staged !== null || obstacle !== null}>
            Review
          </button>
        </div>
      </form>
      {staged !== null && (
        <Confirm {...props} staged={staged} end={end} key={`${staged.value}/${staged.seenMs}`} />
      )}
      <p class="problem" id={problemId} role="alert">
        {problem}
      </p>
      {obstacle !== null && <p class="muted small">{obstacle}</p>}
      <span class="hidden" role="status">
        {staged === null ? "" : `${show(setpoint, staged.value)} for ${node.id} is ready to apply.`}
      </span>
    </div>
  );
}

type ConfirmProps = EntryProps & {
  staged: Staged;
  end: (said: string, isDone: boolean) => void;
};

const CHANGED = "The value has changed since the page showed it. Look at it and review again.";

/** The second step; asks for name and token where they are not known yet. */
function Confirm(props: ConfirmProps): JSX.Element {
  const { node, setpoint, staged, obstacle, end } = props;
  const { asks, writer, setWriter, problem, sending, apply } = useApply(props);
  const group = useRef<HTMLFormElement>(null);
  const id = `set-${setpoint.name}`;
  // Before the next key comes: it belongs to this step.
  useLayoutEffect(() => focusFirst(group.current), [asks.token]);
  return (
    <form
      class="staged"
      ref={group}
      aria-label={`Apply ${setpoint.name}`}
      onSubmit={(event) => void apply(event)}
      onKeyDown={(event) => {
        if (event.key === "Escape") end("", false);
        // A key held since the review must not apply too.
        if (event.key === "Enter" && event.repeat) event.preventDefault();
      }}
    >
      {asks.name && <NameField id={`${id}-name`} writer={writer} set={setWriter} />}
      {asks.token && <TokenField id={`${id}-token`} writer={writer} set={setWriter} />}
      <div class="row">
        <button type="submit" class="apply" disabled={sending || obstacle !== null}>
          Apply {show(setpoint, staged.value)} → {node.id}
        </button>
        <button type="button" onClick={() => end("", false)}>
          Cancel
        </button>
      </div>
      <p class="muted small">
        {sending ? "Sending…" : `Now ${show(setpoint, setpoint.effective)}`}
        {!asks.name && ` · as ${writer.name}`}
      </p>
      <p class="problem" role="alert">
        {problem}
      </p>
    </form>
  );
}

interface Applying {
  asks: { name: boolean; token: boolean }; // which fields are shown
  writer: Writer;
  setWriter: (writer: Writer) => void;
  problem: string;
  sending: boolean;
  apply: (event: Event) => Promise<void>;
}

/** Sends what is staged once, unless the value changed since the review. */
function useApply({ node, setpoint, staged, obstacle, refused, end }: ConfirmProps): Applying {
  const [writer, setWriter] = useState(readWriter);
  const [asks, setAsks] = useState({ name: writer.name === "", token: writer.token === "" });
  const [problem, setProblem] = useState("");
  const [sending, setSending] = useState(false);
  const isOld = (setpoint.effectiveAtMs ?? 0) > staged.seenMs;
  useEffect(() => {
    if (isOld && !sending) end(CHANGED, false);
  }, [isOld, sending]);
  const apply = async (event: Event): Promise<void> => {
    event.preventDefault();
    const missing = missingOf(writer);
    if (sending || isOld || obstacle !== null || missing !== "") return setProblem(missing);
    setSending(true);
    const by = writer.name.trim();
    const write = { node: node.id, name: setpoint.name, value: staged.value, by };
    const reply = await postSetpoint(write, { token: writer.token, seenMs: staged.seenMs });
    setSending(false);
    const isTaken = "request" in reply;
    if (!isTaken) refused();
    if (isTaken || reply.status !== 401) {
      keepWriter({ name: by, token: writer.token });
      return end(isTaken ? "" : sentence(reply.error), isTaken);
    }
    keepWriter({ name: by, token: "" });
    setWriter({ name: by, token: "" });
    setAsks({ ...asks, token: true });
    setProblem(sentence(reply.error));
  };
  return { asks, writer, setWriter, problem, sending, apply };
}

interface FieldProps {
  id: string;
  writer: Writer;
  set: (writer: Writer) => void;
}

function NameField({ id, writer, set }: FieldProps): JSX.Element {
  return (
    <label for={id}>
      Your name, for the audit
      <input
        id={id}
        value={writer.name}
        maxLength={WRITER_CHARS_MAX}
        onInput={(event) => set({ ...writer, name: event.currentTarget.value })}
      />
    </label>
  );
}

function TokenField({ id, writer, set }: FieldProps): JSX.Element {
  return (
    <label for={id}>
      Token, as the hub printed it at its start
      <input
        id={id}
        type="password"
        autocomplete="off"
        value={writer.token}
        maxLength={TOKEN_CHARS_MAX}
        onInput={(event) => set({ ...writer, token: event.currentTarget.value.trim() })}
      />
    </label>
  );
}

function missingOf({ name, token }: Writer): string {
  if (name.trim() === "") return "Give your name: it stands in the audit.";
  return token === "" ? "Give the token that the hub printed when it started." : "";
}

/** The first empty field, else the button that applies. */
function focusFirst(form: HTMLFormElement | null): void {
  const fields = [...(form?.querySelectorAll("input") ?? [])];
  const empty = fields.find((field) => field.value === "");
  (empty ?? form?.querySelector<HTMLElement>("button.apply"))?.focus();
}

/** The hub's reasons begin with a small letter and have no full stop. */
function sentence(reason: string): string {
  return `${reason.slice(0, 1).toUpperCase()}${reason.slice(1)}.`;
}

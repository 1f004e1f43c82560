// SPDX-License-Identifier: MIT
// The keyboard: one letter each, none while a person types, all of them under `?`.

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { after, browserMs } from "./clock.ts";
import { exportView } from "./export.ts";
import { usePage, type Page } from "./page-context.ts";
import { routeHref, VIEWS } from "./route.ts";

/** How long after `g` the second letter counts. */
const SEQUENCE_MS = 1_500;

const KEYS: readonly [keys: string, does: string][] = [
  ["/", "search"],
  ...VIEWS.map(({ key, label }): [string, string] => [`g ${key}`, label.toLowerCase()]),
  ["Space", "pause and go on"],
  ["c", "save this view as CSV"],
  ["?", "these keys"],
  ["Esc", "close, leave the search"],
];

/** Listens for as long as the page is mounted. */
export function useKeys(page: Page): void {
  useEffect(() => {
    let goMs = -Infinity;
    const listen = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
      const go = browserMs() - goMs < SEQUENCE_MS;
      goMs = event.key === "g" ? browserMs() : -Infinity;
      if ((go && goTo(event.key)) || act(page, event)) event.preventDefault();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, [page]);
}

/** Whether a key belongs to what has the focus. Escape leaves a field. */
function isTyping(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  const field = target.matches("input, select, textarea");
  if (field && event.key === "Escape") target.blur();
  return field || (event.key === " " && target.matches("button, summary"));
}

function goTo(key: string): boolean {
  const entry = VIEWS.find((each) => each.key === key);
  if (entry !== undefined) location.hash = routeHref(entry.view);
  return entry !== undefined;
}

function act(page: Page, event: KeyboardEvent): boolean {
  switch (event.key) {
    case "/":
      focusSearch();
      return true;
    case "?":
      page.keysShown.value = true;
      return true;
    case "c":
      exportView(page);
      return true;
    case " ":
      page.live.setPaused(!page.live.paused.peek());
      return true;
    default:
      return false;
  }
}

/** The view's own search; a view without one leads to the machines. */
function focusSearch(): void {
  const field = document.querySelector<HTMLInputElement>("[data-search]");
  if (field !== null) return field.focus();
  location.hash = routeHref("machines");
  after(50, () => document.querySelector<HTMLInputElement>("[data-search]")?.focus());
}

export function KeysDialog(): JSX.Element {
  const { keysShown } = usePage();
  const dialog = useRef<HTMLDialogElement>(null);
  const shown = keysShown.value;
  useEffect(() => {
    if (shown) dialog.current?.showModal();
    else dialog.current?.close();
  }, [shown]);
  return (
    <dialog ref={dialog} aria-label="Keys" onClose={() => (keysShown.value = false)}>
      <h2>Keys</h2>
      <dl class="keys">
        {KEYS.map(([keys, does]) => (
          <div key={keys}>
            <dt>
              {keys.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <button type="button" onClick={() => (keysShown.value = false)}>
        Close
      </button>
    </dialog>
  );
}

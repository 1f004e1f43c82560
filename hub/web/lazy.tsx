// SPDX-License-Identifier: MIT
// A view whose code comes when the page has time, or when it is first shown.

import { signal } from "@preact/signals";
import type { ComponentType, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { after } from "./clock.ts";
import { Empty } from "./marks.tsx";

/** After the first view is there; earlier it would wait for this. */
const IDLE_MS = 1_000;

/** `load` is asked once; when it fails, as it does once the hub serves another page, a reload helps. */
export function lazy<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): (props: Props) => JSX.Element {
  const loaded = signal<{ view: ComponentType<Props> } | null>(null);
  const failed = signal(false);
  let asked = false;
  const ask = (): void => {
    if (asked) return;
    asked = true;
    load().then(
      (view) => (loaded.value = { view }),
      () => (failed.value = true),
    );
  };
  after(IDLE_MS, ask);
  return function Lazy(props) {
    const known = loaded.value;
    useEffect(ask, []);
    // The heading that a change of view focuses was not there yet.
    useEffect(() => {
      if (known !== null && document.activeElement === document.body)
        document.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
    }, [known]);
    if (known !== null) return <known.view {...props} />;
    if (failed.value) return <Outdated />;
    return <Empty title="Loading the view" why="Its code comes from the hub." />;
  };
}

function Outdated(): JSX.Element {
  return (
    <Empty
      title="This part of the page did not come"
      why="The hub is away, or it serves a newer page since it was started again."
    >
      <button type="button" onClick={() => location.reload()}>
        Load the page again
      </button>
    </Empty>
  );
}

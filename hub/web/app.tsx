// SPDX-License-Identifier: MIT
// The frame of the page: navigation, strip, the view of the address.

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { AcknowledgeDialog } from "./acknowledge.tsx";
import { EventsView } from "./events.tsx";
import { KeysDialog, useKeys } from "./keys.tsx";
import { lazy } from "./lazy.tsx";
import { MachinesView } from "./machines.tsx";
import { Empty, ViewIcon } from "./marks.tsx";
import { usePage } from "./page-context.ts";
import { PathView } from "./path.tsx";
import { PlantView } from "./plant.tsx";
import { routeHref, routeTitle, VIEWS } from "./route.ts";
import { LostNotice, Strip } from "./strip.tsx";
import { TapsView } from "./taps.tsx";

/** With its charts it is half of the script. */
const MachineView = lazy(async () => (await import("./machine.tsx")).MachineView);

const ValuesView = lazy(async () => (await import("./values.tsx")).ValuesView);

/** How long a hub may take before the page says that it does not answer. */
const PATIENCE_MS = 3_000;

export function App(): JSX.Element {
  const page = usePage();
  const { store, live, route } = page;
  useKeys(page);
  useRouteChange();
  const stale = live.connection.value.state !== "live";
  return (
    <div class={stale ? "app stale" : "app"}>
      <a
        class="skip"
        href={routeHref(route.value.view, route.value.path, route.value.query)}
        onClick={skip}
      >
        Skip to content
      </a>
      <Navigation />
      <div class="side">
        <Strip />
        <LostNotice />
        <main>{store.plant.value === null ? <Waiting /> : <View />}</main>
      </div>
      <KeysDialog />
      <AcknowledgeDialog />
    </div>
  );
}

function skip(event: MouseEvent): void {
  event.preventDefault();
  document.querySelector<HTMLElement>("h1")?.focus();
}

/** Title, focus and scroll follow the address; filters change none of them. */
function useRouteChange(): void {
  const { route } = usePage();
  const title = routeTitle(route.value);
  const first = useRef(true);
  useEffect(() => {
    document.title = title;
    if (first.current) first.current = false;
    else {
      scrollTo(0, 0);
      document.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
    }
  }, [title]);
}

function View(): JSX.Element {
  const { view, path, query } = usePage().route.value;
  const [id] = path;
  switch (view) {
    case "plant":
      return <PlantView />;
    case "machines":
      if (id !== undefined) return <MachineView key={id} id={id} />;
      return query["show"] === "values" ? <ValuesView /> : <MachinesView />;
    case "taps":
      return <TapsView path={path} />;
    case "path":
      return <PathView />;
    case "events":
      return <EventsView />;
  }
}

function Navigation(): JSX.Element {
  const { store, route, keysShown } = usePage();
  const plant = store.plant.value;
  const current = route.value.view;
  return (
    <nav class="nav" aria-label="Views">
      <div class="nav-inner">
        <div class="brand">
          <strong>Ferrule</strong>
          <span class="muted">{plant === null ? "" : `${plant.enterprise} / ${plant.site}`}</span>
        </div>
        <ul>
          {VIEWS.map(({ view, label }) => (
            <li key={view}>
              <a href={routeHref(view)} aria-current={view === current ? "page" : undefined}>
                <ViewIcon view={view} />
                <span>{label}</span>
              </a>
            </li>
          ))}
        </ul>
        <button type="button" class="plain keys-button" onClick={() => (keysShown.value = true)}>
          <kbd>?</kbd> Keys
        </button>
      </div>
    </nav>
  );
}

function Waiting(): JSX.Element {
  const { live } = usePage();
  const waitedMs = live.hubMs.value - live.connection.value.sinceMs;
  if (waitedMs < PATIENCE_MS) {
    return <Empty title="Waiting for the hub" why="Asking for the state of the plant." />;
  }
  return (
    <Empty
      title="The hub does not answer"
      why="It is asked again by itself. What may be wrong on its machine is said by:"
      command="npx ferrule doctor"
    />
  );
}

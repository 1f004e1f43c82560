// SPDX-License-Identifier: MIT
// Entry of the page: makes its parts and mounts them.

import { signal } from "@preact/signals";
import { render } from "preact";
import { App } from "./app.tsx";
import { createLive } from "./live.ts";
import { PageContext, type Page } from "./page-context.ts";
import { parseRoute } from "./route.ts";
import { createStore } from "./store.ts";

const store = createStore();
const page: Page = {
  store,
  live: createLive(store),
  route: signal(parseRoute(location.hash)),
  scheme: signal("light"),
  keysShown: signal(false),
  acknowledging: signal(null),
};

const dark = matchMedia("(prefers-color-scheme: dark)");
const readScheme = (): void => {
  page.scheme.value = dark.matches ? "dark" : "light";
};
readScheme();
dark.addEventListener("change", readScheme);
addEventListener("hashchange", () => {
  page.route.value = parseRoute(location.hash);
});

const root = document.getElementById("app");
if (root === null) throw new Error("the page has no #app");
page.live.start();
render(
  <PageContext.Provider value={page}>
    <App />
  </PageContext.Provider>,
  root,
);

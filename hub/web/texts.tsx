// SPDX-License-Identifier: MIT
// What channels of texts said (a recipe, a serial number), by time of change.
//
// Texts have no chart. The hub is asked for the newest changes, and again when one is heard.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { ChannelView, HistoryAnswer, HistoryText, NodeView } from "../api.ts";
import { clockTime, zonedTime } from "./clock.ts";
import { causeText } from "./condition.ts";
import { usePage } from "./page-context.ts";

const ANSWER_MS = 15_000;
const LINES_MAX = 12; // of a channel; all are in its CSV
const ASKED = 100; // the least that the hub takes

/** True for a channel whose readings are texts. */
export function isText({ register, text }: ChannelView): boolean {
  return text !== null || (register?.type.startsWith("text") ?? false);
}

/** The newest texts of each such channel; nothing where there is none. */
export function TextsPanel({ node }: { node: NodeView }): JSX.Element | null {
  const channels = node.channels.filter(isText);
  if (channels.length === 0) return null;
  return (
    <section class="panel texts" aria-label="Texts over time">
      <h2>Texts</h2>
      {channels.map((channel) => (
        <Changes key={channel.name} node={node.id} channel={channel} />
      ))}
    </section>
  );
}

function Changes({ node, channel }: { node: string; channel: ChannelView }): JSX.Element {
  const nowMs = usePage().live.hubMs.value;
  const { texts, failed } = useTexts(node, channel);
  return (
    <>
      <h3>{channel.name}</h3>
      {failed && <p class="muted">The hub did not answer; the next change asks again.</p>}
      {texts.length === 0 && !failed && <p class="muted">no text yet</p>}
      <table class="table">
        <tbody>
          {texts.map(([wallMs, text], index) => (
            <tr key={`${wallMs}/${texts.length - index}`}>
              <th scope="row">
                <time title={zonedTime(wallMs)}>{clockTime(wallMs, nowMs)}</time>
              </th>
              <td>{text === null ? <span class="muted">{causeText(null)}</span> : text}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

/** Newest first. */
function useTexts(
  node: string,
  { name, text, quality }: ChannelView,
): { texts: readonly HistoryText[]; failed: boolean } {
  const [found, setFound] = useState<readonly HistoryText[]>([]);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let wanted = true;
    void askTexts(node, name).then((texts) => {
      if (!wanted) return;
      setFailed(texts === null);
      if (texts !== null) setFound(texts.slice(-LINES_MAX).reverse());
    });
    return () => {
      wanted = false;
    };
  }, [node, name, text, quality]);
  return { texts: found, failed };
}

/** Null on any failure. */
async function askTexts(node: string, channel: string): Promise<HistoryText[] | null> {
  const query = new URLSearchParams({ node, channel, points: String(ASKED) });
  try {
    const response = await fetch(`/api/history?${query.toString()}`, {
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (!response.ok) return null;
    const answer = (await response.json()) as HistoryAnswer;
    return "texts" in answer ? (answer.texts ?? []) : [];
  } catch {
    return null;
  }
}

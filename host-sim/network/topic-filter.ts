// SPDX-License-Identifier: MIT
// MQTT topic names and filters: what is legal and what matches.
//
// Spec: MQTT 3.1.1 §4.7. `+` is one level, `#` the rest and the parent; neither reaches a name that
// begins with $ from the first level.

const TOPIC_BYTES_MAX = 65_535; // MQTT 3.1.1 §1.5.3

/** A name a message may be published to: no wildcard, no U+0000, not empty. */
export function isTopicName(name: string): boolean {
  return name.length > 0 && name.length <= TOPIC_BYTES_MAX && !/[+#\0]/.test(name);
}

/** A filter a client may subscribe to: `#` alone in the last level, `+` alone in its level. */
export function isTopicFilter(filter: string): boolean {
  if (filter.length === 0 || filter.length > TOPIC_BYTES_MAX || filter.includes("\0")) return false;
  const levels = filter.split("/");
  return levels.every((level, i) => {
    if (level === "#") return i === levels.length - 1;
    return level === "+" || !/[+#]/.test(level);
  });
}

/** Whether a legal filter may match more than the name that it is. */
export function hasWildcard(filter: string): boolean {
  return filter.includes("+") || filter.endsWith("#");
}

/** Whether a legal filter matches a legal name. Each message asks. */
export function topicMatches(filter: string, name: string): boolean {
  if (name.startsWith("$") && /^[+#]/.test(filter)) return false; // §4.7.2
  let at = 0; // in the name, the start of a level; beyond its end: no level is left
  for (let from = 0; from <= filter.length;) {
    const end = levelEnd(filter, from);
    if (filter[from] === "#") return true; // §4.7.1.2: also the parent, where no level is left
    if (at > name.length) return false;
    const nameEnd = levelEnd(name, at);
    const wanted = end - from;
    const isPlus = wanted === 1 && filter[from] === "+";
    if (!isPlus && (nameEnd - at !== wanted || !name.startsWith(filter.slice(from, end), at)))
      return false;
    from = end + 1;
    at = nameEnd + 1;
  }
  return at > name.length;
}

function levelEnd(text: string, from: number): number {
  const slash = text.indexOf("/", from);
  return slash < 0 ? text.length : slash;
}

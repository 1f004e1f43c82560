// SPDX-License-Identifier: MIT
// Topic names, topic filters and client ids: octets to checked text.
//
// Spec: MQTT 3.1.1 §4.7 (names, wildcards), MQTT-SN 1.2 §5.3.1, §6.7 (short names). UTF-8 without U+0000.
// What is not allowed gives undefined.

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

function decodeText(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return undefined;
  try {
    const text = decoder.decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined; // not UTF-8
  }
}

/** The name of one topic: no wildcard. */
export function decodeTopicName(bytes: Uint8Array): string | undefined {
  const text = decodeText(bytes);
  return text === undefined || hasWildcard(text) ? undefined : text;
}

/** A name or a filter whose wildcards stand for whole levels, `#` last. */
export function decodeTopicFilter(bytes: Uint8Array): string | undefined {
  const text = decodeText(bytes);
  if (text === undefined || !hasWildcard(text)) return text;
  const levels = text.split("/");
  const right = levels.every(
    (level, i) =>
      !hasWildcard(level) || level === "+" || (level === "#" && i === levels.length - 1),
  );
  return right ? text : undefined;
}

/** A client id of 1 to `bytesMax` octets without control characters. */
export function decodeClientId(bytes: Uint8Array, bytesMax: number): string | undefined {
  if (bytes.length > bytesMax) return undefined;
  const text = decodeText(bytes);
  return text === undefined || /\p{Cc}/u.test(text) ? undefined : text;
}

/** The two octets of a short name. */
export function shortNameBytes(topicId: number): Uint8Array {
  return Uint8Array.of(topicId >> 8, topicId & 0xff);
}

/** The octets of a name. */
export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Whether a filter can match more than one name. */
export function hasWildcard(text: string): boolean {
  return text.includes("+") || text.includes("#");
}

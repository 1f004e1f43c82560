// SPDX-License-Identifier: MIT
// Which protocol a line speaks: the share of its octets in right frames.
//
// A sample of the line is kept and every decoder hears it, one after the other, in the same memory. Results add up
// over samples, so that a slow line is found as well. The winner has the largest coverage x strength of its check.
// Accepted: 75 % of the octets (40 % under a CRC), three frames, and of what is asked and answered one pair; else
// "unknown".
//
//   collecting ─full, or silence─► scoring, CLASSIFY_OCTETS a step ─► verdict ─► collecting
//
// Fixed memory: SAMPLE_OCTETS tap entries and one decoder.

import { SAMPLE_OCTETS } from "../../limits";
import {
  PROTOCOL_NMEA,
  TAP_COUNTER_BYTES,
  TAP_COUNTER_FRAMES,
  TAP_COUNTER_JUNK_BYTES,
  TAP_COUNTER_PAIRS,
  TAP_ENTRY_BYTE,
  TAP_ENTRY_BYTES,
  TAP_ENTRY_FLAGS,
  TAP_ENTRY_TIME_US,
} from "../../wire/tap";
import {
  DECODER_BYTES,
  decoderCounters,
  idleDecoder,
  isAsked,
  PROTOCOL_COUNT,
  putDecoder,
  startDecoder,
  strengthOf,
  takeDecoded,
} from "./decoders";
import { TapEvent } from "./event";

const CLASSIFY_OCTETS = 64; // a step: as many as 115,200 baud bring in 6 ms of a tick's 10
const EVENTS_MAX = 256; // an octet may end as many frames as were waited for
const SETTLED_US: u32 = 5_000_000; // after the sample: whatever waits gives up
const SAMPLE_MIN: i32 = 16; // octets worth a look
const COVERAGE_MIN: i32 = 75;
// Three CRCs are proof, and a sample cuts telegrams of 800 octets; sentences with a sum are no mere text.
const COVERAGE_CRC_MIN: i32 = 40;
const STRENGTH_CRC: i32 = 3;
const FRAMES_MIN: u32 = 3;
const BYTES_MAX: u32 = 1 << 20; // then all results are halved: old ones fade

/** What a decoder made of the samples so far. */
@unmanaged
class Result {
  bytes: u32;
  junk: u32;
  frames: u32;
  pairs: u32;
}

/** Followed in memory by the results, the decoder and the sample. */
@unmanaged
export class Classifier {
  spare: i64; // what follows is aligned to 8
  characterUs: u32;
  count: i32; // entries of the sample
  protocol: i32; // that hears it; 0: collecting
  next: i32; // entry
  best: i32; // protocol; 0: unknown
  likely: i32; // protocol that covers enough, though of too few frames; 0: none
}

const RESULTS: usize = offsetof<Classifier>();
const DECODER: usize = (RESULTS + PROTOCOL_COUNT * offsetof<Result>() + 7) & ~7;
const SAMPLE: usize = (DECODER + DECODER_BYTES + 7) & ~7;

/** Memory of a classifier, a multiple of 8. */
export const CLASSIFIER_BYTES: usize = SAMPLE + SAMPLE_OCTETS * TAP_ENTRY_BYTES;

/** Forgets everything. */
export function startClassifier(classifier: Classifier, characterUs: u32): void {
  memory.fill(changetype<usize>(classifier), 0, SAMPLE);
  classifier.characterUs = characterUs;
}

/** Where the decoder is: of the winner too, once it is told to begin. */
export function decoderOf(classifier: Classifier): usize {
  return changetype<usize>(classifier) + DECODER;
}

/** True while a sample is collected. */
export function isCollecting(classifier: Classifier): bool {
  return classifier.protocol == 0;
}

/** Octets in the sample, at most SAMPLE_OCTETS. */
export function sampleSize(classifier: Classifier): i32 {
  return classifier.count;
}

/** Keeps a tap entry; what does not fit is left out. */
export function putSample(classifier: Classifier, entry: usize): void {
  if (classifier.protocol != 0 || classifier.count >= SAMPLE_OCTETS) return;
  store<u64>(sampleAt(classifier, classifier.count), load<u64>(entry));
  classifier.count++;
}

/** Begins to score the sample; false: it is too short. */
export function scoreSample(classifier: Classifier): bool {
  if (classifier.count < SAMPLE_MIN) return false;
  classifier.protocol = 0;
  return nextProtocol(classifier);
}

/** Some octets through one decoder. True: all have heard the sample, and `best` is the verdict. */
export function stepClassifier(classifier: Classifier, event: TapEvent): bool {
  const protocol = classifier.protocol;
  const end = min(classifier.next + CLASSIFY_OCTETS, classifier.count);
  for (; classifier.next < end; classifier.next++) {
    const entry = sampleAt(classifier, classifier.next);
    const octet: i32 = load<u8>(entry + TAP_ENTRY_BYTE);
    const flags: i32 = load<u8>(entry + TAP_ENTRY_FLAGS);
    putDecoder(protocol, decoderOf(classifier), octet, flags, load<u32>(entry + TAP_ENTRY_TIME_US));
    drain(classifier, event);
  }
  if (classifier.next < classifier.count) return false;
  idleDecoder(protocol, decoderOf(classifier), lastUs(classifier) + SETTLED_US);
  drain(classifier, event);
  keepResult(classifier);
  if (nextProtocol(classifier)) return false;
  judge(classifier);
  classifier.count = 0;
  return true;
}

/** Octets in right frames of all that a protocol heard, in percent. */
export function coverageOf(classifier: Classifier, protocol: i32): i32 {
  const result = resultOf(classifier, protocol);
  return result.bytes == 0
    ? 0
    : ((result.bytes - min(result.junk, result.bytes)) * 100) / result.bytes;
}

/** Frames with a right check that a protocol heard. */
export function framesOf(classifier: Classifier, protocol: i32): u32 {
  return resultOf(classifier, protocol).frames;
}

// The next one that there is begins to hear the sample; false: none is left.
function nextProtocol(classifier: Classifier): bool {
  for (let next = classifier.protocol + 1; next < PROTOCOL_COUNT; next++) {
    if (strengthOf(next) == 0) continue;
    classifier.protocol = next;
    classifier.next = 0;
    const firstUs = load<u32>(sampleAt(classifier, 0) + TAP_ENTRY_TIME_US);
    // Silence went before: a line is taken from its start.
    startDecoder(next, decoderOf(classifier), classifier.characterUs, firstUs - SETTLED_US);
    return true;
  }
  classifier.protocol = 0;
  return false;
}

function drain(classifier: Classifier, event: TapEvent): void {
  for (let i = 0; i < EVENTS_MAX; i++)
    if (!takeDecoded(classifier.protocol, decoderOf(classifier), event)) return;
}

function keepResult(classifier: Classifier): void {
  const counters = decoderCounters(classifier.protocol, decoderOf(classifier));
  const result = resultOf(classifier, classifier.protocol);
  result.bytes += counterAt(counters, TAP_COUNTER_BYTES);
  result.junk += counterAt(counters, TAP_COUNTER_JUNK_BYTES);
  result.frames += counterAt(counters, TAP_COUNTER_FRAMES);
  result.pairs += counterAt(counters, TAP_COUNTER_PAIRS);
  if (result.bytes < BYTES_MAX) return;
  result.bytes >>= 1;
  result.junk >>= 1;
  result.frames >>= 1;
  result.pairs >>= 1;
}

function judge(classifier: Classifier): void {
  let best = 0;
  classifier.best = classifier.likely = 0;
  for (let protocol = 1; protocol < PROTOCOL_COUNT; protocol++) {
    const result = resultOf(classifier, protocol);
    const coverage = coverageOf(classifier, protocol);
    const strength = strengthOf(protocol);
    const isCut = strength == STRENGTH_CRC || protocol == PROTOCOL_NMEA;
    const least = isCut ? COVERAGE_CRC_MIN : COVERAGE_MIN;
    if (coverage < least || result.frames == 0) continue;
    const score = coverage * strength;
    if (score <= best) continue;
    best = score;
    const paired = !isAsked(protocol) || result.pairs > 0;
    const enough = result.frames >= FRAMES_MIN && paired;
    classifier.likely = protocol;
    classifier.best = enough ? protocol : 0;
  }
}

function lastUs(classifier: Classifier): u32 {
  return load<u32>(sampleAt(classifier, classifier.count - 1) + TAP_ENTRY_TIME_US);
}

function counterAt(counters: usize, index: usize): u32 {
  return load<u32>(counters + (index << 2));
}

function sampleAt(classifier: Classifier, index: i32): usize {
  return changetype<usize>(classifier) + SAMPLE + index * TAP_ENTRY_BYTES;
}

function resultOf(classifier: Classifier, protocol: i32): Result {
  return changetype<Result>(
    changetype<usize>(classifier) + RESULTS + protocol * offsetof<Result>(),
  );
}

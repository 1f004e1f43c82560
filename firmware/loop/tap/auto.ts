// SPDX-License-Identifier: MIT
// A tap that nobody configured: finds its line and its protocol, then decodes it.
//
// Spec: SPEC.md §1.1, §1.4 (record kind 5). Pure: edges, octets and times in; orders to the UART, events and what is
// known of the line out. Never transmits. Each step is bounded: one of the detector's or the classifier's a tick.
//
//   LISTENING ─edges: sure─► LINE ─protocol─► PROTOCOL ─coverage falls─► LINE
//       ^    └─no edges here: rates and formats in turn─► LINE or PROTOCOL
//       └──── framing or parity errors, from LINE or PROTOCOL: CHANGED ──┘
//
// (A1) what a line is said to be is said with how sure that is; below NAMED it has no rate.

import { EDGES_PER_WINDOW, SAMPLE_OCTETS } from "../../limits";
import {
  PHASE_CHANGED,
  PHASE_LINE,
  PHASE_LISTENING,
  PHASE_NONE,
  PHASE_PROTOCOL,
} from "../../wire/finding";
import {
  TAP_COUNTER_BYTES,
  TAP_COUNTER_FRAMES,
  TAP_COUNTER_JUNK_BYTES,
  TAP_ENTRY_BYTE,
  TAP_ENTRY_FLAGS,
  TAP_ENTRY_TIME_US,
  TAP_FLAG_BREAK,
  TAP_FLAG_FRAMING,
  TAP_FLAG_PARITY,
} from "../../wire/tap";
import {
  Classifier,
  CLASSIFIER_BYTES,
  coverageOf,
  decoderOf,
  framesOf,
  isCollecting,
  putSample,
  sampleSize,
  scoreSample,
  startClassifier,
  stepClassifier,
} from "./classify";
import { decoderCounters, idleDecoder, putDecoder, startDecoder, takeDecoded } from "./decoders";
import {
  baudOf,
  Detector,
  DETECTOR_BYTES,
  edgesOf,
  formatOf,
  isInverted,
  look,
  nextWindow,
  startDetector,
  stepDetector,
} from "./detect";
import { putEdge } from "./edges";
import { TapEvent } from "./event";
import { trialBaud, trialFormat, TRIALS } from "./trial";

const EARLY_EDGES: i32 = 60; // a first look
const FEW_EDGES: i32 = 16; // less says nothing
const SURE: i32 = 95; // percent
const LINE_SURE: i32 = 90; // rate and polarity, in any format
const WINDOWS_NONE: i32 = 2; // so many without a line: there is none
const WINDOWS_ENOUGH: i32 = 3; // then the likeliest format does
const QUIET_MS: u32 = 300; // no edge for so long: what is there is looked at
const SAMPLE_MS: u32 = 5000; // since its first octet: then a shorter pause does,
const SAMPLE_ENOUGH: i32 = 32; // where there are so many octets
const PAUSE_MS: u32 = 20;
const SILENCE_MS: u32 = 1000; // no octet for so long: the sample is whole; meters pause that long
const BAD_COST: i32 = 10; // of a character with an error, a good one takes 1 back
const BAD_MAX: i32 = 240; // about 25 in a row, or one in eight for long
const TRIAL_MS: u32 = 1000; // of one rate and format, once octets come
const TRIAL_BAD: i32 = 80; // eight wrong of the first sixteen: another rate
const RESCORE_BYTES: u32 = 512; // octets between two looks at the coverage
const COVERAGE_LOST: u32 = 25; // percent; below it the protocol is another one
const CONFIDENCE_MAX: i32 = 99;
const CONFIDENCE_GUESSED: i32 = 50; // of a line without errors that nothing decodes
const FORMAT_INVERTED: i32 = 128; // as tap_open wants it

/** Followed in memory by the detector and the classifier. */
@unmanaged
export class AutoTap {
  spare: i64; // what follows is aligned to 8
  phase: i32;
  baud: u32; // 0: not known
  format: i32; // code of ring record 5
  inverted: i32;
  protocol: i32;
  confidence: i32;
  coverage: i32;
  frames: u32;
  edges: u32; // seen in all
  told: i32; // 0: something is to be told
  order: i32; // 1: the UART is to be set to orderBaud and orderFormat
  orderBaud: u32;
  orderFormat: i32;
  looking: i32; // 1: the detector is at work
  looked: i32; // edges it had then
  edgeMs: u32; // latest edge
  octetMs: u32; // latest octet
  sampleMs: u32; // first octet of the sample
  bad: i32; // leaky sum of errors
  trial: i32; // -1: edges are there
  trialMs: u32; // when its first octet came; 0: none yet
  bestTrial: i32; // with the fewest errors of this round; -1: none without
  scoredBytes: u32; // counters at the latest look at the coverage
  scoredJunk: u32;
  unitPs: u32;
  hintBaud: u32; // tried first
  hintFormat: i32;
}

const DETECTOR: usize = offsetof<AutoTap>();
const CLASSIFIER: usize = (DETECTOR + DETECTOR_BYTES + 7) & ~7;

/** Memory of one tap, a multiple of 8. */
export const AUTO_TAP_BYTES: usize = CLASSIFIER + CLASSIFIER_BYTES;

/** Nothing is known yet. `unitPs` of an edge; 0: this board sees no edges, and rates are tried, the hint first. */
export function startAuto(tap: AutoTap, unitPs: u32, hintBaud: u32, hintFormat: i32): void {
  tap.unitPs = unitPs;
  tap.hintBaud = hintBaud;
  tap.hintFormat = hintFormat;
  tap.edges = 0;
  tap.trial = unitPs == 0 ? 0 : -1;
  tap.bestTrial = -1;
  listen(tap);
  if (unitPs == 0) openTrial(tap);
}

/** True while the line is looked for in edges. */
export function seesEdges(tap: AutoTap): bool {
  return tap.trial < 0 && (tap.phase == PHASE_LISTENING || tap.phase == PHASE_NONE);
}

/** Room for edges; those beyond it are to be left with the host. */
export function edgeRoom(tap: AutoTap): i32 {
  return EDGES_PER_WINDOW - edgesOf(detectorOf(tap)).count;
}

/** One edge as edge_take gives it. */
export function putAutoEdge(tap: AutoTap, edge: u32, nowMs: u32): void {
  tap.edges++;
  tap.edgeMs = nowMs;
  const window = edgesOf(detectorOf(tap));
  // Edges were lost: what comes now has no place in this window.
  if ((edge & 0x7fffffff) == 0x7fffffff && !tap.looking && window.count < EARLY_EDGES)
    window.count = 0;
  putEdge(window, edge);
}

/** One tap entry; follow it with takeAuto until that returns false. */
export function putAutoOctet(tap: AutoTap, entry: usize, nowMs: u32): void {
  const octet: i32 = load<u8>(entry + TAP_ENTRY_BYTE);
  const flags: i32 = load<u8>(entry + TAP_ENTRY_FLAGS);
  tap.octetMs = nowMs;
  if (tap.trial >= 0 && tap.trialMs == 0) tap.trialMs = nowMs | 1;
  // A break is no error of the rate: buses have them at turn-arounds, some protocols begin with one.
  const wrong = (flags & (TAP_FLAG_FRAMING | TAP_FLAG_PARITY)) != 0 && !(flags & TAP_FLAG_BREAK);
  tap.bad = wrong ? tap.bad + BAD_COST : max(tap.bad - 1, 0);
  const classifier = classifierOf(tap);
  if (tap.phase == PHASE_PROTOCOL)
    putDecoder(
      tap.protocol,
      decoderOf(classifier),
      octet,
      flags,
      load<u32>(entry + TAP_ENTRY_TIME_US),
    );
  else {
    if (sampleSize(classifier) == 0) tap.sampleMs = nowMs;
    putSample(classifier, entry);
  }
}

/** The next event of the line, once its protocol is known. */
export function takeAuto(tap: AutoTap, event: TapEvent): bool {
  if (tap.phase != PHASE_PROTOCOL) return false;
  return takeDecoded(tap.protocol, decoderOf(classifierOf(tap)), event);
}

/** Counters of the decoder, u32 each; 0: none is at work. */
export function autoCounters(tap: AutoTap): usize {
  if (tap.phase != PHASE_PROTOCOL) return 0;
  return decoderCounters(tap.protocol, decoderOf(classifierOf(tap)));
}

/** The work of a tick, after its edges and octets; `event` is for the decoders' use. */
export function stepAuto(tap: AutoTap, event: TapEvent, nowMs: u32, nowUs: u32): void {
  if (tap.order) return; // the UART first
  if (seesEdges(tap)) stepLook(tap, nowMs);
  else if (tap.trial >= 0 && tap.phase != PHASE_PROTOCOL) stepTrial(tap, event, nowMs, nowUs);
  else if (tap.bad > BAD_MAX) change(tap);
  else if (tap.phase == PHASE_PROTOCOL) rescore(tap, nowMs, nowUs);
  else stepClassify(tap, event, nowMs, nowUs);
}

// ---- the line, from edges

function stepLook(tap: AutoTap, nowMs: u32): void {
  const detector = detectorOf(tap);
  const count = edgesOf(detector).count;
  if (!tap.looking) {
    const quiet = nowMs - tap.edgeMs >= QUIET_MS;
    const wanted =
      count == EDGES_PER_WINDOW ||
      (count >= EARLY_EDGES && tap.looked == 0) ||
      (quiet && count >= FEW_EDGES && count > tap.looked);
    if (!wanted) return;
    look(detector);
    tap.looking = 1;
    tap.looked = count;
    return;
  }
  if (!stepDetector(detector)) return;
  tap.looking = 0;
  weigh(tap, detector, nowMs - tap.edgeMs >= QUIET_MS);
}

function weigh(tap: AutoTap, detector: Detector, quiet: bool): void {
  const full = tap.looked == EDGES_PER_WINDOW;
  const enough = detector.windows + 1 >= WINDOWS_ENOUGH || quiet;
  tap.confidence = detector.confidence;
  if (detector.best >= 0) {
    tap.baud = baudOf(detector.best);
    tap.format = formatOf(detector.best);
    tap.inverted = isInverted(detector.best) ? 1 : 0;
    const sure = detector.confidence >= SURE;
    const known = sure || (enough && detector.lineConfidence >= LINE_SURE);
    setPhase(tap, known ? PHASE_LINE : PHASE_LISTENING);
    if (known) return giveOrder(tap);
  } else {
    forgetLine(tap);
    if (detector.windows + 1 >= WINDOWS_NONE || (quiet && tap.looked >= EARLY_EDGES)) {
      // One window may be all glitches.
      tap.confidence = min(30 + 20 * (detector.windows + 1), CONFIDENCE_MAX);
      setPhase(tap, PHASE_NONE);
    }
  }
  tap.told = 0;
  if (!full) return;
  nextWindow(detector);
  tap.looked = 0;
}

// ---- the line, where there are only octets

function openTrial(tap: AutoTap): void {
  tap.baud = tap.trial == 0 ? tap.hintBaud : trialBaud(tap.trial);
  tap.format = tap.trial == 0 ? tap.hintFormat : trialFormat(tap.trial);
  tap.inverted = tap.confidence = 0;
  tap.trialMs = 0;
  giveOrder(tap);
}

// The octets of a trial are classified; when nothing decodes them, the next one has its turn.
function stepTrial(tap: AutoTap, event: TapEvent, nowMs: u32, nowUs: u32): void {
  if (tap.phase == PHASE_LINE) {
    if (tap.bad > BAD_MAX) change(tap);
    else stepClassify(tap, event, nowMs, nowUs);
    return;
  }
  if (tap.trialMs == 0) return; // a silent line says nothing of its rate
  const classifier = classifierOf(tap);
  const wrong = tap.bad >= TRIAL_BAD;
  if (!wrong && !stepClassify(tap, event, nowMs, nowUs)) return;
  if (tap.phase == PHASE_PROTOCOL) return;
  if (!wrong && classifier.likely != 0) return; // more of it
  if (tap.bad == 0 && tap.bestTrial < 0) tap.bestTrial = tap.trial;
  if (!wrong && nowMs - tap.trialMs < TRIAL_MS) return;
  tap.trial++;
  if (tap.trial < TRIALS) return openTrial(tap);
  const best = tap.bestTrial;
  tap.bestTrial = -1;
  tap.trial = max(best, 0);
  openTrial(tap);
  if (best < 0) return;
  tap.confidence = CONFIDENCE_GUESSED;
  setPhase(tap, PHASE_LINE);
}

// ---- the protocol

// True: a verdict was reached.
function stepClassify(tap: AutoTap, event: TapEvent, nowMs: u32, nowUs: u32): bool {
  const classifier = classifierOf(tap);
  if (isCollecting(classifier)) {
    if (isSampleDone(tap, classifier, nowMs)) scoreSample(classifier);
    return false;
  }
  if (!stepClassifier(classifier, event)) return false;
  const shown = classifier.best != 0 ? classifier.best : classifier.likely;
  tap.coverage = coverageOf(classifier, shown);
  tap.frames = framesOf(classifier, shown);
  tap.told = 0;
  if (classifier.best == 0) return true;
  tap.protocol = classifier.best;
  tap.confidence = max(tap.confidence, min(60 + (tap.coverage * 2) / 5, CONFIDENCE_MAX));
  tap.scoredBytes = tap.scoredJunk = 0;
  startDecoder(tap.protocol, decoderOf(classifier), classifier.characterUs, nowUs);
  setPhase(tap, PHASE_PROTOCOL);
  return true;
}

function isSampleDone(tap: AutoTap, classifier: Classifier, nowMs: u32): bool {
  const size = sampleSize(classifier);
  if (size == SAMPLE_OCTETS || nowMs - tap.octetMs >= SILENCE_MS) return true;
  const pause = nowMs - tap.octetMs >= PAUSE_MS;
  const enoughMs = tap.trial >= 0 && tap.phase == PHASE_LISTENING ? TRIAL_MS : SAMPLE_MS;
  return pause && size >= SAMPLE_ENOUGH && nowMs - tap.sampleMs >= enoughMs;
}

// A falling coverage is the sign that somebody changed the line.
function rescore(tap: AutoTap, nowMs: u32, nowUs: u32): void {
  const classifier = classifierOf(tap);
  if (nowMs != tap.octetMs) idleDecoder(tap.protocol, decoderOf(classifier), nowUs);
  const counters = autoCounters(tap);
  const bytes = load<u32>(counters + TAP_COUNTER_BYTES * 4) - tap.scoredBytes;
  if (bytes < RESCORE_BYTES) return;
  const junk = load<u32>(counters + TAP_COUNTER_JUNK_BYTES * 4) - tap.scoredJunk;
  tap.coverage = ((bytes - min(junk, bytes)) * 100) / bytes;
  tap.frames = load<u32>(counters + TAP_COUNTER_FRAMES * 4);
  tap.scoredBytes += bytes;
  tap.scoredJunk += junk;
  if (<u32>tap.coverage >= COVERAGE_LOST) return;
  tap.protocol = 0;
  tap.frames = 0;
  startClassifier(classifier, classifier.characterUs);
  setPhase(tap, PHASE_CHANGED);
}

// ---- changes

// Framing or parity errors: it is not the line it was.
function change(tap: AutoTap): void {
  const classifier = classifierOf(tap);
  startClassifier(classifier, classifier.characterUs);
  forgetLine(tap);
  setPhase(tap, PHASE_CHANGED);
}

/** After PHASE_CHANGED was told: everything begins again. */
export function beginAgain(tap: AutoTap): void {
  if (tap.phase != PHASE_CHANGED) return;
  if (tap.baud != 0) return setPhase(tap, PHASE_LINE); // the protocol alone is another one
  listen(tap);
  if (tap.trial >= 0) {
    tap.trial = 0;
    tap.bestTrial = -1;
    return openTrial(tap);
  }
  tap.order = 1;
  tap.orderBaud = 0;
  tap.orderFormat = 0;
}

function listen(tap: AutoTap): void {
  startDetector(detectorOf(tap), tap.unitPs);
  startClassifier(classifierOf(tap), 0);
  forgetLine(tap);
  tap.bad = tap.looking = tap.looked = 0;
  setPhase(tap, PHASE_LISTENING);
}

function forgetLine(tap: AutoTap): void {
  tap.baud = 0;
  tap.format = tap.inverted = tap.protocol = tap.confidence = tap.coverage = 0;
  tap.frames = 0;
}

function setPhase(tap: AutoTap, phase: i32): void {
  if (tap.phase != phase) tap.told = 0;
  tap.phase = phase;
}

/** The UART cannot be set so: another trial, or a line that is known but not heard. */
export function refuseOrder(tap: AutoTap): void {
  if (tap.trial < 0 || tap.phase != PHASE_LISTENING) return;
  tap.trial = tap.trial + 1 < TRIALS ? tap.trial + 1 : 0;
  openTrial(tap);
}

function giveOrder(tap: AutoTap): void {
  tap.order = 1;
  tap.orderBaud = tap.baud;
  tap.orderFormat = tap.format | (tap.inverted ? FORMAT_INVERTED : 0);
  tap.bad = 0;
  startClassifier(classifierOf(tap), (11_000_000 + tap.baud - 1) / tap.baud);
}

function detectorOf(tap: AutoTap): Detector {
  return changetype<Detector>(changetype<usize>(tap) + DETECTOR);
}

function classifierOf(tap: AutoTap): Classifier {
  return changetype<Classifier>(changetype<usize>(tap) + CLASSIFIER);
}

// SPDX-License-Identifier: MIT
// Rate, format and polarity of a line out of its edges, and how sure that is.
//
// Each hypothesis (rate, format, idle level) gets a score: how many bits of evidence, in quarters, speak for it
// rather than for "no such line". Scores of windows add up, so that a window of glitches costs one window. The
// confidence is the best one's share of all, "no such line" included: what cannot be told apart shares it.
//
//   a stop bit after a character not seen before: +1 bit (a repeated one less);  no stop bit: -4
//   parity that takes both values and agrees: +1 bit a character;  disagrees: -4 a character
//
// Fixed memory. Work: stepDetector does one of three things for one rate and idle level: pulses, characters of 10
// bits, characters of 11 bits; each looks at EDGES_PER_WINDOW edges at most. A window takes DETECT_STEPS at most.

import {
  CHARACTER_FRAMING,
  CHARACTER_NONE,
  hold,
  Receiver,
  Scale,
  scaled,
  scaleFor,
  startReceiver,
} from "./bits";
import {
  distanceAt,
  EDGE_WINDOW_BYTES,
  EdgeWindow,
  Fit,
  fitPulses,
  levelAt,
  mergeGlitches,
} from "./edges";

export const RATE_COUNT: i32 = 21;

// As ring record 5 has them.
const FORMAT_7E1: i32 = 1;
const FORMAT_7O1: i32 = 2;
const FORMAT_8N1: i32 = 3;
const FORMAT_8E1: i32 = 4;
const FORMAT_8O1: i32 = 5;
const FORMAT_9N1: i32 = 6;
const FORMATS: i32 = 6;
const LINES: i32 = RATE_COUNT * 2; // rate x 2 + idle level
const HYPOTHESES: i32 = LINES * FORMATS;

// Quarters of a bit.
const GOOD: i32 = 4;
const BAD: i32 = 16;
const REFUSED: i32 = -32;
const NONE_SCORE: i32 = 12; // "no such line" leads by this
const MULTIPLE: i32 = 4; // all pulses have one length, of more than a bit
const MULTIPLES: i32 = 32; // they have several, all multiples of more than a bit
const ALONE_OFF: i32 = 2; // where only one length occurs, 1/256 bit that it is off
const UNLIKE_DATA: i32 = 64; // what a clock or a Manchester code would send
const LIKE_CAN: i32 = 32;
const STUFFED_MAX: i32 = 5; // CAN holds no level longer
const LOW_IDLE: i32 = 4; // rarer than a high one
const BREAK_COST: i32 = 4; // each stretch that is too long at the start level; BREAKS_MAX of them
const BREAKS_MAX: i32 = 6;
const LITTLE: i32 = 44; // what about five characters say
const WINDOW_MAX: i32 = 300; // what one window can say
const SCORE_MAX: i32 = 4000;
const SCORE_MIN: i32 = -160; // a line that begins after noise is found in some windows

const STEP_PULSES: i32 = 0;
const STEP_SHORT: i32 = 1; // characters of 10 bits
const STEP_LONG: i32 = 2; // of 11
export const DETECT_STEPS: i32 = LINES * 3 + 1;

/** Followed in memory by the window, scores of earlier windows and of this one (i16), and the parts below. */
@unmanaged
export class Detector {
  unitPs: u32;
  counted: i32; // edges of the window that are looked at
  line: i32; // rate x 2 + idle level that is looked at; LINES: none
  step: i32;
  windows: i32; // that were added up
  best: i32; // hypothesis; -1: none is more likely than none
  confidence: i32; // percent, of the best
  lineConfidence: i32; // percent, of its rate and polarity in any format
}

/** What the characters of a window say. */
@unmanaged
class Tally {
  good: i32; // with their stop bit
  bad: i32;
  distinct: i32;
  odd: i32; // distinct ones of odd parity, their last bit included
  topOnes: i32; // distinct ones whose last bit is set
}

const SEEN_WORDS: i32 = 16; // 512 characters of nine bits
const WINDOW: usize = offsetof<Detector>();
const BEFORE: usize = WINDOW + EDGE_WINDOW_BYTES;
const NOW: usize = BEFORE + HYPOTHESES * 2;
const SCALE: usize = NOW + HYPOTHESES * 2;
const FIT: usize = SCALE + offsetof<Scale>();
const RECEIVER: usize = FIT + offsetof<Fit>();
const TALLY: usize = RECEIVER + offsetof<Receiver>();
const SEEN: usize = TALLY + offsetof<Tally>();

/** Memory of a detector, a multiple of 4. */
export const DETECTOR_BYTES: usize = SEEN + SEEN_WORDS * 4;

/** Forgets everything; edges come in units of `unitPs` picoseconds. */
export function startDetector(detector: Detector, unitPs: u32): void {
  memory.fill(changetype<usize>(detector), 0, DETECTOR_BYTES);
  detector.unitPs = unitPs;
  detector.line = LINES;
  detector.best = -1;
}

/** Where edges go; once it is full, look() and then nextWindow(). */
export function edgesOf(detector: Detector): EdgeWindow {
  return changetype<EdgeWindow>(changetype<usize>(detector) + WINDOW);
}

/** Begins to look at the edges so far; call stepDetector until it returns true. */
export function look(detector: Detector): void {
  detector.counted = edgesOf(detector).count;
  detector.line = 0;
  detector.step = STEP_PULSES;
}

/** One step. True: all is looked at, and the verdict is there. */
export function stepDetector(detector: Detector): bool {
  if (detector.line < LINES) {
    stepLine(detector);
    if (detector.line < LINES) return false;
    judge(detector);
  }
  return true;
}

/** Keeps the scores of the window that was looked at and empties it. */
export function nextWindow(detector: Detector): void {
  for (let i = 0; i < HYPOTHESES; i++) {
    store<i16>(scoreAt(detector, i, BEFORE), totalOf(detector, i));
    store<i16>(scoreAt(detector, i, NOW), 0);
  }
  edgesOf(detector).count = 0;
  detector.windows++;
}

/** Rate of a hypothesis. */
export function baudOf(hypothesis: i32): u32 {
  return rateOf(hypothesis / FORMATS);
}

/** Format code of a hypothesis, as ring record 5 has it. */
export function formatOf(hypothesis: i32): i32 {
  return (hypothesis % FORMATS) + 1;
}

/** True where the idle level of a hypothesis is low. */
export function isInverted(hypothesis: i32): bool {
  return ((hypothesis / FORMATS) & 1) == 0;
}

// Functions, so that only a module with such a tap has the tables.
function rates(): usize {
  return memory.data<u32>([
    300, 600, 1200, 2400, 4800, 7200, 9600, 14400, 19200, 28800, 31250, 38400, 57600, 76800, 115200,
    187500, 230400, 250000, 460800, 500000, 921600,
  ]);
}

// By format code, how much rarer, in quarters of a bit.
function priors(): usize {
  return memory.data<i8>([0, 8, 10, 0, 6, 8, 20]);
}

function rateOf(line: i32): u32 {
  return load<u32>(rates() + ((line >> 1) << 2));
}

function stepLine(detector: Detector): void {
  const line = detector.line;
  if (detector.step == STEP_PULSES) {
    for (let format = 1; format <= FORMATS; format++) setScore(detector, format, REFUSED);
    if (fits(detector, line)) detector.step = STEP_SHORT;
    else detector.line++;
    return;
  }
  if (detector.step == STEP_SHORT) {
    tally(detector, 8);
    score(detector, FORMAT_8N1, 0);
    score(detector, FORMAT_7E1, 0);
    score(detector, FORMAT_7O1, 1);
    detector.step = STEP_LONG;
    return;
  }
  tally(detector, 9);
  score(detector, FORMAT_9N1, 0);
  score(detector, FORMAT_8E1, 0);
  score(detector, FORMAT_8O1, 1);
  detector.line++;
  detector.step = STEP_PULSES;
}

function fits(detector: Detector, line: i32): bool {
  const window = edgesOf(detector);
  const scale = scaleOf(detector);
  const fit = fitOf(detector);
  const idle = line & 1;
  if (!scaleFor(scale, rateOf(line), detector.unitPs)) return false;
  if (!mergeGlitches(window, scale, detector.counted)) return false;
  if (!fitPulses(window, scale, idle, fit)) return false;
  const divisor = divisorOf(fit.lengths);
  return divisor == 1 || popcnt(fit.lengths) == 1 || !isRate(rateOf(line) / divisor);
}

function divisorOf(lengths: u32): i32 {
  let divisor = 0;
  for (let k = 1; k < 16; k++) {
    if (!((lengths >> k) & 1)) continue;
    let a = k;
    while (divisor != 0) {
      const rest = a % divisor;
      a = divisor;
      divisor = rest;
    }
    divisor = a;
  }
  return max(divisor, 1);
}

// As near as the slope of a line must be.
function isRate(baud: u32): bool {
  for (let i = 0; i < RATE_COUNT; i++) {
    const rate = load<u32>(rates() + (i << 2));
    if (<u32>abs(<i32>(rate - baud)) * 29 < rate) return true;
  }
  return false;
}

function tally(detector: Detector, bits: i32): void {
  const window = edgesOf(detector);
  const scale = scaleOf(detector);
  const receiver = changetype<Receiver>(changetype<usize>(detector) + RECEIVER);
  const counts = tallyOf(detector);
  memory.fill(changetype<usize>(counts), 0, offsetof<Tally>() + SEEN_WORDS * 4);
  startReceiver(receiver, detector.line & 1, bits, fitOf(detector).bit);
  // The stretch before the first edge is as long as nobody knows: long enough for what is before it to end.
  hold(receiver, levelAt(window, 0), 0);
  for (let i = 1; i < window.smooth; i++) {
    const character = hold(receiver, levelAt(window, i), scaled(scale, distanceAt(window, i)));
    if (character != CHARACTER_NONE) count(detector, counts, character, bits);
  }
}

function count(detector: Detector, counts: Tally, character: i32, bits: i32): void {
  if (character == CHARACTER_FRAMING) return; // a break
  if (character & CHARACTER_FRAMING) {
    counts.bad++;
    return;
  }
  counts.good++;
  const word = changetype<usize>(detector) + SEEN + ((character >> 5) << 2);
  const bit: u32 = 1 << (character & 31);
  const seen = load<u32>(word);
  if (seen & bit) return;
  store<u32>(word, seen | bit);
  counts.distinct++;
  counts.odd += popcnt(character) & 1;
  counts.topOnes += character >> (bits - 1);
}

// `odd`: the parity that the format wants; 8N1 and 9N1 want none.
function score(detector: Detector, format: i32, odd: i32): void {
  const counts = tallyOf(detector);
  let sum = counts.distinct * GOOD - counts.bad * BAD;
  sum += min(counts.good - counts.distinct, counts.distinct * GOOD);
  sum -= load<i8>(priors() + format);
  sum -= pulseCost(detector);
  if (format != FORMAT_8N1 && format != FORMAT_9N1) {
    const wrong = odd ? counts.distinct - counts.odd : counts.odd;
    const mixed = counts.topOnes > 0 && counts.topOnes < counts.distinct;
    sum -= wrong * BAD;
    if (mixed) sum += (counts.distinct - wrong) * GOOD;
  }
  setScore(detector, format, max(min(sum, WINDOW_MAX), REFUSED));
}

// What the pulses say against the line, whatever its format.
function pulseCost(detector: Detector): i32 {
  const window = edgesOf(detector);
  const fit = fitOf(detector);
  const idle = detector.line & 1;
  const divisor = divisorOf(fit.lengths);
  let cost = min(fit.breaks, BREAKS_MAX) * BREAK_COST;
  if (idle == 0) cost += LOW_IDLE;
  const alone = popcnt(fit.lengths) == 1;
  if (divisor > 1) cost += alone ? MULTIPLE : MULTIPLES;
  if (alone) cost += abs(fit.offset) / ALONE_OFF;
  if (tallyOf(detector).distinct < 3) return cost;
  // Several characters, but pulses of one length, or of one and two bits.
  if (alone || fit.longest <= 2) cost += UNLIKE_DATA;
  const rate = rateOf(detector.line);
  if (fit.longest <= STUFFED_MAX && (rate == 250_000 || rate == 500_000)) cost += LIKE_CAN;
  // What is before the first edge is part of a stretch, and already too long for data.
  if (levelAt(window, 0) != idle && isLong(detector)) cost += BREAK_COST;
  return cost;
}

function isLong(detector: Detector): bool {
  const scale = scaleOf(detector);
  return scaled(scale, distanceAt(edgesOf(detector), 0)) > 11 * scale.bit;
}

function judge(detector: Detector): void {
  let best = 0;
  for (let i = 1; i < HYPOTHESES; i++) if (totalOf(detector, i) > totalOf(detector, best)) best = i;
  const top = totalOf(detector, best);
  let all = share(top - NONE_SCORE);
  let line = 0;
  for (let i = 0; i < HYPOTHESES; i++) {
    const one = share(top - totalOf(detector, i));
    all += one;
    if (i / FORMATS == best / FORMATS) line += one;
  }
  detector.best = top > 0 ? best : -1;
  detector.confidence = min((share(0) * 100) / all, 99);
  detector.lineConfidence = min((line * 100) / all, 99);
}

// 2^(-quarters / 4) in 1/4096; more than likely for what leads.
function share(quarters: i32): i32 {
  if (quarters < 0) return share(0) << min(-quarters >> 2, 12);
  const fraction = quarters & 3;
  const root = fraction == 0 ? 4096 : fraction == 1 ? 3444 : fraction == 2 ? 2896 : 2435;
  return root >> min(quarters >> 2, 31);
}

// The few characters of a line that repeats them speak for it once, however long it goes on.
function totalOf(detector: Detector, hypothesis: i32): i32 {
  const before: i32 = load<i16>(scoreAt(detector, hypothesis, BEFORE));
  const now: i32 = load<i16>(scoreAt(detector, hypothesis, NOW));
  const again = before > 0 && now > 0 && now < LITTLE;
  return max(min(again ? max(before, now) : before + now, SCORE_MAX), SCORE_MIN);
}

function setScore(detector: Detector, format: i32, value: i32): void {
  store<i16>(scoreAt(detector, detector.line * FORMATS + format - 1, NOW), value);
}

function scoreAt(detector: Detector, hypothesis: i32, table: usize): usize {
  return changetype<usize>(detector) + table + (hypothesis << 1);
}

function scaleOf(detector: Detector): Scale {
  return changetype<Scale>(changetype<usize>(detector) + SCALE);
}

function fitOf(detector: Detector): Fit {
  return changetype<Fit>(changetype<usize>(detector) + FIT);
}

function tallyOf(detector: Detector): Tally {
  return changetype<Tally>(changetype<usize>(detector) + TALLY);
}

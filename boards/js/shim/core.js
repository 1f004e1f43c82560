// SPDX-License-Identifier: MIT
// What runs loop and link on a JavaScript engine: host functions, ticks, traps.
//
// Spec: SPEC.md section 1. ES5 without labels or hoisting: an engine may have neither. The factories loop(host) and
// link(host) and the board's own functions (boardUs, boardAdc, boardSend, ...) stand in the same script. Names in
// capitals are values of one node on one board: compose.ts puts them in and takes out what they leave unused.
// (C1) a host function reaches the memory of its own module only, and only inside it; anything else is a trap.
// (C2) ticks stand at start + k x period; a tick that comes a period late is one for all that were missed.
// (C3) every output has its safe value whenever loop is not there.
// (C4) of boot numbers the latest two are kept, odd and even apart: a write that fails leaves the one before.

var RECORD_BYTES = 76; // SPEC.md section 1.4
var MAILBOX_BYTES = 128; // 8 records of 16, section 1.7
var LINK_RESTART_US = 100000; // long enough to see it, short against keep alive
var POLL_DELAY_MS = 1000; // SPEC.md section 1.2
var POLL_PITCH_US = 1000; // a link that always asks for 0 ms still lets time go on

var counters = [0, 0, 0, 0]; // ring dropped, loop traps, loop overruns, link traps
var loopModule;
var linkModule;
var settings; // of this node, from the board's storage
var tickDue;
var pollDue;
var timer;

// What the board could not do is not done: no trap of the module that wanted it.
function attempt(action, first, second) {
  try {
    return action(first, second);
  } catch (error) {
    return 0;
  }
}

// ---- memories and queues

function reach(memory, at, length) {
  if (at < 0 || length < 0 || at + length > memory.length) throw Error("bad address");
}

// A host function whose last arguments are an address and a length, as action(memory, at, length, first).
function inModule(isLink, action) {
  return function (first, at, length) {
    var memory = (isLink ? linkModule : loopModule).memory;
    if (length === undefined) {
      length = at;
      at = first;
    }
    reach(memory, at, length);
    return action(memory, at, length, first);
  };
}

function copyOf(memory, at, length) {
  var copy = new Uint8Array(length);
  for (var i = 0; i < length; i++) copy[i] = memory[at + i];
  return copy;
}

function fill(memory, at, octets) {
  for (var i = 0; i < octets.length; i++) memory[at + i] = octets[i];
  return octets.length;
}

// Records in the order they came, of `most` octets in all.
function createQueue(most) {
  var records = [];
  var used = 0;
  return {
    put: function (memory, at, length) {
      if (length < 1 || used + length > most) return 0;
      records.push(copyOf(memory, at, length));
      used += length;
      return 1;
    },
    // One that does not fit is dropped, and the next one has its turn.
    take: function (memory, at, capacity) {
      while (records.length) {
        var record = records.shift();
        used -= record.length;
        if (record.length <= capacity) return fill(memory, at, record);
        counters[0]++;
      }
      return 0;
    },
  };
}

var ring = createQueue(RING_BYTES);
var inbox = createQueue(INBOX_BYTES);
if (USES_MAILBOX) var mailbox = createQueue(MAILBOX_BYTES);

// The board calls it with a datagram of the gateway, which is peer 1.
function received(octets) {
  var entry = [1, 0, 0, 0];
  fill(entry, 4, octets);
  if (linkModule && inbox.put(entry, 0, entry.length)) {
    pollDue = 0;
    wake();
  }
}

// Of latin-1, or of hexadecimal digits.
function octetsOf(text, isHex) {
  var octets = [];
  for (var i = 0; i < text.length; i += isHex ? 2 : 1)
    octets.push(isHex ? parseInt(text.substr(i, 2), 16) : text.charCodeAt(i));
  return octets;
}

function textOf(octets) {
  var text = "";
  for (var i = 0; i < octets.length; i++) text += String.fromCharCode(octets[i]);
  return text;
}

// ---- characters of taps, entries of SPEC.md section 1.3

function createTap(pitchUs) {
  var room = new Uint8Array(8 * TAP_ENTRIES);
  var first = 0;
  var count = 0;
  var lost = 0;
  var lastUs = 0;
  return {
    // What the tap's port gave at once; its last character ends now. Each ends after the one before, also when
    // the engine was late with those.
    hear: function (octets, flags) {
      for (var i = 0; i < octets.length; i++) {
        lastUs = Math.max(lastUs, Math.floor(boardUs()) - (octets.length - 1 - i) * pitchUs);
        if (count < TAP_ENTRIES) {
          var to = ((first + count++) % TAP_ENTRIES) * 8;
          for (var k = 0; k < 4; k++) room[to + k] = (lastUs | 0) >> (8 * k);
          room[to + 4] = octets[i];
          room[to + 5] = flags | lost;
          lost = 0;
        } else lost = 8;
      }
    },
    take: function (memory, at, capacity) {
      var taken = Math.min(capacity, count);
      reach(memory, at, 8 * taken);
      for (var i = 0; i < 8 * taken; i++)
        memory[at + i] = room[(8 * first + i) % (8 * TAP_ENTRIES)];
      first = (first + taken) % TAP_ENTRIES;
      count -= taken;
      return taken;
    },
  };
}

if (USES_TAP_TAKE) {
  var taps = [];
  while (taps.length < TAPS) taps.push(createTap(TAP_CHARACTER_US[taps.length]));
}

// ---- flash: the latest boot entry of SPEC.md section 1.6; what lies before it in its sector reads as 00

var boot = 0;
var bootOffset = 0;

// Files 0 and 1 hold "boot offset boot" (C4); anything else was torn.
function loadBoot() {
  for (var slot = 0; slot < 2; slot++) {
    var words = (boardLoad(slot) || "").split(" ");
    if (words[2] === words[0] && words[0] > boot) {
      boot = +words[0];
      bootOffset = +words[1];
    }
  }
}

function flashRead(memory, at, length, offset) {
  if (offset < 0 || offset + length > 8192) return -1;
  for (var i = 0; i < length; i++) {
    var place = offset + i - bootOffset; // from the start of the entry
    var isThere = boot && place < 8 && (offset + i) >> 12 === bootOffset >> 12;
    memory[at + i] = isThere
      ? place < 0
        ? 0
        : (place < 4 ? boot : ~boot) >> (8 * (place & 3))
      : 255;
  }
  return 0;
}

// A boot entry with a larger number, and nothing else.
function flashProgram(memory, at, length, offset) {
  var number = 0;
  for (var i = 4; i--;) number = number * 256 + memory[at + i];
  if (length !== 8 || number <= boot || offset < 0 || offset > 8184) return -1;
  if (!attempt(boardSave, number & 1, number + " " + offset + " " + number)) return -1;
  boot = number;
  bootOffset = offset;
  return 0;
}

// What is kept is one entry: in the other sector there is nothing left to erase.
function flashErase(offset) {
  return offset & ~4096 ? -1 : 0;
}

// ---- host functions

if (USES_PWM_WRITE) var pwm = PWM; // [pin, safe duty] by output

function nowUs() {
  return boardUs() | 0;
}

function putRecord(memory, at, length) {
  if (length <= RECORD_BYTES && ring.put(memory, at, length)) {
    if (linkModule) pollDue = 0;
    return 1;
  }
  counters[0]++;
  return 0;
}

function loopHost() {
  var host = { now_us: nowUs, ring_put: inModule(0, putRecord) };
  if (USES_ADC_READ)
    host.adc_read = function (input) {
      return ANALOG[input] === undefined ? -1 : boardAdc(ANALOG[input]);
    };
  if (USES_PWM_WRITE)
    host.pwm_write = function (output, duty) {
      var pin = pwm[output];
      if (!pin) return -1;
      boardPwm(pin[0], Math.max(0, Math.min(65535, duty)));
      return 0;
    };
  if (USES_DIGITAL_READ)
    host.digital_read = function (number) {
      return DIGITAL_IN[number] === undefined ? -1 : boardRead(DIGITAL_IN[number]) ? 1 : 0;
    };
  if (USES_DIGITAL_WRITE)
    host.digital_write = function (number, level) {
      if (!DIGITAL_OUT[number]) return -1;
      boardWrite(DIGITAL_OUT[number][0], level ? 1 : 0);
      return 0;
    };
  if (USES_PULSE_COUNT)
    host.pulse_count = function (input) {
      return PULSES[input] === undefined ? 0 : boardPulses(PULSES[input]) | 0;
    };
  if (USES_TAP_TAKE)
    host.tap_take = inModule(0, function (memory, at, capacity, tap) {
      return taps[tap] ? taps[tap].take(memory, at, capacity) : 0;
    });
  if (USES_MAILBOX) host.mailbox_take = inModule(0, mailbox.take);
  return host;
}

// Items of SPEC.md section 1.5 as octets; undefined: there is no such item.
function itemOf(number) {
  if (number === 6) return [1];
  if (number === 7) return new Uint8Array(new Uint32Array(counters).buffer);
  var text = [0, settings.id, settings.eui64, LOOP_HASH, LINK_HASH, HOST_NAME][number];
  return text && octetsOf(text, number > 1 && number < 5);
}

function linkHost() {
  var host = {
    now_us: nowUs,
    ring_take: inModule(1, ring.take),
    datagram_put: inModule(1, function (memory, at, length, peer) {
      return peer === 1 && attempt(boardSend, copyOf(memory, at, length)) ? 1 : 0;
    }),
    datagram_take: inModule(1, inbox.take),
    flash_read: inModule(1, flashRead),
    flash_erase: flashErase,
    flash_program: inModule(1, flashProgram),
    entropy: inModule(1, function (memory, at, length) {
      for (var i = 0; i < length; i++) memory[at + i] = boardRandom();
      return length;
    }),
    info: inModule(1, function (memory, at, capacity, item) {
      var octets = itemOf(item);
      return octets && octets.length <= capacity ? fill(memory, at, octets) : -1;
    }),
  };
  if (USES_MAILBOX) host.mailbox_put = inModule(1, mailbox.put);
  return host;
}

// ---- running

function toSafe() {
  var number;
  if (USES_PWM_WRITE) for (number in pwm) boardPwm(pwm[number][0], pwm[number][1]);
  if (USES_DIGITAL_WRITE)
    for (number in DIGITAL_OUT) boardWrite(DIGITAL_OUT[number][0], DIGITAL_OUT[number][1]);
}

// The 1st, 2nd, 4th, 8th, ... is said, so that a module that always fails fills no console.
function failed(counter, error) {
  var count = ++counters[counter];
  if (counter < 3) {
    loopModule = 0;
    toSafe(); // (C3)
  }
  if (!(count & (count - 1))) boardSay((counter < 3 ? "loop: " : "link: ") + error);
}

function startLoop() {
  loopModule = loop(loopHost());
  loopModule.init();
}

function tick() {
  try {
    if (!loopModule) startLoop();
    var startUs = boardUs();
    loopModule.tick();
    if (boardUs() - startUs > PERIOD_US) failed(2, "a tick too long");
  } catch (error) {
    failed(1, error);
  }
}

// Starts link or polls it, and says when it wants to be polled again.
function poll() {
  var delayUs = 0;
  try {
    if (linkModule) {
      var ms = linkModule.poll();
      delayUs = ms >= 0 && ms < POLL_DELAY_MS ? Math.max(ms * 1000, POLL_PITCH_US) : 1000000;
    } else {
      loadBoot();
      linkModule = link(linkHost());
      linkModule.init();
    }
  } catch (error) {
    linkModule = 0;
    inbox = createQueue(INBOX_BYTES);
    delayUs = LINK_RESTART_US;
    failed(3, error);
  }
  pollDue = boardUs() + delayUs;
}

function wake() {
  if (timer) clearTimeout(timer);
  timer = setTimeout(run, Math.max(0, Math.min(tickDue, pollDue) - boardUs()) / 1000);
}

function run() {
  timer = 0;
  try {
    var missed = Math.floor((boardUs() - tickDue) / PERIOD_US); // (C2); below 0: not due yet
    if (missed >= 0) {
      counters[2] += missed;
      tickDue += (missed + 1) * PERIOD_US;
      tick();
    }
    if (boardUs() >= pollDue) poll();
  } finally {
    wake();
  }
}

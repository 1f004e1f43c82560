// SPDX-License-Identifier: MIT
// The board's own functions in virtual time, over a tape; host calls are shown.
//
// For proofs that engines agree: print(text) is all it needs of one. A tape is { settings, seed, ticks, events, faults }
// with events [us, kind, tap or 0, flags, hex] in order of time: kind 0 a datagram of the gateway, 1 characters of a tap.
// ADC, digital inputs and entropy come from a generator of 20 bits. faults: numbers of flash writes that fail.

var us = 0;
var seed = tape.seed;
var next = 0; // event of the tape
var due; // of the one timer
var slots = ["", ""];
var writes = 0;
var onDue;

function chance() {
  seed = (seed * 4005 + 1234567) % 1048576;
  return seed >> 4;
}

var setTimeout = function (action, ms) {
  onDue = action;
  due = us + ms * 1000;
  return 1;
};

var clearTimeout = function () {
  onDue = 0;
};

function boardUs() {
  return us;
}

function boardSay(text) {
  print("say " + text);
}

// Near a line with noise, now and then at an end of the range.
function boardAdc() {
  var value = chance();
  return value % 16 ? 2000 + (value & 255) : value & 1 ? 4095 : 0;
}

function boardPwm(pin, duty) {
  print("pwm " + pin + " " + duty);
}

function boardRead() {
  return chance() & 1;
}

function boardWrite(pin, level) {
  print("write " + pin + " " + level);
}

function boardPulses() {
  return us >> 14;
}

function boardRandom() {
  return chance() & 255;
}

function boardLoad(name) {
  return name === "json" ? JSON.stringify(tape.settings) : slots[name];
}

function boardSave(slot, text) {
  if (tape.faults && tape.faults.indexOf(writes++) >= 0) return 0;
  slots[slot] = text;
  return 1;
}

function boardSend(octets) {
  if (tape.sent) tape.sent(us, octets);
  return chance() % 16 ? 1 : 0;
}

function boardOpen() {}

// ---- what is printed

// Arguments with the address and the length of octets that go in, or come out.
var PUTS = { ring_put: 0, mailbox_put: 0, datagram_put: 1, flash_program: 1 };
var TAKES = { ring_take: 0, mailbox_take: 0, datagram_take: 0, tap_take: 1, info: 1, entropy: 0 };

function hexOf(memory, at, length) {
  var text = "";
  for (var i = 0; i < length; i++) {
    var octet = memory[at + i];
    text += (octet < 16 ? "0" : "") + octet.toString(16);
  }
  return text;
}

function traced(name, factory) {
  return function (host) {
    var module;
    function wrap(key) {
      return function (a, b, c) {
        var given = [a, b, c];
        var text = name + "." + key + "(" + [a, b, c].join(",") + ")";
        var at = PUTS[key];
        if (at >= 0) text += hexOf(module.memory, given[at], given[at + 1]);
        var result = host[key](a, b, c);
        text += "=" + result;
        at = TAKES[key];
        if (at >= 0) {
          text += hexOf(module.memory, given[at], key === "tap_take" ? 8 * result : result);
        }
        if (key === "flash_read") text += hexOf(module.memory, b, c);
        print(text);
        return result;
      };
    }
    var seen = {};
    for (var key in host) seen[key] = wrap(key);
    module = factory(seen);
    return {
      memory: module.memory,
      init: function () {
        print(name + ".init");
        module.init();
      },
      tick: function () {
        print("tick " + us);
        module.tick();
      },
      poll: function () {
        print("poll " + us);
        var ms = module.poll();
        print("polled " + ms);
        return ms;
      },
    };
  };
}

// ---- the run

function deliver(event) {
  if (event[1]) taps[event[2]].hear(octetsOf(event[4], 1), event[3]);
  else received(octetsOf(event[4], 1));
}

function play() {
  loop = traced("loop", loop);
  link = traced("link", link);
  start();
  var endUs = tape.ticks * PERIOD_US;
  while (onDue && due <= endUs) {
    var event = tape.events[next];
    if (event && event[0] <= due) {
      us = Math.max(us, event[0]);
      next++;
      deliver(event);
    } else {
      us = Math.max(us, due);
      var action = onDue;
      onDue = 0;
      action();
    }
  }
  print("counters " + counters.join(" "));
}

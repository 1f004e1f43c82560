// SPDX-License-Identifier: MIT
// The start of a bundle: checks of the engine, then settings, then both modules.
//
// An engine whose numbers are not doubles, or that computes anything else than WebAssembly did when the bundle was
// built, runs nothing: outputs are safe and the error says why. Last part of the script.

// What a module does with answers made up from what it asks, and all its memory after that, as 20 bits. Numbers that
// are no doubles give another one: the products have 33 bits.
function answerOf(factory, names, entry) {
  var seed = 1;
  var us = 0;
  var host = {};
  var answers = { ring_put: 1, mailbox_put: 1, datagram_put: 1 };
  function mix(value) {
    seed = (seed * 4005 + (value & 65535) + 12345) % 1048576;
  }
  function standIn(name) {
    return function (a, b, c) {
      mix((a | 0) + 3 * (b | 0) + 5 * (c | 0));
      if (USES_TAP_TAKE && name === "tap_take") {
        for (var i = 0; i < 8; i++) {
          mix(i);
          module.memory[b + i] = i < 4 ? us >> (8 * i) : i < 5 ? seed : 0;
        }
        return 1;
      }
      answers.now_us = us += 10007;
      answers.adc_read = seed & 4095;
      answers.info = c;
      return answers[name] || 0;
    };
  }
  for (var name in names) host[name] = standIn(name);
  var module = factory(host);
  module.init();
  for (var i = 0; i < CHECK_TICKS; i++) module[entry]();
  for (i = 0; i < module.memory.length; i++) mix(module.memory[i]);
  return seed;
}

function checkEngine() {
  if (
    answerOf(loop, loopHost(), "tick") !== LOOP_ANSWER ||
    answerOf(link, linkHost(), "poll") !== LINK_ANSWER
  )
    throw Error("ferrule: this engine computes wrongly");
}

function readSettings() {
  settings = JSON.parse(boardLoad("json") || "{}");
  var needed = SETTINGS;
  for (var i = 0; i < needed.length; i++)
    if (!settings[needed[i]]) throw Error("ferrule: settings have no " + needed[i]);
}

function start() {
  toSafe();
  if (CHECK_TICKS) checkEngine();
  readSettings();
  tickDue = boardUs() + PERIOD_US;
  pollDue = 0;
  try {
    startLoop();
  } catch (error) {
    failed(1, error);
  }
  boardOpen();
  wake();
}

// SPDX-License-Identifier: MIT
// The child's side of duktape.ts: instances, calls as coroutines, octets as text.
//
// `imports` and `factories` follow in the same file. ES5 for duktape only. One call is under way at a time; one that is left for good is forgotten with the next.

var instances = [];
var running; // the coroutine
var current; // the instance it runs in

// Address and length among the arguments of functions that take octets.
var GIVEN = { ring_put: 0, mailbox_put: 0, datagram_put: 1, flash_program: 1, tap_put: 1 };

function hexOf(memory, at, length) {
  var text = "";
  for (var i = at; i < at + length; i++) {
    if (memory[i] === undefined) return ""; // outside: the host function says so
    text += (memory[i] < 16 ? "0" : "") + memory[i].toString(16);
  }
  return text;
}

function hostOf(name) {
  return function (a, b, c) {
    var at = [a, b, c][GIVEN[name]];
    var length = [a, b, c][GIVEN[name] + 1];
    var octets = GIVEN[name] === undefined ? "" : hexOf(current.memory, at, length);
    return Duktape.Thread.yield("@H " + [name, a | 0, b | 0, c | 0, octets].join(" "));
  };
}

function make(number, factory) {
  var host = {};
  for (var i = 0; i < imports.length; i++) host[imports[i]] = hostOf(imports[i]);
  instances[number] = factories[factory](host);
  print("@R 0");
}

function resume(value) {
  try {
    var said = Duktape.Thread.resume(running, value);
    print(typeof said === "string" ? said : "@R " + (said | 0));
  } catch (error) {
    print("@X " + error.message);
  }
}

function call(number, name, a, b) {
  current = instances[number];
  running = new Duktape.Thread(function () {
    return current[name](a, b);
  });
  resume();
}

function go(result, at, octets) {
  for (var i = 0; i < octets.length; i += 2)
    current.memory[at + i / 2] = parseInt(octets.substr(i, 2), 16);
  resume(result);
}

function show(number, at, length) {
  print("@M " + hexOf(instances[number].memory, at, length));
}

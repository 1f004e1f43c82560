// SPDX-License-Identifier: MIT
// What both engines give a bundle, in ES5 and virtual time, for tests.

var now = 0; // us
var alarm = null;
var levels = {}; // by pin
var stored = { json: '{"id":"node-1","eui64":"02464552fffe002a"}' };
var broken = false; // the storage
var wrote = []; // octets to the line
var lineListener;
var tapListeners = {};

function getTime() {
  return now / 1000000;
}

function micros() {
  return now;
}

function setTimeout(action, ms) {
  alarm = { action: action, at: now + Math.ceil(ms * 1000) };
  return 1;
}

function clearTimeout() {
  alarm = null;
}

// Runs what is due up to a time; `late` is how much later each timer comes.
function passTo(us, late) {
  while (alarm && alarm.at + (late || 0) <= us) {
    var action = alarm.action;
    now = Math.max(now, alarm.at + (late || 0));
    alarm = null;
    action();
  }
  now = Math.max(now, us);
}

function analogRead() {
  return 0.5;
}

function analogWrite(pin, value) {
  levels[pin] = value;
}

function digitalWrite(pin, value) {
  levels[pin] = value;
}

function digitalRead(pin) {
  return levels[pin] || 0;
}

function pinMode() {}

function setWatch(action) {
  setWatch.action = action;
}

var RISING = 1;
var OUTPUT = 2;
var INPUT_PULLDOWN = 3;
var E = {
  hwRand: function () {
    return 7;
  },
};

// ---- ports: Espruino's are objects with strings, Kaluma's a class with octets

function textOfOctets(octets) {
  return String.fromCharCode.apply(null, octets);
}

function createPort(isLine) {
  return {
    setup: function (baud, options) {
      if (typeof baud !== "number" || typeof options !== "object") throw Error("setup");
    },
    on: function (event, action) {
      if (isLine) lineListener = action;
      else tapListeners[event] = action;
    },
    write: function (octets) {
      for (var i = 0; i < octets.length; i++) wrote.push(octets[i]);
    },
  };
}

var Serial1 = createPort(true);
var Serial2 = createPort(false);

function UART(port, options) {
  if (typeof port !== "number" || typeof options.baudrate !== "number") throw Error("UART");
  var made = createPort(port === 1);
  this.on = made.on;
  this.write = function (octets) {
    if (!(octets instanceof Uint8Array)) throw Error("write takes Uint8Array");
    made.write(octets);
  };
}

// ---- storage

function check() {
  if (broken) throw Error("worn out");
}

var storageModule = {
  read: function (name) {
    check();
    return stored[name.split(".")[1]];
  },
  write: function (name, text) {
    if (broken) return false;
    stored[name.split(".")[1]] = text;
    return true;
  },
};

var filesModule = {
  exists: function (path) {
    check();
    return stored[path.split(".")[1]] !== undefined;
  },
  readFile: function (path) {
    var text = stored[path.split(".")[1]];
    var octets = new Uint8Array(text.length);
    for (var i = 0; i < text.length; i++) octets[i] = text.charCodeAt(i);
    return octets;
  },
  writeFile: function (path, octets) {
    check();
    if (!(octets instanceof Uint8Array)) throw Error("writeFile takes Uint8Array");
    stored[path.split(".")[1]] = textOfOctets(octets);
  },
};

function require(name) {
  return { Storage: storageModule, fs: filesModule, uart: { UART: UART } }[name];
}

// ---- what a tap or the line hears, as each engine gives it

function give(listener, octets) {
  if (STAGE_ENGINE === "espruino") listener(textOfOctets(octets));
  else listener(new Uint8Array(octets));
}

// ---- modules that do what a test says: onTick and onPoll get the host functions

var ticks = []; // times
var inits = { loop: 0, link: 0 };
var onTick = function () {};
var onPoll = function () {
  return 1000;
};

function loop(host) {
  return {
    memory: new Uint8Array(1024),
    init: function () {
      inits.loop++;
    },
    tick: function () {
      ticks.push(now);
      onTick(host, loopModule.memory);
    },
  };
}

function link(host) {
  return {
    memory: new Uint8Array(2048),
    init: function () {
      inits.link++;
    },
    poll: function () {
      return onPoll(host, linkModule.memory);
    },
  };
}

// SPDX-License-Identifier: MIT
// The board's own functions on Espruino: pins, ports, WiFi, storage, clock.
//
// Pins are numbers as Espruino has them. Strings of ports and of dgram are latin-1. Settings are the file ferrule.json of
// Storage; boot numbers the files ferrule.0 and ferrule.1. Nobody else may set the clock: getTime() is the node's.

var storage = require("Storage");
var startS = getTime();

function boardUs() {
  return (getTime() - startS) * 1000000;
}

function boardSay(text) {
  print("ferrule: " + text);
}

function boardAdc(pin) {
  return Math.min(4095, Math.floor(analogRead(pin) * 4095 + 0.5));
}

function boardRandom() {
  return E.hwRand() & 255;
}

function boardLoad(name) {
  return storage.read("ferrule." + name);
}

function boardSave(slot, text) {
  return storage.write("ferrule." + slot, text);
}

if (USES_UDP) var socket;

// Again after 5 s: an access point that is away comes back.
function openNetwork() {
  require("Wifi").connect(settings.ssid, { password: settings.password }, function (error) {
    if (error) setTimeout(openNetwork, 5000);
    else if (!socket)
      socket = require("dgram")
        .createSocket("udp4")
        .bind(LOCAL_PORT, function (bound) {
          bound.on("message", function (text, from) {
            if (from.address + ":" + from.port === settings.gateway) received(octetsOf(text));
          });
        });
  });
}

if (USES_UDP)
  var boardSend = function (octets) {
    var to = settings.gateway.split(":");
    if (socket) socket.send(textOf(octets), +to[1], to[0]);
    return socket;
  };

function boardWriteLine(octets) {
  LINE_PORT.write(octets);
  return 1;
}

function openTap(index) {
  var port = TAP_PORTS[index];
  port.setup(TAP_BAUDS[index], TAP_OPTIONS[index]);
  port.on("data", function (text) {
    taps[index].hear(octetsOf(text), 0);
  });
  port.on("framing", function () {
    taps[index].hear([0], 1);
  });
  port.on("parity", function () {
    taps[index].hear([0], 2);
  });
}

function openPulses(pin) {
  pulses[pin] = 0;
  setWatch(
    function () {
      pulses[pin]++;
    },
    pin,
    { repeat: true, edge: "rising" }
  );
}

function boardOpen() {
  if (USES_DIGITAL_READ || USES_PULSE_COUNT)
    for (var k = 0; k < INPUT_PINS.length; k++) pinMode(INPUT_PINS[k], INPUT_MODE);
  if (USES_PULSE_COUNT) for (var n in PULSES) openPulses(PULSES[n]);
  if (USES_TAP_TAKE) for (var i = 0; i < TAP_PORTS.length; i++) openTap(i);
  if (USES_LINE) {
    LINE_PORT.setup(LINE_BAUD, LINE_OPTIONS);
    LINE_PORT.on("data", function (text) {
      lineHeard(octetsOf(text));
    });
  }
  if (USES_UDP) openNetwork();
}

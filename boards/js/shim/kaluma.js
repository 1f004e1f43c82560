// SPDX-License-Identifier: MIT
// The board's own functions on Kaluma: pins, ports, WiFi, files, clock.
//
// Pins are GPIO numbers. Ports take and give Uint8Array; __netdev takes a string (latin-1) and gives Uint8Array.
// Settings are the file /ferrule.json; boot numbers the files /ferrule.0 and /ferrule.1: the storage module has room for
// 64 writes in all. Kaluma's tap port has a transmit pin, which nothing writes to: it stays open.

var files = require("fs");

function boardUs() {
  return micros();
}

function boardSay(text) {
  console.log("ferrule: " + text);
}

// analogRead gives the raw count / 4096.
function boardAdc(pin) {
  return Math.min(4095, (analogRead(pin) * 4096 + 0.5) | 0);
}

function boardRandom() {
  return (Math.random() * 256) | 0;
}

function boardLoad(name) {
  return files.exists("/ferrule." + name) && textOf(files.readFile("/ferrule." + name));
}

function boardSave(slot, text) {
  files.writeFile("/ferrule." + slot, new Uint8Array(octetsOf(text)));
  return 1;
}

if (USES_UDP) var socket = -1;

// Again after 5 s: an access point that is away comes back.
function openNetwork() {
  var WiFi = require("wifi").WiFi;
  new WiFi().connect({ ssid: settings.ssid, password: settings.password }, function (error) {
    if (error) return setTimeout(openNetwork, 5000);
    var gateway = settings.gateway.split(":");
    socket = __netdev.socket("AF_INET", "DGRAM");
    __netdev.get(socket).read_cb = received;
    __netdev.connect(socket, gateway[0], +gateway[1], function () {});
  });
}

if (USES_UDP)
  var boardSend = function (octets) {
    if (socket < 0) return 0;
    __netdev.write(socket, textOf(octets), function () {});
    return 1;
  };

if (USES_LINE) var line;

function boardWriteLine(octets) {
  line.write(new Uint8Array(octets));
  return 1;
}

function openPort(number, options, hear) {
  var UART = require("uart").UART;
  var port = new UART(number, options);
  port.on("data", hear);
  return port;
}

function openTap(index) {
  openPort(TAP_PORTS[index], TAP_OPTIONS[index], function (octets) {
    taps[index].hear(octets, 0);
  });
}

function openPulses(pin) {
  pulses[pin] = 0;
  setWatch(
    function () {
      pulses[pin]++;
    },
    pin,
    RISING
  );
}

function boardOpen() {
  if (USES_DIGITAL_READ || USES_PULSE_COUNT)
    for (var k = 0; k < INPUT_PINS.length; k++) pinMode(INPUT_PINS[k], INPUT_MODE);
  if (USES_DIGITAL_WRITE) for (var m in DIGITAL_OUT) pinMode(DIGITAL_OUT[m][0], OUTPUT);
  if (USES_PULSE_COUNT) for (var n in PULSES) openPulses(PULSES[n]);
  if (USES_TAP_TAKE) for (var i = 0; i < TAP_PORTS.length; i++) openTap(i);
  if (USES_LINE) line = openPort(LINE_PORT, LINE_OPTIONS, lineHeard);
  if (USES_UDP) openNetwork();
}

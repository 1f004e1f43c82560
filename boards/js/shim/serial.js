// SPDX-License-Identifier: MIT
// Datagrams on a serial line, for boards without a network: COBS and a CRC.
//
// Spec: SPEC.md section 7. The board has boardWriteLine(octets) and calls lineHeard(octets). A frame with a wrong CRC,
// no COBS or too long is dropped, and the next one is taken.

var LINE_BYTES_MAX = 536; // a datagram of 512, its CRC, COBS and a few more

var frame = []; // octets since the last 00
var inFrame = 0; // what came before the first 00 began earlier

function crc32c(octets, length) {
  var crc = -1;
  for (var i = 0; i < length; i++) {
    crc ^= octets[i];
    for (var k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? -2097792136 : 0);
  }
  return ~crc;
}

function boardSend(datagram) {
  var length = datagram.length;
  var line = [0, 0];
  var code = 1; // where the length of the open block stands
  var crc = crc32c(datagram, length);
  for (var i = 0; i < length + 4; i++) {
    var octet = i < length ? datagram[i] : (crc >>> (8 * (i - length))) & 255;
    if (octet) line.push(octet);
    if (!octet || line.length - code === 255) {
      line[code] = line.length - code;
      code = line.length;
      line.push(0);
    }
  }
  line[code] = line.length - code;
  line.push(0);
  return boardWriteLine(line);
}

function endFrame() {
  var octets = [];
  var at = 0;
  while (at < frame.length) {
    var code = frame[at];
    if (at + code > frame.length) return;
    for (var i = 1; i < code; i++) octets.push(frame[at + i]);
    at += code;
    if (code < 255 && at < frame.length) octets.push(0);
  }
  var length = octets.length - 4;
  if (length < 1) return;
  var crc = crc32c(octets, length);
  for (i = 0; i < 4; i++) if (octets[length + i] !== ((crc >>> (8 * i)) & 255)) return;
  octets.length = length;
  received(octets);
}

function lineHeard(octets) {
  for (var i = 0; i < octets.length; i++)
    if (octets[i]) {
      if (inFrame && frame.push(octets[i]) > LINE_BYTES_MAX) inFrame = 0;
    } else {
      if (inFrame) endFrame();
      inFrame = 1;
      frame = [];
    }
}

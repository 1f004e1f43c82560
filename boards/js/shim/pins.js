// SPDX-License-Identifier: MIT
// Pins as Kaluma and Espruino share them: the same functions under the same names.

function boardPwm(pin, duty) {
  analogWrite(pin, duty / 65535);
}

function boardRead(pin) {
  return digitalRead(pin);
}

function boardWrite(pin, level) {
  digitalWrite(pin, level);
}

if (USES_PULSE_COUNT) var pulses = {};

function boardPulses(pin) {
  return pulses[pin];
}

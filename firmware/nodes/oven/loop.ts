// SPDX-License-Identifier: MIT
// Keeps the oven at its setpoint: a PID from the thermocouple to the heater.
//
// Runs once a tick, between sampling and publishing. Values are mantissas: the temperature has two
// decimals, so 18000 is 180.00 Cel. The target comes from the hub, within the limits of node.json, which
// clamp the duty (in 1/10,000) as well. A new target moves the duty without a bump.

import {
  control,
  driveSafe,
  duty,
  isFresh,
  isGood,
  pid,
  release,
  report,
  setpoint,
  value,
} from "ferrule/loop";
import { HEATER, HEATER_OUTPUT, TARGET_SETPOINT, TEMPERATURE } from "ferrule/node";

const TARGET_TO_TEMPERATURE: i32 = 10; // the target has one decimal, the temperature two

// 5 % of the heater per kelvin; half of what it needs to hold 180 Cel builds up in 20 s.
const heating = pid(5000, 250, 0);

export function decide(): void {
  if (!isFresh(TEMPERATURE)) return;
  if (isGood(TEMPERATURE)) {
    const target = setpoint(TARGET_SETPOINT) * TARGET_TO_TEMPERATURE;
    control(heating, HEATER_OUTPUT, target, value(TEMPERATURE));
  } else {
    release(heating); // nobody knows how hot it is: heating blindly is worse than cooling down
    driveSafe(HEATER_OUTPUT);
  }
  report(HEATER, duty(HEATER_OUTPUT) / 10); // a ratio with three decimals
}

// SPDX-License-Identifier: MIT
// CBOR labels of a pack, of a status and of a birth message.
//
// Spec: RFC 8428 §6 (integer labels), SPEC.md "Pack", "Status", "Birth". Extensions are one-letter text keys.

export const LABEL_BASE_NAME = -2;
export const LABEL_BASE_TIME = -3;
export const LABEL_NAME = 0;
export const LABEL_VALUE = 2;
export const LABEL_STRING_VALUE = 3;
export const LABEL_BOOLEAN_VALUE = 4;
export const LABEL_TIME = 6;

export const LABEL_BOOT = 0x62; // "b", first record of a pack
export const LABEL_NOTICE = 0x65; // "e", what a notice of a line is about
export const LABEL_QUALITY = 0x67; // "g", absent when good
export const LABEL_SEQUENCE = 0x71; // "q", absent when the one before plus 1
export const LABEL_EVENT_VALUE = 0x78; // "x", the value at an event

export const TAG_DECIMAL_FRACTION = 4; // RFC 8949 §3.4.4
export const TIME_EXPONENT = -3; // times are milliseconds: 4([-3, ms])

export const STATUS_BOOT = 0;
export const STATUS_UPTIME_MS = 1;
export const STATUS_COUNTERS = 2;
export const STATUS_TAPS = 3;
export const STATUS_ROUND_TRIP_MS = 4; // to the gateway and back, smoothed; 0: not measured
export const STATUS_DATAGRAMS_SENT = 5; // since start of link
export const STATUS_HOST = 6; // INFO_HOST_STATE; absent while all of it is 0

export const BIRTH_BOOT = 0;
export const BIRTH_INDEX = 1;
export const BIRTH_COUNT = 2;
export const BIRTH_IDENTITY = 3; // part 0 only
export const BIRTH_CHANNELS = 4;
export const BIRTH_OUTPUTS = 5; // last part only
export const BIRTH_TAPS = 6; // last part only

export const IDENTITY_TYPE = 0;
export const IDENTITY_EUI64 = 1;
export const IDENTITY_LOOP_HASH = 2;
export const IDENTITY_LINK_HASH = 3;
export const IDENTITY_VERSION = 4;
export const IDENTITY_HOST = 5;
export const IDENTITY_PERIOD_US = 6;
export const IDENTITY_CHANNEL_COUNT = 7;

export const CHANNEL_NAME = 0;
export const CHANNEL_UNIT = 1;
export const CHANNEL_KIND = 2;
export const CHANNEL_SCALE = 3; // 4([e, m]): one step of the mantissa; f32 registers: the factor
export const CHANNEL_QOS = 4;
export const CHANNEL_ALARMS = 5; // [name, 1 high | 0 low, limit, hysteresis, delayMs] each, a sixth element 1: latching
export const CHANNEL_REGISTER = 6; // [tap, unit id, function code, address, type, order]
export const CHANNEL_PERIOD_MS = 7; // from one value to the next; 0: when something happens
export const CHANNEL_HEARTBEAT_MS = 8; // longest silence while all is well; 0: none promised
export const CHANNEL_SETPOINT = 9; // [min, max, default, staleMs]
export const CHANNEL_FIELD = 10; // [tap, pattern, field]
export const CHANNEL_OBJECT = 11; // [tap, object, which of its values, meter]

export const CHANNEL_KIND_ANALOG = 0;
export const CHANNEL_KIND_REGISTER = 1;
export const CHANNEL_KIND_COMPUTED = 2;
export const CHANNEL_KIND_DIGITAL = 3;
export const CHANNEL_KIND_COUNTER = 4;
export const CHANNEL_KIND_VIBRATION = 5;
export const CHANNEL_KIND_STATE = 6;
export const CHANNEL_KIND_FIELD = 7;
export const CHANNEL_KIND_SETPOINT = 8;
export const CHANNEL_KIND_OBJECT = 9;

// SPDX-License-Identifier: MIT
// MQTT-SN 1.2 constants: message types, flags, return codes.
//
// Spec: MQTT-SN 1.2 §5.2.2 (types), §5.3.4 (flags), §5.3.10 (return codes).

export const ADVERTISE = 0x00;
export const SEARCHGW = 0x01;
export const GWINFO = 0x02;
export const CONNECT = 0x04;
export const CONNACK = 0x05;
export const WILLTOPICREQ = 0x06;
export const WILLTOPIC = 0x07;
export const WILLMSGREQ = 0x08;
export const WILLMSG = 0x09;
export const REGISTER = 0x0a;
export const REGACK = 0x0b;
export const PUBLISH = 0x0c;
export const PUBACK = 0x0d;
export const PUBCOMP = 0x0e;
export const PUBREC = 0x0f;
export const PUBREL = 0x10;
export const SUBSCRIBE = 0x12;
export const SUBACK = 0x13;
export const UNSUBSCRIBE = 0x14;
export const UNSUBACK = 0x15;
export const PINGREQ = 0x16;
export const PINGRESP = 0x17;
export const DISCONNECT = 0x18;
export const WILLTOPICUPD = 0x1a;
export const WILLTOPICRESP = 0x1b;
export const WILLMSGUPD = 0x1c;
export const WILLMSGRESP = 0x1d;
export const FORWARDER = 0xfe;

export const FLAG_DUP = 0x80;
export const FLAG_QOS_MASK = 0x60;
export const FLAG_QOS_SHIFT = 5;
export const FLAG_RETAIN = 0x10;
export const FLAG_WILL = 0x08;
export const FLAG_CLEAN_SESSION = 0x04;
export const FLAG_TOPIC_ID_TYPE_MASK = 0x03;

export const QOS_MINUS_ONE = 3; // the flag bits 11

export const TOPIC_ID_TYPE_NORMAL = 0;
export const TOPIC_ID_TYPE_PREDEFINED = 1;
export const TOPIC_ID_TYPE_SHORT = 2;

export const PROTOCOL_ID = 1;

export const RETURN_ACCEPTED = 0;
export const RETURN_CONGESTION = 1;
export const RETURN_INVALID_TOPIC_ID = 2;
export const RETURN_NOT_SUPPORTED = 3;

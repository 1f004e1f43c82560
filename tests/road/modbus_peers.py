# SPDX-License-Identifier: MIT
# Modbus RTU over a serial device: a slave or a master made of programs nobody here wrote.
#
# ROLE DEVICE; 9600 baud, unit 17. Each answer holds other values than the one before. A slave says "ready", a
# master one line an answer: the table, the address and the registers. pymodbus gets no parity: a pty has none,
# and the system refuses the second setting of one.

import sys

ROLE, DEVICE = sys.argv[1:3]
UNIT, BAUD = 17, 9600
REGISTERS = 300


def say(*words):
    print(*words, flush=True)


def pymodbus_slave():
    from pymodbus.datastore import ModbusSequentialDataBlock as Block
    from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext
    from pymodbus.framer.rtu_framer import ModbusRtuFramer
    from pymodbus.server import StartSerialServer

    class Counting(Block):
        reads = 0

        def getValues(self, address, count=1):
            Counting.reads += 1
            return [(300 * Counting.reads + address + i) % 65536 for i in range(count)]

    tables = {name: Counting(0, [0] * REGISTERS) for name in ("di", "co", "hr", "ir")}
    slave = ModbusSlaveContext(zero_mode=True, **tables)
    context = ModbusServerContext(slaves={UNIT: slave}, single=False)
    say("ready")
    StartSerialServer(
        context=context,
        framer=ModbusRtuFramer,
        port=DEVICE,
        baudrate=BAUD,
        parity="N",
    )


def libmodbus_slave():
    import ctypes
    from ctypes import POINTER, c_char, c_char_p, c_int, c_uint8, c_uint16, c_void_p

    class Mapping(ctypes.Structure):
        _fields_ = [(f"count{i}", c_int) for i in range(8)] + [
            ("bits", POINTER(c_uint8)),
            ("input_bits", POINTER(c_uint8)),
            ("input_registers", POINTER(c_uint16)),
            ("registers", POINTER(c_uint16)),
        ]

    library = ctypes.CDLL("libmodbus.so.5")
    library.modbus_new_rtu.restype = c_void_p
    library.modbus_new_rtu.argtypes = [c_char_p, c_int, c_char, c_int, c_int]
    library.modbus_mapping_new.restype = POINTER(Mapping)
    library.modbus_set_slave.argtypes = [c_void_p, c_int]
    library.modbus_connect.argtypes = [c_void_p]
    library.modbus_receive.argtypes = [c_void_p, c_char_p]
    library.modbus_reply.argtypes = [c_void_p, c_char_p, c_int, POINTER(Mapping)]
    line = library.modbus_new_rtu(DEVICE.encode(), BAUD, b"E", 8, 1)
    library.modbus_set_slave(line, UNIT)
    if library.modbus_connect(line) != 0:
        sys.exit("libmodbus cannot open " + DEVICE)
    mapping = library.modbus_mapping_new(0, 0, REGISTERS, REGISTERS)
    request = ctypes.create_string_buffer(260)
    say("ready")
    answers = 0
    while True:
        length = library.modbus_receive(line, request)
        if length <= 0:
            continue
        answers += 1
        for i in range(REGISTERS):
            mapping.contents.input_registers[i] = (300 * answers + i) % 65536
            mapping.contents.registers[i] = (300 * answers + i) % 65536
        library.modbus_reply(line, request, length, mapping)


def pymodbus_master():
    import time

    from pymodbus.client import ModbusSerialClient

    client = ModbusSerialClient(DEVICE, baudrate=BAUD, parity="N", timeout=5, retries=0)
    if not client.connect():
        sys.exit("pymodbus cannot open " + DEVICE)
    while True:
        for table, read, address, count in (
            ("input", client.read_input_registers, 8, 1),
            ("holding", client.read_holding_registers, 204, 4),
        ):
            answer = read(address, count, slave=UNIT)
            if answer.isError():
                sys.exit(f"pymodbus: {answer}")
            say(table, address, *answer.registers)
            time.sleep(0.15)


{
    "pymodbus-slave": pymodbus_slave,
    "libmodbus-slave": libmodbus_slave,
    "pymodbus-master": pymodbus_master,
}[ROLE]()

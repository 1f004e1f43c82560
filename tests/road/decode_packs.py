# SPDX-License-Identifier: MIT
# Decodes CBOR messages, one in hex a line, with python3-cbor2 and prints each as one JSON line.
#
# Decimal fractions become their exact decimal text; map keys become text. Nothing of Ferrule is used.
import decimal
import json
import sys

import cbor2


def plain(item):
    if isinstance(item, dict):
        return {str(key): plain(value) for key, value in item.items()}
    if isinstance(item, list):
        return [plain(value) for value in item]
    if isinstance(item, decimal.Decimal):
        return str(item.normalize()) if item else "0"
    if isinstance(item, bytes):
        return item.hex()
    return item


for line in sys.stdin:
    print(json.dumps(plain(cbor2.loads(bytes.fromhex(line.strip())))))

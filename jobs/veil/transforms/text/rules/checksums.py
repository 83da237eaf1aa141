"""Check digits and ranges of the numbers that have them."""

from __future__ import annotations

import re

_VIN_VALUES = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", map(int, "12345678123457923456789"), strict=True))
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def digits(text: str) -> str:
    """Keep the ASCII digits of a text."""
    return re.sub(r"[^0-9]", "", text)


def luhn(text: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    total = 0
    number = digits(text)
    for index, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + index % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0 and len(set(number)) > 1


def card(text: str) -> bool:
    """A payment card: 12 to 19 digits that start with an issuer's digit and satisfy Luhn."""
    number = digits(text)
    return 12 <= len(number) <= 19 and number[0] in "23456" and luhn(number)


def npi(text: str) -> bool:
    """45 CFR 162.406: ten digits that satisfy Luhn behind the prefix 80840."""
    number = digits(text)
    return len(number) == 10 and number[0] in "12" and luhn("80840" + number)


def iban(text: str) -> bool:
    """ISO 13616: moved by four characters, with letters as numbers, the remainder by 97 is 1."""
    code = re.sub(r"\W", "", text).upper()
    if not 15 <= len(code) <= 34:
        return False
    return int("".join(str(int(char, 36)) for char in code[4:] + code[:4])) % 97 == 1


def vin(text: str) -> bool:
    """49 CFR 565.15(c): the ninth character is the weighted sum modulo 11."""
    code = text.upper()
    total = sum(_VIN_VALUES.get(c, int(c) if c.isdigit() else 0) * w for c, w in zip(code, _VIN_WEIGHTS, strict=True))
    return code[8] == "0123456789X"[total % 11]


def dea(text: str) -> bool:
    """21 CFR 1301 registration numbers: the sum of digits 1, 3, 5 and twice 2, 4, 6 ends in digit 7."""
    number = [int(digit) for digit in text[-7:]]
    return (sum(number[0:6:2]) + 2 * sum(number[1:6:2])) % 10 == number[6]


def ssn(text: str) -> bool:
    """20 CFR 422.103: no area 000, 666 (9xx are taxpayer numbers and stay in), no group 00, no serial 0000."""
    number = digits(text)
    return len(number) == 9 and number[:3] not in ("000", "666") and number[3:5] != "00" and number[5:] != "0000"

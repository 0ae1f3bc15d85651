"""Personal data in texts: counted and masked, never handed out.

Addresses as datatrove's PIIFormatter finds them; card numbers that pass Luhn's check, account numbers that pass
ISO 13616's, telephone numbers by their shape, which is a guess.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable

_LOCAL = r"[\w!#$%&'*+/=?^`{|}~-]{1,64}"
_MAIL = re.compile(rf"(?<![\w.+-]){_LOCAL}(?:\.{_LOCAL}){{0,8}}@(?:[A-Za-z0-9-]{{1,63}}\.){{1,8}}[A-Za-z0-9-]{{2,63}}")
_IP = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)")
_ACCOUNT = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_CARD = re.compile(r"(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])")
_PHONE = re.compile(r"(?<![\w.,/-])(?:\+\d{1,3}[ .-]?)?(?:\(\d{2,5}\)|\d{2,5})(?:[ .-]\d{2,5}){2,4}(?![\w/-]|[.,]\d)")
_DATE = re.compile(
    r"(?:19|20)\d\d[.-]\d\d[.-]\d\d|\d\d[.-]\d\d[.-](?:19|20)\d\d"
)  # with an hour behind it no telephone


def _is_public(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False


def _is_card(given: str) -> bool:
    digits = [int(each) for each in given if each.isdigit()]
    doubled = (2 * digit - 9 * (digit > 4) for digit in digits[-2::-2])
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_account(given: str) -> bool:
    bare = given.replace(" ", "")
    moved = bare[4:] + bare[:4]
    return 15 <= len(bare) <= 34 and int("".join(str(int(each, 36)) for each in moved)) % 97 == 1


def _is_phone(given: str) -> bool:
    digits = sum(map(str.isdigit, given))
    return 9 <= digits <= 15 and not _DATE.match(given) and (given.startswith(("+", "0", "(")) or given.count("-") == 2)


KINDS: dict[str, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    "mail address": (_MAIL, lambda match: True),
    "IP address": (_IP, _is_public),
    "account number": (_ACCOUNT, _is_account),
    "card number": (_CARD, _is_card),
    "telephone number": (_PHONE, _is_phone),
}


def mask_personal_data(text: str) -> tuple[str, Counter[str]]:
    """``text`` with a mark such as ⟨mail address⟩ in each place, and how many of each kind there were.

    >>> mask_personal_data("Write to jane.doe@example.org today.")
    ('Write to ⟨mail address⟩ today.', Counter({'mail address': 1}))
    """
    counted = Counter[str]()
    if not any(map(str.isdigit, text)) and "@" not in text:
        return text, counted
    for kind, (pattern, holds) in KINDS.items():

        def masked(match: re.Match[str], kind: str = kind, holds: Callable[[str], bool] = holds) -> str:
            if not holds(match.group()):
                return match.group()
            counted[kind] += 1
            return f"⟨{kind}⟩"

        text = pattern.sub(masked, text)
    return text, counted


def mask_mail(text: str) -> str:
    """``text`` without mail addresses: for names of documents, whose numbers say which is which.

    >>> mask_mail("<jane.doe@example.org> 2024-10-31")
    '<⟨mail address⟩> 2024-10-31'
    """
    return _MAIL.sub("⟨mail address⟩", text) if "@" in text else text


def has_personal_data(text: str) -> bool:
    """Whether a text should not stand in a link."""
    return bool(mask_personal_data(text)[1])

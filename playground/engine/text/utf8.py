"""Which characters a token completes. Bytes in, text out; knows no tokenizer."""

from __future__ import annotations

from playground.engine.text.display import escape_bytes


def _expected_length(lead: int) -> int:
    """Length in bytes of the character that starts with ``lead``; 0 where no character can start so (RFC 3629)."""
    if lead < 0x80:
        return 1
    if 0xC2 <= lead <= 0xDF:
        return 2
    if 0xE0 <= lead <= 0xEF:
        return 3
    return 4 if 0xF0 <= lead <= 0xF4 else 0


def pending_bytes(data: bytes) -> bytes:
    """The bytes at the end of ``data`` that begin a character and do not finish it (0 to 3 of them).

    ``b"a\\xf0\\x9f"`` gives ``b"\\xf0\\x9f"``; a broken tail that no byte could complete gives ``b""``.
    """
    for length in range(1, min(3, len(data)) + 1):
        lead = data[-length]
        if lead & 0xC0 == 0x80:
            continue  # a continuation byte: its lead is further left
        tail = data[-length:]
        return tail if _expected_length(lead) > length and _can_continue(tail) else b""
    return b""


def _can_continue(tail: bytes) -> bool:
    """Whether some byte can follow ``tail``: the second byte after E0, ED, F0 and F4 is restricted (RFC 3629)."""
    try:
        tail.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return True


def added_text(pending: bytes, data: bytes) -> str:
    """What ``data`` adds to a text whose bytes end in the unfinished ``pending``.

    A character that ``data`` completes is shown whole; bytes of ``data`` that complete none are escaped, one
    ``<0xF0>`` each. Bytes of ``pending`` that stay broken belong to earlier tokens and are left out.

    ``added_text(b"\\xf0\\x9f\\x98", b"\\x80")`` is ``"😀"``, ``added_text(b"", b"\\xf0\\x9f")`` is ``"<0xF0><0x9F>"``.
    """
    whole = pending + data
    shown: list[str] = []
    position = 0
    while position < len(whole):
        try:
            shown.append(whole[position:].decode("utf-8"))
            break
        except UnicodeDecodeError as error:
            valid_end, broken_end = position + error.start, position + error.end
            shown.append(whole[position:valid_end].decode("utf-8"))
            shown.append(escape_bytes(whole[max(valid_end, len(pending)) : broken_end]))
            position = broken_end
    return "".join(shown)

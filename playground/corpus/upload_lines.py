"""What the uploads of the pages Languages and Domains have in common: bounds, encoding, and personal data, which is masked."""

from __future__ import annotations

from collections import Counter

from playground.corpus.personal_data import mask_personal_data
from playground.errors import BadInput
from playground.uploads import decode

FIELD = "text-file"
_PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")


def upload_text(data: bytes, most: int) -> tuple[str, tuple[str, ...]]:
    """A file's text without its byte order mark, and what is to be told of it. Raises BadInput."""
    if len(data) > most:
        raise BadInput(f"The file has {len(data):,} bytes; at most {most:,} are read: take a part of it.", FIELD)
    if data.startswith(_PACKED):
        raise BadInput("The file is packed: unpack it, and give the JSON lines that are in it.", FIELD)
    text, certain = decode(data)
    if "\x00" in text:
        raise BadInput(
            "The file has NUL characters in it: it is no text, or in an encoding without a mark: save it as UTF-8.",
            FIELD,
        )
    guess = "The file is neither UTF-8 nor UTF-16; it was read as Windows-1252, which is a guess."
    return text, () if certain else (guess,)


class Masking:
    """Masks the personal data of many texts, and says at the end what there was.

    >>> masking = Masking()
    >>> masking("Write to jane.doe@example.org."), masking.notes
    ('Write to ⟨mail address⟩.', ('Personal data was found and masked before anything was kept: 1 mail address.',))
    """

    def __init__(self) -> None:
        self._counted = Counter[str]()

    def __call__(self, text: str) -> str:
        masked, counted = mask_personal_data(text)
        self._counted += counted
        return masked

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence, or none."""
        if not self._counted:
            return ()
        kinds = ", ".join(f"{count:,} {kind}{_ending(kind, count)}" for kind, count in sorted(self._counted.items()))
        return (f"Personal data was found and masked before anything was kept: {kinds}.",)


def _ending(kind: str, count: int) -> str:
    return "" if count == 1 else "es" if kind.endswith("ss") else "s"

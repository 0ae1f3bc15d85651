"""The bottleneck in a model that others trained: g2p-en's GRU encoder-decoder from letters to phonemes (Apache-2.0).

Its checkpoint is an archive of NumPy arrays in the optional package ``g2p-en`` (see ``requirements-g2p.txt``); the package is
never imported, since it wants other packages and the network. Joined words must fit through the same vector as one word does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, files

import numpy as np
import numpy.typing as npt

from playground.architectures.results import Mean
from playground.errors import CapabilityMissing

GRAPHEMES = ("<pad>", "<unk>", "</s>", *"abcdefghijklmnopqrstuvwxyz")
_VOWELS = "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split()  # noqa: SIM905
_CONSONANTS = "B CH D DH F G HH JH K L M N NG P R S SH T TH UW V W Y Z ZH".split()  # noqa: SIM905
PHONEMES = ("<pad>", "<unk>", "<s>", "</s>", *sorted([v + s for v in _VOWELS for s in "012"] + _CONSONANTS))
WORDS = (  # noqa: SIM905
    "machine window garden yellow purple orange summer winter river mountain letter paper pencil table kitchen dinner "
    "doctor teacher student music guitar picture camera village city market bottle pocket button silver copper candle "
    "number animal rabbit spider forest flower island ocean planet rocket engine travel ticket station bridge castle"
).split()
MOST_WORDS, GROUPS = 6, 16
_END, _START = PHONEMES.index("</s>"), PHONEMES.index("<s>")

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class JoinedError:
    """``error``: of so many ``words`` joined, the edit distance to each word's own phonemes over their number."""

    words: int
    error: Mean
    example: str
    alone: str
    joined: str


@lru_cache(maxsize=1)
def _weights() -> dict[str, Floats]:
    try:
        listed = files("g2p-en") or []
        path = next(file.locate() for file in listed if file.name == "checkpoint20.npz")
        with np.load(str(path), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (PackageNotFoundError, StopIteration, OSError):
        raise CapabilityMissing(
            "The spelling model is not installed: run `make g2p` (3 MB, Apache-2.0) and open this again."
        ) from None


def parameters() -> int:
    return sum(weight.size for weight in _weights().values())


def _cell(x: Floats, h: Floats, part: str) -> Floats:
    """One step of a GRU (1406.1078) with the archive's weights: gates in the order reset, update, new."""
    w = _weights()
    given = w[f"{part}_w_ih"] @ x + w[f"{part}_b_ih"]
    kept = w[f"{part}_w_hh"] @ h + w[f"{part}_b_hh"]
    size = len(h)
    reset, update = (1 / (1 + np.exp(-(given[: 2 * size] + kept[: 2 * size])))).reshape(2, size)
    new = np.tanh(given[2 * size :] + reset * kept[2 * size :])
    return np.asarray((1 - update) * new + update * h, dtype=np.float32)


def pronounce(letters: str, most: int = 120) -> tuple[str, ...]:
    """The likeliest phonemes of a run of letters a to z, each after the ones before it, at most ``most``."""
    w = _weights()
    hidden = np.zeros(w["enc_w_hh"].shape[1], np.float32)
    for symbol in [*(GRAPHEMES.index(letter) for letter in letters), GRAPHEMES.index("</s>")]:
        hidden = _cell(w["enc_emb"][symbol], hidden, "enc")
    phonemes: list[str] = []
    last = _START
    while len(phonemes) < most:
        hidden = _cell(w["dec_emb"][last], hidden, "dec")
        last = int((w["fc_w"] @ hidden + w["fc_b"]).argmax())
        if last == _END:
            break
        phonemes.append(PHONEMES[last])
    return tuple(phonemes)


def edit_distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Levenshtein: insertions, deletions and replacements."""
    row = list(range(len(other) + 1))
    for place, symbol in enumerate(one, 1):
        before, row[0] = row[0], place
        for column, wanted in enumerate(other, 1):
            before, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, before + (symbol != wanted))
    return row[-1]


@lru_cache(maxsize=4)
def joined_errors(seed: int = 0) -> tuple[JoinedError, ...]:
    """One to six words joined without a space, ``GROUPS`` draws of each: a fifth of a second. Raises CapabilityMissing."""
    alone = {word: pronounce(word) for word in WORDS}
    generator = np.random.default_rng(seed)
    joined = []
    for count in range(1, MOST_WORDS + 1):
        errors: list[float] = []
        example: tuple[str, ...] = ()
        for _draw in range(GROUPS):
            words = [WORDS[place] for place in generator.choice(len(WORDS), count, replace=False)]
            wanted = tuple(phoneme for word in words for phoneme in alone[word])
            written = pronounce("".join(words), 2 * len(wanted))
            errors.append(edit_distance(wanted, written) / len(wanted))
            example = (" ".join(words), " ".join(wanted), " ".join(written))
        half = 1.96 * float(np.std(errors, ddof=1)) / GROUPS**0.5
        mean = float(np.mean(errors))
        error = Mean(mean, max(0.0, mean - half), mean + half, GROUPS)
        joined.append(JoinedError(count, error, *example))
    return tuple(joined)

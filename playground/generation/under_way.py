"""A generation as it stands, as a text that another process can go on from. Knows no store and no page.

It is the saved file of ``document_writing.py`` with what a file does not have: which branches were being written, and how
many tokens each was still to have.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from playground.engine.api import TextCodec
from playground.errors import BadInput
from playground.generation.document import Run
from playground.generation.document_reading import from_json
from playground.generation.document_schema import MOST_BYTES
from playground.generation.document_writing import to_json
from playground.models.info import ModelInfo


@dataclass(frozen=True, slots=True)
class Snapshot:
    """``left``: tokens that each branch under way was still to have at most, by its id; empty once all had ended.

    ``setup``: the link's query of the settings that the run was made with. ``letters``: of a comparison, as shown.
    """

    run: Run
    left: Mapping[int, int] = field(default_factory=dict)
    setup: str = ""
    letters: Sequence[str] = ()


def to_text(snapshot: Snapshot, codec: TextCodec) -> str:
    """Packed: a token with its alternatives is 3 kB of JSON and a quarter of that packed. In base 64, which C writes."""
    about = {"left": list(snapshot.left.items()), "setup": snapshot.setup, "letters": list(snapshot.letters)}
    text = json.dumps({"run": to_json(snapshot.run, codec), **about})
    return base64.b64encode(zlib.compress(text.encode(), level=1)).decode()


def from_text(text: str, info: ModelInfo) -> Snapshot:
    """Raises BadInput for what is no snapshot of a run of this model."""
    try:
        unpacking = zlib.decompressobj()
        data = json.loads(unpacking.decompress(base64.b64decode(text, validate=True), 2 * MOST_BYTES))
        left = {int(branch): int(count) for branch, count in data["left"]}
        run, _rounding = from_json(str(data["run"]).encode(), info)
        for branch in left:
            run.tree[branch]
        return Snapshot(run, left, str(data["setup"]), tuple(map(str, data["letters"])))
    except (ValueError, TypeError, KeyError, RecursionError, zlib.error):
        raise BadInput("What was being written cannot be read.") from None

"""What was seen inside a model as files: CSV and NPZ. Text that a spreadsheet would run is quoted."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Sequence

import numpy as np

from playground.downloads import csv_text, harmless
from playground.engine.api import TextCodec
from playground.inspection.anatomy import Anatomy
from playground.inspection.lens import LensPicture, lens_cell, text_after
from playground.inspection.timing import Timing
from playground.models.info import ModelInfo

LENS_COLUMNS = (
    "depth",
    "position",
    "after",
    "rank",
    "id",
    "text",
    "probability",
    "entropy_nats",
    "kl_to_answer_nats",
)


def lens_csv(picture: LensPicture, codec: TextCodec) -> str:
    """One line for each of the ten tokens of each cell."""

    def lines() -> Iterable[Sequence[object]]:
        for depth in range(picture.depths):
            for position in picture.window:
                cell = lens_cell(picture, depth, position)
                after = text_after(codec, picture.ids, position - 1, picture.ids[position])
                for rank, (token, share) in enumerate(cell.top, 1):
                    yield (
                        depth,
                        position,
                        harmless(after),
                        rank,
                        token,
                        harmless(text_after(codec, picture.ids, position, token)),
                        f"{share:.8g}",
                        f"{cell.entropy:.6f}",
                        f"{cell.divergence:.6f}",
                    )

    return csv_text(LENS_COLUMNS, lines())


def lens_npz(picture: LensPicture, info: ModelInfo) -> bytes:
    """The lens's arrays under their names in ``LensRows``, the text's ids, and the model's name and revision."""
    rows, out = picture.rows, io.BytesIO()
    about = json.dumps({"model": info.name, "revision": info.revision, "dtype": info.dtype, "first": rows.first})
    np.savez_compressed(
        out,
        ids=np.array(picture.ids, dtype=np.int32),
        top_ids=rows.top_ids,
        top_logprobs=rows.top_logprobs,
        entropies=rows.entropies,
        divergences=rows.divergences,
        followed=rows.followed,
        ranks=rows.ranks,
        logprobs=rows.logprobs,
        about=np.array(about),
    )
    return out.getvalue()


def anatomy_csv(anatomy: Anatomy) -> str:
    """One line a part, and the sum."""
    lines = [(part.group, part.name, part.tensors, part.parameters, part.bytes) for part in anatomy.parts]
    whole = ("sum", "", sum(line[2] for line in lines), anatomy.total, sum(line[4] for line in lines))
    return csv_text(("group", "part", "tensors", "parameters", "bytes"), [*lines, whole])


def timing_csv(timing: Timing) -> str:
    """One line a prompt length, with what was predicted."""
    columns = (
        "prompt_tokens",
        "prefill_s",
        "prefill_predicted_s",
        "decode_context",
        "decode_s",
        "decode_predicted_s",
        "cache_tokens",
        "cache_formula_bytes",
        "cache_measured_bytes",
        "fitted_flops_per_s",
        "fitted_bytes_per_s",
    )
    by_length = {one.prefill.tokens: one for one in (*timing.lengths, *timing.checks)}
    lines = [
        (
            one.prefill.tokens,
            f"{one.prefill.seconds:.6f}",
            f"{timing.speed.seconds(one.prefill.tokens):.6f}",
            one.decode.context,
            f"{one.decode.seconds:.6f}",
            f"{timing.speed.seconds(1, one.decode.context):.6f}",
            one.cache.tokens,
            one.cache.predicted,
            one.cache.measured,
            _finite(timing.speed.fit.flops_per_s),
            _finite(timing.speed.fit.bytes_per_s),
        )
        for one in by_length.values()
    ]
    return csv_text(columns, lines)


def _finite(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else ""

"""From what a user typed to a running engine. The only place that knows which engine class a choice of model gets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playground.engine.codec import HfTextCodec
from playground.engine.early import EarlyEngine
from playground.engine.kept_answers import KeptAnswers
from playground.engine.logits_cache import LogitsCache
from playground.engine.protocol import Engine
from playground.models.bundled import cache_folder
from playground.models.loading import load_tokenizer, read
from playground.models.locating import LocatedModel, glimpse, locate
from playground.models.saved_tokenizer import SavedTokenizer
from playground.models.wording import Progress, silent, within


def make_engine(
    spec: str | None = None,
    device: str | None = None,
    dtype: str | None = None,
    progress: Progress | None = None,
    offer: Callable[[Engine], None] | None = None,
) -> Engine:
    """Load ``spec`` and put an engine around it.

    ``device`` and ``dtype`` None mean the best this machine has. ``progress`` is told what is being done and the
    fraction done, 0 to 1. ``offer`` is given, before the weights are read, an engine that answers what this machine has
    answered before; with it, answers are kept for the next start. Raises a ModelError of ``playground.errors`` when the
    model cannot be had.
    """
    report = progress or silent
    kept = None if offer is None else KeptAnswers(cache_folder() / "answers")
    rows, early = LogitsCache(), None
    if kept is not None and offer is not None:
        seen = glimpse(spec, device=device, dtype=dtype)  # the bundled model: nothing here imports transformers
        early = None if seen is None else _early(seen, SavedTokenizer(seen.folder), kept, rows)
        if early is not None:
            offer(early)
    located = locate(spec, device=device, dtype=dtype, progress=within(report, 0.0, 0.6))
    tokenizer = None
    if kept is not None and offer is not None and early is None:
        tokenizer = load_tokenizer(located)
        early = _early(located, tokenizer, kept, rows)
        if early is not None:
            offer(early)
    # Only now what imports transformers' models, which takes seconds.
    from playground.engine.prepack import tune_for_cpu
    from playground.engine.transformers_engine import TransformersEngine

    loaded = read(located, tokenizer, progress=within(report, 0.6, 0.9))
    step_threads = None
    if loaded.info.device == "cpu" and loaded.has_attention:  # recurrent models read weights outside their layers
        report("Arranging the weights for this processor", 0.9)
        step_threads = tune_for_cpu(loaded.model).step_threads
    engine = TransformersEngine(loaded, logits_cache=rows, step_threads=step_threads, kept=kept)
    if early is not None:
        engine.check_shown(early.shown())
    report("The model is ready", 1.0)
    return engine


def _early(located: LocatedModel, tokenizer: Any, kept: KeptAnswers, rows: LogitsCache) -> EarlyEngine | None:
    """An engine of what was kept of ``located``, if it was loaded here before."""
    known = kept.about(located.revision)
    if known is None:
        return None
    info, capabilities = known
    return EarlyEngine(info, capabilities, HfTextCodec(tokenizer, info), kept, rows)

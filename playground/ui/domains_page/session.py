"""The texts in use, and their bits under a model: read once by the worker, remembered for all readers."""

from __future__ import annotations

from collections.abc import Sequence

from playground.corpus.bits import STORE, BitsStep, TextBits, bits_job, check_length
from playground.corpus.domains import DomainSample, OwnTexts, read_domains, samples
from playground.engine.serving.worker import Worker
from playground.ui.kit import session
from playground.ui.kit.jobs import result_of
from playground.ui.runtime import session_id


def texts() -> tuple[DomainSample, ...]:
    """Those that ship and the reader's own, whose names win."""
    return _beside_samples(session.get(OwnTexts).texts)


def _beside_samples(own: tuple[DomainSample, ...]) -> tuple[DomainSample, ...]:
    names = {each.domain for each in own}
    return (*own, *(each for each in samples() if each.domain not in names))


def take_upload(data: bytes, worker: Worker) -> None:
    """Put a file's texts beside those that ship. Raises BadInput, also for more than the model reads at once."""
    own = read_domains(data)
    check_length(worker.engine, [each.text for each in _beside_samples(own.texts)])
    session.put(own)


def cached_bits(worker: Worker, wanted: Sequence[DomainSample]) -> dict[DomainSample, TextBits]:
    """What is known of them under a model, the least surprising first."""
    read = {each: STORE.cached(worker.engine.info.revision, [each.text]) for each in wanted}
    text_bits = {each: own[0] for each, own in read.items() if own is not None}
    return dict(sorted(text_bits.items(), key=lambda pair: pair[1].per_byte))


def bits_of(worker: Worker, wanted: Sequence[str], slot: str = "bits") -> tuple[TextBits, ...]:
    """Texts under a model. Raises Pending while it reads them, and the job's own errors."""
    revision = worker.engine.info.revision
    cached = STORE.cached(revision, wanted)
    if cached is not None:
        return cached
    key = (revision, tuple(wanted))
    doing = f"{worker.engine.info.name} reads {len(wanted)} texts"
    return result_of(slot, key, lambda: worker.submit(session_id(), slot, bits_job(wanted)), doing, share=_share)


def _share(step: object) -> float:
    return step.share if isinstance(step, BitsStep) else 0.0

"""What the page Architectures can be set to beside the shared setup."""

from __future__ import annotations

from dataclasses import dataclass

from playground.architectures.families import DEFAULT, FAMILIES
from playground.architectures.race import LONG_CONTEXTS
from playground.architectures.remembering import EXAMPLE, MOST_SYMBOLS, VIEWS, read_symbols
from playground.architectures.request import MOST_STEPS
from playground.architectures.results import QUANTITIES
from playground.architectures.tasks import LEARNERS, TASKS
from playground.errors import BadInput
from playground.state.link_fields import flag, link_field, one_of, real, texts, whole

CONTEXTS = {context: f"{context:,}" for context in LONG_CONTEXTS if context >= 512}
MOST_SEEDS = 5


def _check_family(name: str) -> None:
    if name not in FAMILIES:
        raise BadInput(f"Families: {name[:20]!r} is none of {', '.join(FAMILIES)}.")


def _check_learner(name: str) -> None:
    if name not in LEARNERS:
        raise BadInput(f"Models: {name[:20]!r} is none of {', '.join(LEARNERS)}.")


def _read_text(text: str) -> str:
    read_symbols(text)
    return text


@dataclass(frozen=True, slots=True)
class ArchitecturesState:
    """``longest`` context in tokens; ``loaded``: the model in use runs too; ``shows``: one of QUANTITIES.

    ``task`` to ``rate``: of a training; ``models`` () and ``size``, ``width``, ``steps`` 0 are the task's usual ones.
    ``text`` (letters and points), ``layer`` and ``channel``: of what is remembered.
    """

    families: tuple[str, ...] = texts(DEFAULT, len(FAMILIES), _check_family, label="Families")
    longest: int = whole(2048, 512, 32_768, label="Longest text", choices=CONTEXTS)
    loaded: bool = flag(False, label="The model in use too")
    shows: str = one_of("state", QUANTITIES, label="Shown")
    task: str = one_of("reverse", {name: task.label for name, task in TASKS.items()}, label="Task")
    models: tuple[str, ...] = texts((), len(LEARNERS), _check_learner, label="Models")
    size: int = whole(0, 0, 512, label="Trained up to", help="0: the task's usual size.")
    width: int = whole(0, 0, 256, label="Width", step=8, help="0: the task's usual width.")
    steps: int = whole(
        0, 0, MOST_STEPS, name="updates", label="Steps", step=50, help="0: as many as is usual. 64 texts each."
    )
    seeds: int = whole(2, 1, MOST_SEEDS, label="Seeds", help="Each model is trained anew from so many seeds.")
    rate: float = real(3e-3, 1e-5, 1.0, label="Learning rate", step=1e-3)
    text: str = link_field(EXAMPLE, _read_text, name="symbols", label="Letters a to p among points", high=MOST_SYMBOLS)
    layer: str = one_of("mamba", VIEWS, label="Layer")
    channel: int = whole(0, 0, 31, label="Channel")

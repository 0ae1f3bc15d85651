"""A race of this session: what runs in it, the job at the worker, and the rows that have come."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

from playground.architectures.families import FAMILIES
from playground.architectures.growth import growth_of_config
from playground.architectures.race import LONG_CONTEXTS, RaceProgress, Racer, RaceRow, race, race_loaded
from playground.engine.api import CancelToken, Engine
from playground.engine.serving.worker import Worker
from playground.errors import BadInput, PlaygroundError
from playground.plan.own_config import config_text_of
from playground.scaling.built_specs import spec_of_config
from playground.scaling.configs import LoadedConfig, parse_config
from playground.state.architectures import ArchitecturesState
from playground.ui.kit import session
from playground.ui.kit.job_view import HasJob, JobView
from playground.ui.runtime import session_id
from playground.ui.workspace.setup import setup


@dataclass(eq=False)
class Race(HasJob[tuple[RaceRow, ...]]):
    """``rows``: measured so far. ``own``: a config that was brought. ``families``: of the rows, by label."""

    rows: list[RaceRow] = field(default_factory=list)
    share: float = 0.0
    doing: str = ""
    own: LoadedConfig | None = None
    stopped: bool = False

    def ended(self, job: JobView[tuple[RaceRow, ...]]) -> None:
        self.stopped = job.stopped


def take_config(data: bytes) -> None:
    """Bring a config.json to the race. Raises BadInput."""
    try:
        config = parse_config(data.decode("utf-8"), "your config")
    except UnicodeDecodeError:
        raise BadInput("The file is not UTF-8 text: give a transformers config.json.", "config") from None
    spec_of_config(config)
    session.get(Race).own = config


def start_race(worker: Worker) -> None:
    """Begin anew with what is chosen. Raises BadInput where nothing is."""
    chosen, own = session.get(ArchitecturesState), session.get(Race)
    racers = [Racer(FAMILIES[name].label, FAMILIES[name]) for name in chosen.families]
    if own.own is not None:
        racers.append(Racer(own.own.name, None, own.own))
    if not racers and not chosen.loaded:
        raise BadInput("Nothing is chosen to be measured: choose a family, a config or the model in use.", "families")
    contexts = tuple(context for context in LONG_CONTEXTS if context <= chosen.longest)
    loaded, growth = chosen.loaded, None
    if loaded:
        try:
            growth = growth_of_config(spec_of_config(parse_config(config_text_of(setup().model), "the model in use")))
        except PlaygroundError:  # a model without a config.json: measured without a formula
            growth = None

    def job(engine: Engine, cancel: CancelToken) -> Generator[RaceProgress, None, tuple[RaceRow, ...]]:
        rows: tuple[RaceRow, ...] = ()
        if loaded:
            rows = yield from race_loaded(engine, contexts, growth, cancel)
        return rows + (yield from race(racers, contexts, cancel=cancel))

    def take(step: RaceProgress) -> None:
        own.share, own.doing = step.share, step.doing
        if step.row is not None:
            own.rows.append(step.row)

    own.rows, own.problem, own.share, own.stopped = [], "", 0.0, False
    own.job = JobView(worker.submit(session_id(), "arch-race", job), take)

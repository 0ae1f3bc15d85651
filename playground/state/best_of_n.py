"""What the Best-of-N page asks for beside the shared setup: one state, whose fields its link carries; and the run it means."""

from __future__ import annotations

from dataclasses import dataclass, replace

from playground.errors import BadInput
from playground.generation.types import MOST_NEW_TOKENS
from playground.state.link_fields import flag, link_field, read_text, real, text, texts, whole
from playground.state.setup import DEFAULT_PROMPT, MAX_SEED, Setup
from playground.testtime.beam_settings import MOST_BEAMS
from playground.testtime.registry import kind_of, parse_spec
from playground.testtime.request import BestOfNRequest
from playground.testtime.types import MOST_CANDIDATES

DEFAULT_RULES = ("avg-logprob", "sum-logprob", "self-certainty", "mentions")
DEFAULT_REFERENCE = "Paris"  # what the ready-made prompt should be answered with
FIRST_WORD = r"^\W*(\w+)"
MOST_RULES = 16
MOST_TRIES = 64


def read_temperatures(given: str) -> tuple[float, ...]:
    """Numbers out of "0.5, 1.0". Raises BadInput."""
    try:
        return tuple(float(part) for part in given.replace(",", " ").split())
    except ValueError:
        raise BadInput(
            f"Temperatures: write numbers with commas such as 0.5, 0.8, 1.1, not {given[:40]!r}.", "temperatures"
        ) from None


def read_verifier(given: str) -> str:
    """A rule that gives a verdict, as the registry spells it. Raises BadInput."""
    spec = parse_spec(read_text(given))
    if not kind_of(spec).gives_verdict:
        raise BadInput(f"{given[:60]} gives a score and no verdict: choose a verifier.", "verifier")
    return spec.label


@dataclass(frozen=True, slots=True)
class BestOfNState:
    """The page's own options. What could only be refused when a run starts is refused at once (BadInput, BadSetting).

    ``reference`` and ``answer_pattern`` None: those of the ready-made prompt, and none for any other. ``temperatures`` is
    the text typed. ``beams`` and what follows belong to the section Beams, ``verifier`` and ``tries`` to First valid.
    """

    n: int = whole(
        8,
        1,
        MOST_CANDIDATES,
        label="Candidates (N)",
        always=True,
        help=f"From 1 to {MOST_CANDIDATES} answers to the same prompt.",
    )
    max_new_tokens: int = whole(24, 1, MOST_NEW_TOKENS, name="new", label="Maximum new tokens", always=True)
    stop_strings: tuple[str, ...] = texts(name="stop", label="Stop strings", placeholder="none")
    ignore_eos: bool = flag(label="Go on after the end-of-sequence token")
    temperatures: str = text(
        name="temps",
        label="Temperatures, dealt in turn",
        placeholder="the slider's",
        help="For example 0.4, 0.8, 1.2: candidate 1 gets the first, candidate 2 the second, and so on.",
    )
    systems: tuple[str, ...] = texts(
        label="System prompts, one a line",
        help="Each is a prefill of its own; candidates are dealt over them in turn.",
    )
    rules: tuple[str, ...] = texts(
        DEFAULT_RULES,
        MOST_RULES,
        parse_spec,
        label="Rules",
        help="Each rule gives every candidate a score. Type NAME:ARGUMENT for one that takes an argument, for example "
        "regex:\\d+ or length:10-50w; the section Rankings says what each is for and when it fails.",
    )
    reference: str | None = text(
        None,
        name="ref",
        label="Reference: the right answer",
        placeholder="none",
        help="What the rules that know the answer compare with. Several right answers are parted by |.",
    )
    answer_pattern: str | None = text(
        None,
        name="pattern",
        label="The answer in a text is",
        help="How answers are found before they are counted: one of these, or a regular expression of your own whose first "
        "group is the answer.",
    )
    beams: int = whole(4, 1, MOST_BEAMS, label="Beams", help=f"Texts kept at each step, 1 to {MOST_BEAMS}.")
    beam_groups: int = whole(
        1,
        1,
        MOST_BEAMS,
        label="Groups",
        help="1: plain beam search. More: diverse beam search; the beams are split into groups of equal size.",
    )
    diversity_penalty: float = real(
        0.5,
        0.0,
        100.0,
        step=0.1,
        label="Diversity penalty",
        help="In nats for each earlier group's beam that has just taken the token. Only with groups.",
    )
    length_penalty: float = real(
        1.0,
        -5.0,
        5.0,
        step=0.1,
        label="Length penalty",
        help="A finished text's score is its sum of log-probabilities / tokens to this power: 0 the sum, 1 the average.",
    )
    verifier: str = link_field(
        "mentions",
        read_verifier,
        label="Valid is what passes",
        help="A rule that gives a verdict; the reference is the one on the left. Type NAME:ARGUMENT for others.",
    )
    tries: int = whole(8, 1, MOST_TRIES, label="Attempts at most")

    def __post_init__(self) -> None:
        request_of(self, Setup(chat=bool(self.systems)), beams=True)


def reference_of(chosen: BestOfNState, setup: Setup) -> str:
    """What is compared with: the ready-made prompt has its own."""
    if chosen.reference is not None:
        return chosen.reference
    return DEFAULT_REFERENCE if setup.prompt == DEFAULT_PROMPT else ""


def pattern_of(chosen: BestOfNState, setup: Setup) -> str:
    """How answers are found: the ready-made prompt has its own way."""
    if chosen.answer_pattern is not None:
        return chosen.answer_pattern
    return FIRST_WORD if setup.prompt == DEFAULT_PROMPT else "last-line"


def request_of(chosen: BestOfNState, setup: Setup, *, beams: bool = False) -> BestOfNRequest:
    """The run that setup and state ask for, checked. Raises BadInput or BadSetting with one sentence."""
    return BestOfNRequest(
        prompt=setup.prompt,
        chat=setup.chat,
        system=setup.system,
        parse_special=setup.parse_special,
        settings=setup.settings,
        seed=setup.seed,
        n=chosen.n,
        max_new_tokens=chosen.max_new_tokens,
        stop_strings=chosen.stop_strings,
        ignore_eos=chosen.ignore_eos,
        temperatures=read_temperatures(chosen.temperatures),
        systems=chosen.systems if setup.chat else (),
        beams=chosen.beams if beams else 0,
        beam_groups=chosen.beam_groups,
        diversity_penalty=chosen.diversity_penalty if chosen.beam_groups > 1 else 0.0,
        length_penalty=chosen.length_penalty,
        scorers=chosen.rules,
        reference=reference_of(chosen, setup),
        answer_pattern=pattern_of(chosen, setup),
    )


def adopted(request: BestOfNRequest, setup: Setup, chosen: BestOfNState) -> tuple[Setup, BestOfNState]:
    """Setup and state under which ``request`` was made; the model stays the one in use."""
    new = replace(
        Setup(model=setup.model, device=setup.device, dtype=setup.dtype),
        prompt=request.prompt,
        chat=request.chat,
        system=request.system,
        parse_special=request.parse_special,
        settings=request.settings,
        seed=min(request.seed, MAX_SEED),
    )
    if request.beams:
        chosen = replace(
            chosen,
            beams=request.beams,
            beam_groups=request.beam_groups,
            length_penalty=request.length_penalty,
            diversity_penalty=request.diversity_penalty if request.beam_groups > 1 else chosen.diversity_penalty,
        )
    return new, replace(
        chosen,
        n=request.n,
        max_new_tokens=request.max_new_tokens,
        stop_strings=request.stop_strings,
        ignore_eos=request.ignore_eos,
        temperatures=", ".join(f"{value:g}" for value in request.temperatures),
        systems=request.systems,
        rules=request.scorers or DEFAULT_RULES,
        reference=request.reference,
        answer_pattern=request.answer_pattern,
    )

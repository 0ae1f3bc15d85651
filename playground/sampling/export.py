"""Settings taken away as code: for other engines, and as this playground's own command line.

An exporter knows which samplers its engine has and in which order it applies them; ``export`` turns every difference
into a warning, so that nobody takes away a setting that silently means something else. The text of the code is made
in ``export_code``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from playground.constraint import CONSTRAINT_NAMES, Constraint
from playground.errors import BadInput
from playground.sampling import export_code
from playground.sampling.export_code import Endings, Request, gguf_parts
from playground.sampling.export_fields import llama_cpp_order_is_kept
from playground.sampling.registry import ORDERS, SAMPLERS
from playground.sampling.sampler import Engine
from playground.sampling.settings import SamplerSettings

GGUF_BY_TRANSFORMERS = (
    "transformers reads of a .gguf file neither all ways of splitting text nor all scalings of positions, which are read here: "
    "compare the ids and the first probabilities."
)
Language = Literal["python", "json", "bash"]


@dataclass(frozen=True, slots=True)
class Export:
    """Code ready to copy. ``warnings`` are sentences: what that engine lacks or does in another order."""

    code: str
    warnings: tuple[str, ...]
    language: Language = "python"


@dataclass(frozen=True, slots=True)
class Exporter:
    """One target. ``engine`` is its name in the registry's rows, None for this playground, which has every sampler.

    ``fixed_order`` names the order in which the engine applies its samplers; None where the order can be sent.
    """

    name: str
    label: str
    language: Language
    engine: Engine | None
    fixed_order: str | None
    build: Callable[[Request], str]
    particular: Callable[[SamplerSettings], tuple[str, ...]] = lambda settings: ()  # further differences


def _llama_cpp_differences(settings: SamplerSettings) -> tuple[str, ...]:
    active = settings.active()
    warnings = []
    if "frequency_penalty" in active or "presence_penalty" in active:
        warnings.append(
            "llama.cpp counts the prompt's tokens in the frequency and presence penalties; here they are not."
        )
    if "mirostat" in active:
        skipped = [name for name in active if SAMPLERS[name].group == "penalty"]
        if skipped:
            warnings.append(f"llama.cpp leaves out {_listed(skipped)} while Mirostat is on.")
    elif not llama_cpp_order_is_kept(active):
        warnings.append("llama.cpp applies the logit bias first and its penalties in one step; the result may differ.")
    return tuple(warnings)


def _openai_differences(settings: SamplerSettings) -> tuple[str, ...]:
    order = [name for name in settings.active() if name in ("temperature", "top_p")]
    if order == ["top_p", "temperature"]:
        return ("The API applies temperature before top-p; here top-p runs first, and the result may differ.",)
    return ()


def _greedy_differences(settings: SamplerSettings) -> tuple[str, ...]:
    """With do_sample=False transformers skips all truncation; only Typical-p could have changed the winner."""
    if settings.temperature == 0 and "typical_p" in settings.active():
        return ("transformers leaves out Typical-p when the temperature is 0.",)
    return ()


_ALL = (
    Exporter(
        "transformers",
        "transformers generate",
        "python",
        "transformers",
        "hf",
        export_code.transformers_code,
        _greedy_differences,
    ),
    Exporter("vllm", "vLLM", "python", "vllm", "vllm", export_code.vllm_code),
    Exporter(
        "llama-completion",
        "llama.cpp command",
        "bash",
        "llama.cpp",
        None,
        export_code.llama_completion_code,
        _llama_cpp_differences,
    ),
    Exporter(
        "llama-server",
        "llama.cpp server request",
        "json",
        "llama.cpp",
        None,
        export_code.llama_server_code,
        _llama_cpp_differences,
    ),
    Exporter("openai", "OpenAI-style request", "json", "openai", None, export_code.openai_code, _openai_differences),
    Exporter("playground", "This playground's command line", "bash", None, None, export_code.playground_code),
)

# By engine: how many stop strings it takes, whether it takes stop token ids and can go on after the end token.
_ENDINGS: dict[str, tuple[int, bool, bool]] = {
    "transformers": (1000, True, True),
    "vllm": (1000, True, True),
    "llama-completion": (0, False, True),
    "llama-server": (1000, False, True),
    "openai": (export_code.OPENAI_STOPS, False, False),
}

EXPORTS: dict[str, Exporter] = {exporter.name: exporter for exporter in _ALL}


def export(
    engine_name: str,
    settings: SamplerSettings,
    model_id: str,
    prompt: str,
    chat: bool = False,
    system: str | None = None,
    seed: int = 0,
    max_new_tokens: int = 128,
    endings: Endings = Endings(),  # noqa: B008 - frozen
) -> Export:
    """The settings, model and prompt as code for one engine of ``EXPORTS``. Raises BadInput for an unknown engine.

    A seed makes an engine repeat itself; it does not make it repeat another engine's draws.
    """
    if engine_name not in EXPORTS:
        raise BadInput(f"export: unknown engine {engine_name!r}; choose one of {', '.join(EXPORTS)}.", "export")
    exporter = EXPORTS[engine_name]
    request = Request(settings, model_id, prompt, chat, system if chat else None, seed, max_new_tokens, endings)
    warnings = (
        *setting_warnings(exporter.label, exporter.engine, exporter.fixed_order, settings),
        *exporter.particular(settings),
        *_ending_warnings(exporter, endings),
        *_constraint_warnings(exporter, endings.constraint, chat),
        *_file_warnings(engine_name, model_id),
        *_empty_warnings(exporter, "chat" if chat else prompt),
    )
    return Export(exporter.build(request), warnings, exporter.language)


def _file_warnings(engine_name: str, model_id: str) -> tuple[str, ...]:
    is_gguf = bool(gguf_parts(model_id)[1])
    if engine_name == "transformers" and is_gguf:
        return (GGUF_BY_TRANSFORMERS,)
    if engine_name != "llama-completion" or is_gguf:
        return ()
    return (f"llama.cpp reads GGUF files: put the path of one in the place of {model_id}.",)


def _empty_warnings(exporter: Exporter, prompt: str) -> tuple[str, ...]:
    if prompt or exporter.name in ("transformers", "playground"):
        return ()
    return (f"The prompt is empty: here the model starts from its own start token; {exporter.label} may refuse that.",)


def _ending_warnings(exporter: Exporter, endings: Endings) -> tuple[str, ...]:
    """What of the endings an engine cannot be told. This playground's own line takes them from its page."""
    if exporter.name == "playground":
        return ()
    warnings = []
    strings, ids, ignores = _ENDINGS[exporter.name]
    if len(endings.strings) > strings:
        most = f"takes at most {strings} stop strings" if strings else "has no stop strings"
        warnings.append(f"{exporter.label} {most}; the others are left out, and the text may go on.")
    if endings.ids and not ids:
        warnings.append(f"{exporter.label} has no stop token ids; they are left out, and the text may go on.")
    if endings.ignore_eos and not ignores:
        warnings.append(f"{exporter.label} always ends at the end-of-sequence token.")
    return tuple(warnings)


# By engine: the kinds of constraints that its code can say.
_CONSTRAINTS: dict[str, tuple[str, ...]] = {
    "transformers": (),
    "vllm": ("json_schema", "grammar", "regex", "choice"),
    "llama-completion": ("json_schema", "grammar", "choice"),
    "llama-server": ("json_schema", "grammar", "choice"),
    "openai": ("json_schema",),
}


def _constraint_warnings(exporter: Exporter, constraint: Constraint | None, chat: bool) -> tuple[str, ...]:
    """Where a text would not be held to what it must match. OpenAI's API has it for chats alone."""
    if constraint is None or exporter.name == "playground":
        return ()
    if constraint.kind in _CONSTRAINTS[exporter.name] and (chat or exporter.name != "openai"):
        return ()
    what = CONSTRAINT_NAMES[constraint.kind]
    return (f"{exporter.label} cannot be told this {what}; it is left out, and the text need not match it.",)


def setting_warnings(
    label: str, engine: Engine | None, fixed_order: str | None, settings: SamplerSettings
) -> tuple[str, ...]:
    """What of the settings an engine called ``label`` lacks or runs in another order. ``engine``: see ``Exporter``."""
    active, supported = settings.active(), supported_samplers(engine)
    lacking = [name for name in active if name not in supported]
    warnings = []
    if lacking:
        warnings.append(f"{label} has no {_listed(lacking)}; left out, so the result will differ.")
    if fixed_order is not None:
        ours = [name for name in active if name in supported]
        theirs = [name for name in ORDERS[fixed_order] if name in ours]
        if ours != theirs:
            warnings.append(
                f"{label} applies its samplers in this order: {' → '.join(SAMPLERS[n].label for n in theirs)};"
                " the result may differ."
            )
    return tuple(warnings)


def supported_samplers(engine: Engine | None) -> frozenset[str]:
    """The samplers that ``engine`` has; all for None, this playground."""
    return frozenset(name for name, row in SAMPLERS.items() if engine is None or engine in row.engines)


def _listed(names: list[str]) -> str:
    labels = [SAMPLERS[name].label for name in names]
    return labels[0] if len(labels) == 1 else ", ".join(labels[:-1]) + " and " + labels[-1]

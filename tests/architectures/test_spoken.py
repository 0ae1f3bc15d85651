"""The spelling model against torch's GRU on the same weights, and its bottleneck."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest
import torch

from playground.architectures import spoken
from playground.errors import CapabilityMissing


def test_it_says_what_torchs_gru_says() -> None:
    w = {name: torch.from_numpy(weight) for name, weight in spoken._weights().items()}
    encoder, decoder = torch.nn.GRU(256, 256), torch.nn.GRUCell(256, 256)
    encoder.load_state_dict({f"{kind}_l0": w[f"enc_{short}"] for kind, short in _NAMES.items()})
    decoder.load_state_dict({kind: w[f"dec_{short}"] for kind, short in _NAMES.items()})
    ids = [spoken.GRAPHEMES.index(letter) for letter in "window"] + [2]
    with torch.no_grad():
        _outputs, last = encoder(w["enc_emb"][ids][:, None])
        hidden, symbol, said = last[0], 2, []
        for _turn in range(20):
            hidden = decoder(w["dec_emb"][symbol][None], hidden)
            symbol = int((w["fc_w"] @ hidden[0] + w["fc_b"]).argmax())
            if symbol == 3:
                break
            said.append(spoken.PHONEMES[symbol])
    assert spoken.pronounce("window") == tuple(said) == ("W", "IH1", "N", "D", "OW0")


_NAMES = {"weight_ih": "w_ih", "weight_hh": "w_hh", "bias_ih": "b_ih", "bias_hh": "b_hh"}


def test_joined_words_do_not_fit() -> None:
    joined = spoken.joined_errors()
    assert spoken.parameters() == 834_890 and [each.words for each in joined] == [1, 2, 3, 4, 5, 6]
    errors = [each.error.value for each in joined]
    assert errors[0] == 0 and 0.3 < errors[1] < errors[3] < errors[5] < 0.9
    assert spoken.edit_distance("kitten", "sitting") == 3 and spoken.edit_distance("", "abc") == 3


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_name: str) -> None:
        raise PackageNotFoundError

    monkeypatch.setattr(spoken, "files", missing)
    spoken._weights.cache_clear()
    with pytest.raises(CapabilityMissing, match="make g2p"):
        spoken.pronounce("a")
    monkeypatch.undo()
    spoken._weights.cache_clear()
    assert np.isfinite(spoken._weights()["fc_b"]).all()

"""Our header reader against the gguf package's writer and reader."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest

from playground.errors import ModelCorrupt
from playground.models.gguf_file import GgufFile


@pytest.fixture
def written(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    writer = gguf.GGUFWriter(tmp_path / "tiny.gguf", "llama")
    writer.add_uint8("u8", 200)
    writer.add_int8("i8", -7)
    writer.add_uint16("u16", 60_000)
    writer.add_int16("i16", -30_000)
    writer.add_uint32("u32", 4_000_000_000)
    writer.add_int32("i32", -2_000_000_000)
    writer.add_uint64("u64", 2**63)
    writer.add_int64("i64", -(2**62))
    writer.add_float32("f32", 0.1)
    writer.add_float64("f64", 0.1)
    writer.add_bool("yes", True)
    writer.add_string("text", "héllo 🙂")
    writer.add_array("words", ["Ġthe", "", "日本"])
    writer.add_array("numbers", [1, -2, 3])
    writer.add_tensor("plain", rng.normal(size=(3, 5)).astype(np.float32))
    writer.add_tensor("half", rng.normal(size=(4, 8)).astype(np.float16))
    for kind in (gguf.GGMLQuantizationType.Q4_1, gguf.GGMLQuantizationType.Q8_0):
        packed = gguf.quantize(rng.normal(size=(6, 64)).astype(np.float32), kind)
        writer.add_tensor(kind.name, packed, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return tmp_path / "tiny.gguf"


def test_values_and_tensors_are_those_of_the_gguf_package(written: Path) -> None:
    ours, theirs = GgufFile(written), gguf.GGUFReader(written)
    expected = {name: field.contents() for name, field in theirs.fields.items() if not name.startswith("GGUF.")}
    assert ours.values == expected
    assert [tensor.name for tensor in ours.tensors] == [tensor.name for tensor in theirs.tensors]
    for own, other in zip(ours.tensors, theirs.tensors, strict=True):
        assert np.array_equal(ours.dequantize(own), gguf.dequantize(other.data, other.tensor_type))
    assert ours.parameters == sum(int(tensor.n_elements) for tensor in theirs.tensors)


def test_a_file_cut_off_anywhere_is_corrupt(written: Path) -> None:
    whole = written.read_bytes()
    for length in range(0, len(whole) - 32, 7):  # the last tensor may end in padding
        written.write_bytes(whole[:length])
        with pytest.raises(ModelCorrupt, match=r"not a whole \.gguf file"):
            GgufFile(written)


def test_noise_never_ends_in_a_traceback(written: Path) -> None:
    rng = np.random.default_rng(1)
    whole = np.frombuffer(written.read_bytes(), np.uint8)
    for _ in range(200):
        noisy = whole.copy()
        places = rng.integers(4, 400, size=4)
        noisy[places] = rng.integers(0, 256, size=4)
        written.write_bytes(noisy.tobytes())
        try:
            GgufFile(written)
        except ModelCorrupt as error:
            assert str(error).endswith(".")

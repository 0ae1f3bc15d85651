"""Read a GGUF file's header: its values and where its tensors lie.

The gguf package's own reader makes several NumPy arrays for each of a vocabulary's hundred thousand strings, which
takes 5 s of a first start; this takes 0.2 s. Its dequantisation is used as it is. The format is ggml's docs/gguf.md:
"GGUF", version, counts, then key, type and value of each setting, then name, shape, type and offset of each tensor,
all little-endian. Knows nothing of what the values mean.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from playground.errors import ModelCorrupt
from playground.models.wording import shown

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_VERSIONS = (2, 3)
_DEFAULT_ALIGNMENT = 32


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """``shape`` in NumPy's order (rows, columns); ``kind`` is ggml's number of the format; ``start`` is a file offset."""

    name: str
    shape: tuple[int, ...]
    kind: int
    start: int


class GgufFile:
    """A .gguf file's ``values`` and ``tensors``. Raises ModelCorrupt for a file that is cut off or something else.

    ``header_only``: it may be the first part of one, which holds the values and no whole tensors.
    """

    def __init__(self, path: Path, *, header_only: bool = False) -> None:
        try:
            if not path.is_file():  # a pipe would be waited for
                raise ValueError("no file")
            self._bytes = np.asarray(np.memmap(path, np.uint8, mode="r"))  # slices of a plain array are quicker
            self._buffer, self._position = self._bytes.data, 0
            self.values, self.tensors = self._read_header()
            self.parameters = sum(math.prod(tensor.shape) for tensor in self.tensors)
            for tensor in () if header_only else self.tensors:
                self._raw(tensor)
        except (OSError, ValueError, LookupError, struct.error, RecursionError, OverflowError, MemoryError):
            raise ModelCorrupt(f"{shown(path.name)} is not a whole .gguf file: fetch it again.") from None

    def dequantize(self, tensor: GgufTensor) -> npt.NDArray[np.float32]:
        """The numbers of ``tensor``: float32, of its shape, whatever format they are stored in."""
        from gguf import GGMLQuantizationType
        from gguf.quants import dequantize

        numbers = np.asarray(dequantize(self._raw(tensor), GGMLQuantizationType(tensor.kind)), dtype=np.float32)
        return numbers.reshape(tensor.shape)

    def _raw(self, tensor: GgufTensor) -> npt.NDArray[np.uint8]:
        """The stored bytes, (rows, bytes a row); ValueError where the file ends before they do."""
        from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

        block_numbers, block_bytes = GGML_QUANT_SIZES[GGMLQuantizationType(tensor.kind)]
        row_bytes = tensor.shape[-1] // block_numbers * block_bytes
        rows = math.prod(tensor.shape[:-1])
        return self._bytes[tensor.start : tensor.start + rows * row_bytes].reshape(rows, row_bytes)

    def _read_header(self) -> tuple[dict[str, Any], tuple[GgufTensor, ...]]:
        magic, version, tensor_count, value_count = struct.unpack_from("<4sIQQ", self._buffer)
        if magic != b"GGUF" or version not in _VERSIONS:
            raise ValueError("not a GGUF file")
        self._position = struct.calcsize("<4sIQQ")
        values: dict[str, Any] = {}
        for _ in range(value_count):
            key = self._string()
            values[key] = self._value(self._number("I"))
        entries = [self._tensor_entry() for _ in range(tensor_count)]
        alignment = int(values.get("general.alignment", _DEFAULT_ALIGNMENT))
        data = -(-self._position // alignment) * alignment
        return values, tuple(GgufTensor(name, shape, kind, data + offset) for name, shape, kind, offset in entries)

    def _tensor_entry(self) -> tuple[str, tuple[int, ...], int, int]:
        name, dimensions = self._string(), self._number("I")
        sizes = [self._number("Q") for _ in range(dimensions)]  # ggml counts the fastest dimension first
        return name, tuple(reversed(sizes)), self._number("I"), self._number("Q")

    def _number(self, code: str) -> Any:  # noqa: ANN401 - an int or a float, as the code says
        (number,) = struct.unpack_from("<" + code, self._buffer, self._position)
        self._position += struct.calcsize("<" + code)
        return number

    def _string(self) -> str:
        length = self._number("Q")
        text = bytes(self._buffer[self._position : self._position + length])
        if len(text) != length:
            raise ValueError("cut off inside a string")
        self._position += length
        return text.decode("utf-8")

    def _value(self, kind: int) -> Any:  # noqa: ANN401 - of the kind that the file says
        if kind == _STRING:
            return self._string()
        if kind != _ARRAY:
            return self._number(_SCALARS[kind])
        inner, count = self._number("I"), self._number("Q")
        return [self._value(inner) for _ in range(count)]

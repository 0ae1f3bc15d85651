"""Products of a few rows with a coded weight, compiled for this processor when first asked for.

Torch has no kernel that multiplies four-bit codes exactly and fast on every CPU, so the inner loop is written here in
LLVM's own language, whose vectors become AVX, AVX-512 or NEON as the machine has it, and compiled by llvmlite in
tens of milliseconds. One loop over outputs (sixteen side by side) and groups of 32 inputs; each group's codes
become floats once and meet every row. All rows are summed in the same order whatever their number, so that a row gives the
same result alone and in company. Knows no models.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import torch

from playground.engine.codes import GROUP, LANES, Codes

KERNEL_ROWS = (1, 2, 4)  # rows a compiled loop takes; others are padded or split
_FULL_WIDTH_ROWS = 4  # with more, sixteen outputs at once would need more registers than most processors have
_POINTERS, _SIZES = ("w", "s", "l", "x", "u", "o"), ("first", "last", "groups", "outputs")
Kernel = Callable[..., None]


def multiply(codes: Codes, states: torch.Tensor) -> torch.Tensor:
    """``states`` (rows, inputs), float32 and contiguous, times the transposed weight: (rows, outputs)."""
    rows = states.shape[0]
    result = torch.empty(rows, codes.outputs)
    sums = states.view(rows, -1, GROUP).sum(dim=-1)  # (rows, groups), for the groups' lows
    for begin in range(0, rows, KERNEL_ROWS[-1]):
        some = min(KERNEL_ROWS[-1], rows - begin)
        _run(codes, states[begin : begin + some], sums[begin : begin + some], result[begin : begin + some])
    return result


def _run(codes: Codes, states: torch.Tensor, sums: torch.Tensor, result: torch.Tensor) -> None:
    rows = states.shape[0]
    size = next(size for size in KERNEL_ROWS if size >= rows)
    out = result
    if size != rows:
        states = torch.cat([states, states.new_zeros(size - rows, codes.inputs)])
        sums = torch.cat([sums, sums.new_zeros(size - rows, sums.shape[1])])
        out = torch.empty(size, codes.outputs)
    loop, low = kernel(codes.bits, size), 0 if codes.low is None else codes.low.data_ptr()
    pointers = (
        codes.packed.data_ptr(), codes.scale.data_ptr(), low, states.data_ptr(), sums.data_ptr(), out.data_ptr(),
    )  # fmt: skip
    sizes = (codes.inputs // GROUP, codes.outputs)
    loop(*pointers, 0, codes.outputs // LANES, *sizes)
    if out is not result:
        result.copy_(out[:rows])


@cache
def kernel(bits: int, rows: int) -> Kernel:
    """The compiled loop. Raises ImportError or RuntimeError where this machine cannot compile it."""
    name, text = f"rows_{bits}_{rows}", kernel_text(bits, rows)
    llvm, machine = _compiler()
    module = llvm.parse_assembly(text)
    module.verify()
    engine = llvm.create_mcjit_compiler(module, machine())
    engine.finalize_object()
    _KEPT.append(engine)  # the code lives as long as its engine
    shape = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * len(_POINTERS), *[ctypes.c_int64] * len(_SIZES))
    return shape(engine.get_function_address(name))


_KEPT: list[Any] = []


@cache
def _compiler() -> tuple[Any, Callable[[], Any]]:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()

    def machine() -> Any:
        return llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3, jit=True
        )

    return llvm, machine


# -- the loop in LLVM's language ---------------------------------------------------------------------------------------


def kernel_text(bits: int, rows: int) -> str:
    """The loop for ``bits`` (4 or 8) and exactly ``rows`` rows.

    Arguments: codes, scales, lows, states (rows, 32 * groups), the groups' sums (rows, groups), result (rows, outputs);
    the blocks of 16 outputs from ``first`` to before ``last``. Per group: result += scale * sum(code * x) + low * sum(x).
    """
    lanes = LANES if rows <= _FULL_WIDTH_ROWS else LANES // 2
    vector = f"<{lanes} x float>"
    parts = range(LANES // lanes)
    parameters = [f"ptr noalias %{name}" for name in _POINTERS] + [f"i64 %{name}" for name in _SIZES]
    totals = [
        f"  %t{row}.{part} = phi {vector} [zeroinitializer, %block], [%n{row}.{part}, %group]"
        for part in parts
        for row in range(rows)
    ]
    return "\n".join(
        [
            f"declare {vector} @llvm.fma.v{lanes}f32({vector}, {vector}, {vector})",
            f"define void @rows_{bits}_{rows}({', '.join(parameters)}) {{",
            "entry:",
            f"  %width = mul i64 %groups, {GROUP}",
            "  %any = icmp slt i64 %first, %last",
            "  br i1 %any, label %block, label %done",
            "block:",
            "  %b = phi i64 [%first, %entry], [%b1, %store]",
            "  %bg = mul i64 %b, %groups",
            "  br label %group",
            "group:",
            "  %g = phi i64 [0, %block], [%g1, %group]",
            *totals,
            "  %at = add i64 %bg, %g",
            f"  %wo = mul i64 %at, {LANES * GROUP * bits // 8}",
            "  %wp = getelementptr i8, ptr %w, i64 %wo",
            f"  %so = mul i64 %at, {LANES}",
            *_rows_in(bits, rows),
            *(line for part in parts for line in _Part(bits, rows, lanes, part).lines()),
            "  %g1 = add i64 %g, 1",
            "  %full = icmp eq i64 %g1, %groups",
            "  br i1 %full, label %store, label %group",
            "store:",
            f"  %r = mul i64 %b, {LANES}",
            *(line for part in parts for line in _stores(rows, lanes, part)),
            "  %b1 = add i64 %b, 1",
            "  %end = icmp eq i64 %b1, %last",
            "  br i1 %end, label %done, label %block",
            "done:",
            "  ret void",
            "}",
        ]
    )


def _rows_in(bits: int, rows: int) -> list[str]:
    """%x<row>: where each row's 32 inputs of this group begin; %u<row>: their sum."""
    lines = [f"  %g32 = mul i64 %g, {GROUP}"]
    for row in range(rows):
        lines += [
            f"  %xr{row} = mul i64 %width, {row}",
            f"  %xo{row} = add i64 %xr{row}, %g32",
            f"  %x{row} = getelementptr float, ptr %x, i64 %xo{row}",
        ]
        if bits == 4:
            lines += [
                f"  %ur{row} = mul i64 %groups, {row}",
                f"  %uo{row} = add i64 %ur{row}, %g",
                f"  %ua{row} = getelementptr float, ptr %u, i64 %uo{row}",
                f"  %u{row} = load float, ptr %ua{row}, align 4",
            ]
    return lines


class _Part:
    """What happens in a group to one vector's worth of the sixteen outputs. Names end in the part's number."""

    def __init__(self, bits: int, rows: int, lanes: int, part: int) -> None:
        self._bits, self._rows, self._lanes, self._part = bits, rows, lanes, part
        self._floats, self._ints = f"<{lanes} x float>", f"<{lanes} x i32>"

    def lines(self) -> list[str]:
        """Ends with %n<row>.<part>: the totals with this group in them."""
        lines, sums = self._products()
        part = self._part
        lines += [
            f"  %so{part} = add i64 %so, {part * self._lanes}",
            f"  %sp{part} = getelementptr float, ptr %s, i64 %so{part}",
            f"  %sv{part} = load {self._floats}, ptr %sp{part}, align 4",
        ]
        if self._bits == 4:
            lines += [
                f"  %lp{part} = getelementptr float, ptr %l, i64 %so{part}",
                f"  %lv{part} = load {self._floats}, ptr %lp{part}, align 4",
            ]
        for row in range(self._rows):
            base = f"%t{row}.{part}"
            if self._bits == 4:
                lines += self._broadcast(f"%u{row}", f"ub{row}.{part}")
                lines.append(f"  %w{row}.{part} = {self._fma(f'%lv{part}', f'%ub{row}.{part}', base)}")
                base = f"%w{row}.{part}"
            lines.append(f"  %n{row}.{part} = {self._fma(sums[row], f'%sv{part}', base)}")
        return lines

    def _products(self) -> tuple[list[str], list[str]]:
        """The sums over the group of code times input, and their names by row."""
        lines: list[str] = []
        sums = ["zeroinitializer"] * self._rows
        for load in range(GROUP * self._bits // 8):
            tag = f"{load}.{self._part}"
            lines += [
                f"  %p{tag} = getelementptr i8, ptr %wp, i64 {load * LANES + self._part * self._lanes}",
                f"  %q{tag} = load <{self._lanes} x i8>, ptr %p{tag}, align {self._lanes}",
                f"  %z{tag} = {'zext' if self._bits == 4 else 'sext'} <{self._lanes} x i8> %q{tag} to {self._ints}",
            ]
            inputs = [(load, f"%z{tag}")]
            if self._bits == 4:
                lines += [
                    f"  %i{tag} = and {self._ints} %z{tag}, {self._splat(15)}",
                    f"  %h{tag} = lshr {self._ints} %z{tag}, {self._splat(4)}",
                ]
                inputs = [(load, f"%i{tag}"), (load + GROUP // 2, f"%h{tag}")]
            for place, code in inputs:
                lines.append(f"  %f{place}.{self._part} = sitofp {self._ints} {code} to {self._floats}")
                for row in range(self._rows):
                    lines += self._add(row, place, sums)
        return lines, sums

    def _add(self, row: int, place: int, sums: list[str]) -> list[str]:
        """One input of one row into its sum."""
        tag = f"{row}.{place}.{self._part}"
        lines = [
            f"  %xa{tag} = getelementptr float, ptr %x{row}, i64 {place}",
            f"  %xv{tag} = load float, ptr %xa{tag}, align 4",
            *self._broadcast(f"%xv{tag}", f"xb{tag}"),
            f"  %a{tag} = {self._fma(f'%f{place}.{self._part}', f'%xb{tag}', sums[row])}",
        ]
        sums[row] = f"%a{tag}"
        return lines

    def _fma(self, one: str, other: str, added: str) -> str:
        kind = self._floats
        return f"call {kind} @llvm.fma.v{self._lanes}f32({kind} {one}, {kind} {other}, {kind} {added})"

    def _broadcast(self, value: str, name: str) -> list[str]:
        """One float in all lanes."""
        kind = self._floats
        return [
            f"  %{name}.i = insertelement {kind} poison, float {value}, i32 0",
            f"  %{name} = shufflevector {kind} %{name}.i, {kind} poison, <{self._lanes} x i32> zeroinitializer",
        ]

    def _splat(self, value: int) -> str:
        return "<" + ", ".join([f"i32 {value}"] * self._lanes) + ">"


def _stores(rows: int, lanes: int, part: int) -> list[str]:
    lines: list[str] = []
    for row in range(rows):
        tag = f"{row}.{part}"
        lines += [
            f"  %or{tag} = mul i64 %outputs, {row}",
            f"  %oo{tag} = add i64 %or{tag}, %r",
            f"  %oq{tag} = add i64 %oo{tag}, {part * lanes}",
            f"  %op{tag} = getelementptr float, ptr %o, i64 %oq{tag}",
            f"  store <{lanes} x float> %n{tag}, ptr %op{tag}, align 4",
        ]
    return lines

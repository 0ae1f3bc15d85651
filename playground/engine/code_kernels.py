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
_POINTERS, _SIZES = ("w", "s", "l", "x", "u", "o"), ("blocks", "groups", "outputs")
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
        codes.packed.data_ptr(),
        codes.scale.data_ptr(),
        low,
        states.data_ptr(),
        sums.data_ptr(),
        out.data_ptr(),
    )
    sizes = (codes.outputs // LANES, codes.inputs // GROUP, codes.outputs)
    loop(*pointers, *sizes)
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

_FLOATS, _INTS = f"<{LANES} x float>", f"<{LANES} x i32>"


def kernel_text(bits: int, rows: int) -> str:
    """The loop for ``bits`` (4 or 8) and exactly ``rows`` rows.

    Arguments: codes, scales, lows, states (rows, 32 * groups), the groups' sums (rows, groups), result (rows, outputs);
    how many ``blocks`` of 16 outputs, ``groups`` of inputs, and ``outputs``. Per group: result += scale * sum(code * x)
    + low * sum(x).
    """
    parameters = [f"ptr noalias %{name}" for name in _POINTERS] + [f"i64 %{name}" for name in _SIZES]
    totals = [f"  %t{row} = phi {_FLOATS} [zeroinitializer, %block], [%n{row}, %group]" for row in range(rows)]
    lines, sums = _products(bits, rows)
    return "\n".join(
        [
            f"declare {_FLOATS} @llvm.fma.v{LANES}f32({_FLOATS}, {_FLOATS}, {_FLOATS})",
            f"define void @rows_{bits}_{rows}({', '.join(parameters)}) {{",
            "entry:",
            f"  %width = mul i64 %groups, {GROUP}",
            "  br label %block",
            "block:",
            "  %b = phi i64 [0, %entry], [%b1, %store]",
            "  %bg = mul i64 %b, %groups",
            "  br label %group",
            "group:",
            "  %g = phi i64 [0, %block], [%g1, %group]",
            *totals,
            "  %at = add i64 %bg, %g",
            f"  %wo = mul i64 %at, {LANES * GROUP * bits // 8}",
            "  %wp = getelementptr i8, ptr %w, i64 %wo",
            f"  %so = mul i64 %at, {LANES}",
            *_inputs(bits, rows),
            *lines,
            *_group_end(bits, sums),
            "  %g1 = add i64 %g, 1",
            "  %full = icmp eq i64 %g1, %groups",
            "  br i1 %full, label %store, label %group",
            "store:",
            f"  %r = mul i64 %b, {LANES}",
            *_stores(rows),
            "  %b1 = add i64 %b, 1",
            "  %end = icmp eq i64 %b1, %blocks",
            "  br i1 %end, label %done, label %block",
            "done:",
            "  ret void",
            "}",
        ]
    )


def _inputs(bits: int, rows: int) -> list[str]:
    """%x<row>: where each row's 32 inputs of this group begin; %u<row>: their sum, which only four bits need."""
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


def _products(bits: int, rows: int) -> tuple[list[str], list[str]]:
    """The sums over the group of code times input, sixteen outputs at once, and their names by row."""
    lines: list[str] = []
    sums = ["zeroinitializer"] * rows
    for load in range(GROUP * bits // 8):
        lines += [
            f"  %p{load} = getelementptr i8, ptr %wp, i64 {load * LANES}",
            f"  %q{load} = load <{LANES} x i8>, ptr %p{load}, align {LANES}",
            f"  %z{load} = {'zext' if bits == 4 else 'sext'} <{LANES} x i8> %q{load} to {_INTS}",
        ]
        inputs = [(load, f"%z{load}")]
        if bits == 4:
            lines += [
                f"  %i{load} = and {_INTS} %z{load}, {_splat(15)}",
                f"  %h{load} = lshr {_INTS} %z{load}, {_splat(4)}",
            ]
            inputs = [(load, f"%i{load}"), (load + GROUP // 2, f"%h{load}")]
        for place, code in inputs:
            lines.append(f"  %f{place} = sitofp {_INTS} {code} to {_FLOATS}")
            for row in range(rows):
                tag = f"{row}.{place}"
                lines += [
                    f"  %xa{tag} = getelementptr float, ptr %x{row}, i64 {place}",
                    f"  %xv{tag} = load float, ptr %xa{tag}, align 4",
                    *_broadcast(f"%xv{tag}", f"xb{tag}"),
                    f"  %a{tag} = {_fma(f'%f{place}', f'%xb{tag}', sums[row])}",
                ]
                sums[row] = f"%a{tag}"
    return lines, sums


def _group_end(bits: int, sums: list[str]) -> list[str]:
    """%n<row>: the totals with this group's scale and low in them."""
    lines = ["  %sp = getelementptr float, ptr %s, i64 %so", f"  %sv = load {_FLOATS}, ptr %sp, align 4"]
    if bits == 4:
        lines += ["  %lp = getelementptr float, ptr %l, i64 %so", f"  %lv = load {_FLOATS}, ptr %lp, align 4"]
    for row, product in enumerate(sums):
        base = f"%t{row}"
        if bits == 4:
            lines += [*_broadcast(f"%u{row}", f"ub{row}"), f"  %v{row} = {_fma('%lv', f'%ub{row}', base)}"]
            base = f"%v{row}"
        lines.append(f"  %n{row} = {_fma(product, '%sv', base)}")
    return lines


def _stores(rows: int) -> list[str]:
    lines: list[str] = []
    for row in range(rows):
        lines += [
            f"  %or{row} = mul i64 %outputs, {row}",
            f"  %oo{row} = add i64 %or{row}, %r",
            f"  %op{row} = getelementptr float, ptr %o, i64 %oo{row}",
            f"  store {_FLOATS} %n{row}, ptr %op{row}, align 4",
        ]
    return lines


def _fma(one: str, other: str, added: str) -> str:
    return f"call {_FLOATS} @llvm.fma.v{LANES}f32({_FLOATS} {one}, {_FLOATS} {other}, {_FLOATS} {added})"


def _broadcast(value: str, name: str) -> list[str]:
    """One float in all lanes."""
    return [
        f"  %{name}.i = insertelement {_FLOATS} poison, float {value}, i32 0",
        f"  %{name} = shufflevector {_FLOATS} %{name}.i, {_FLOATS} poison, <{LANES} x i32> zeroinitializer",
    ]


def _splat(value: int) -> str:
    return "<" + ", ".join([f"i32 {value}"] * LANES) + ">"

"""Products of rows of small whole numbers: the inner loop of the fast pass, exact in integers.

Where the processor multiplies bytes in vectors (AVX-512 VNNI) a tile of 8 × 48 products stays in registers; elsewhere
the same numbers come from plain loops, only later. Which of the two runs changes no result.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import binding, ir
from numba import config, njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

LANES: Final = 16  # units side by side in a tile
STEP: Final = 4  # numbers of a row that are multiplied at once
HIGH: Final = 8  # needs of a block
WIDE: Final = 3  # tiles of a block: with 8 needs they fill 24 of the 32 registers

_BYTE, _INT, _LONG = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_VECTOR: Final = ir.VectorType(_INT, LANES)


def _has_byte_products() -> bool:
    """Whether the processor that numba compiles for knows AVX-512 VNNI."""
    if config.CPU_NAME == "generic":  # type: ignore[attr-defined]
        return False
    told: str | None = config.CPU_FEATURES  # type: ignore[attr-defined]
    known = binding.get_host_cpu_features().flatten() if told is None else told
    return {"+avx512f", "+avx512vnni"} <= set(known.split(","))


HAS_BYTE_PRODUCTS: Final = _has_byte_products()


@intrinsic
def _vector_tile(_context: Any, left: Any, row: Any, right: Any, tile: Any, out: Any, column: Any) -> Any:
    """As `_plain_tile`, in registers. All arrays C-contiguous."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        unpack: Any = cgutils.unpack_tuple
        made: Any = make_array
        arrays = {k: made(signature.args[k])(context, builder, arguments[k]) for k in (0, 2, 4)}
        row, tile, column = arguments[1], arguments[3], arguments[5]
        width, steps, out_width = (unpack(builder, arrays[k].shape)[1] for k in (0, 2, 4))

        def at(array: Any, offset: Any) -> Any:
            return builder.gep(builder.bitcast(array.data, _BYTE.as_pointer()), [offset])

        def load(pointer: Any, kind: Any) -> Any:
            loaded = builder.load(builder.bitcast(pointer, kind.as_pointer()))
            loaded.align = 1
            return loaded

        def times(one: Any, other: Any) -> Any:
            return builder.mul(one, other)

        def number(value: int) -> Any:
            return ir.Constant(_LONG, value)

        tile_bytes = times(steps, number(LANES * STEP))
        lefts = [at(arrays[0], times(builder.add(row, number(i)), width)) for i in range(HIGH)]
        rights = [at(arrays[2], times(builder.add(tile, number(j)), tile_bytes)) for j in range(WIDE)]
        outs = [
            at(
                arrays[4],
                times(number(4), builder.add(times(number(i), out_width), builder.add(column, number(LANES * j)))),
            )
            for i in range(HIGH)
            for j in range(WIDE)
        ]
        declare: Any = cgutils.get_or_insert_function
        multiply = declare(builder.module, ir.FunctionType(_VECTOR, [_VECTOR] * 3), "llvm.x86.avx512.vpdpbusd.512")
        first, loop, after = builder.block, builder.append_basic_block("loop"), builder.append_basic_block("after")
        begun = [load(p, _VECTOR) for p in outs]
        builder.branch(loop)
        builder.position_at_end(loop)
        step = builder.phi(_LONG)
        sums = [builder.phi(_VECTOR) for _ in outs]
        units = [load(builder.gep(p, [times(step, number(LANES * STEP))]), _VECTOR) for p in rights]
        new = []
        for i in range(HIGH):
            four = load(builder.gep(lefts[i], [times(step, number(STEP))]), _INT)
            spread = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), four, ir.Constant(_INT, 0))
            spread = builder.shuffle_vector(spread, spread, ir.Constant(_VECTOR, [0] * LANES))
            new += [builder.call(multiply, [sums[i * WIDE + j], units[j], spread]) for j in range(WIDE)]
        following = builder.add(step, number(1))
        for phi, start, end in zip([step, *sums], [number(0), *begun], [following, *new], strict=True):
            phi.add_incoming(start, first)
            phi.add_incoming(end, loop)
        builder.cbranch(builder.icmp_signed("<", following, steps), loop, after)
        builder.position_at_end(after)
        for value, p in zip(new, outs, strict=True):
            builder.store(value, builder.bitcast(p, _VECTOR.as_pointer())).align = 1
        return context.get_dummy_value()

    return types.void(left, row, right, tile, out, column), generate


@njit(cache=True, nogil=True)
def _plain_tile(left, row, right, tile, out, column):  # type: ignore[no-untyped-def]
    """Add the products of HIGH rows of left and WIDE tiles of right to out, which is HIGH rows high.

    left: int8 (rows, 4 × steps). right: uint8 (tiles, steps, 64): four numbers of each of 16 units. out: int32.
    """
    for i in range(HIGH):
        for j in range(WIDE):
            for s in range(right.shape[1]):
                for u in range(LANES):
                    total = np.int32(0)
                    for x in range(STEP):
                        total += np.int32(left[row + i, STEP * s + x]) * np.int32(right[tile + j, s, STEP * u + x])
                    out[i, column + LANES * j + u] += total


_tile: Any = _vector_tile if HAS_BYTE_PRODUCTS else _plain_tile


@njit(cache=True, nogil=True)
def add_products(left, row, right, first, last, out):  # type: ignore[no-untyped-def]
    """Add the products of HIGH rows of left from `row` and the tiles [first, last) of right to out.

    Up to WIDE - 1 tiles beyond `last` are read and written too: right and out have room for them.
    """
    if right.shape[1] > 0:
        for tile in range(first, last, WIDE):
            _tile(left, row, right, tile, out, (tile - first) * LANES)

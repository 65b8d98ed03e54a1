"""Sixteen reads side by side: vectors of 16 floats or words as values of compiled loops.

Every operation stands here twice: as numpy says it, which is what runs with NUMBA_DISABLE_JIT=1, and as the vector
instruction that it compiles to. LLVM splits a vector where the processor's are narrower. Multiplication and addition
are never fused but in `add_product`, so results do not depend on the processor.

A tile is an array of 32 columns: two vectors, its halves 0 and 1.
"""

import operator

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

WIDTH = 16
TILE = 2 * WIDTH

_INT, _FLOAT = ir.IntType(32), ir.FloatType()
_WORDS, _FLOATS = ir.VectorType(_INT, WIDTH), ir.VectorType(_FLOAT, WIDTH)


class Lanes(types.Type):
    """The type of a vector of 16 elements."""

    def __init__(self, dtype):
        self.dtype = dtype
        super().__init__(name=f"lanes({dtype})")


floats, words = Lanes(types.float32), Lanes(types.uint32)


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):
    """How LLVM holds it."""

    def __init__(self, manager, lanes):
        super().__init__(manager, lanes, _FLOATS if lanes.dtype == types.float32 else _WORDS)


# -- what numpy says -----------------------------------------------------------------------------------------------


def splat(value):
    """Return 16 copies of a float."""
    return np.full(WIDTH, value, np.float32)


def load(tile, row, half):
    """Return one half of a row of a tile."""
    return tile[row, half * WIDTH : (half + 1) * WIDTH].copy()


def store(tile, row, half, lanes):
    """Write one half of a row of a tile."""
    tile[row, half * WIDTH : (half + 1) * WIDTH] = lanes


def add_product(x, y, total):
    """Return total + x * y of floats, rounded once: exact products (y is 0, -1, +1, -2 or +2) leave no difference."""
    return total + x * y


def shift_left(lanes, count):
    """Return words shifted to the left."""
    return lanes << np.uint32(count)


def shift_right(lanes, count):
    """Return words shifted to the right, zeros coming in."""
    return lanes >> np.uint32(count)


def rotate_left(lanes, count):
    """Return words rotated to the left."""
    return (lanes << np.uint32(count)) | (lanes >> np.uint32(32 - count))


def to_floats(lanes):
    """Return words below 2**31 as floats."""
    return lanes.astype(np.float32)


def clamp(lanes, low, high):
    """Return floats brought between low and high."""
    return np.minimum(np.maximum(lanes, np.float32(low)), np.float32(high))


def power_of_two(lanes):
    """Return 2**k for floats k that are whole numbers from -126 to 127."""
    return ((lanes.astype(np.int32) + 127) << 23).view(np.float32)


def choose_less(x, y, where, elsewhere):
    """Return `where` in the lanes in which x < y, else `elsewhere`."""
    return np.where(x < y, where, elsewhere)


def total(lanes):
    """Return the sum of 16 floats; exact for whole numbers."""
    return np.float32(lanes.sum())


# -- what it compiles to -------------------------------------------------------------------------------------------


def _operation(result, *operands):
    """Return a decorator that makes an intrinsic of `emit(builder, values)`, one instruction or a few."""

    def decorate(emit):
        def generate(_context, builder, _signature, values):
            return emit(builder, values)

        if len(operands) == 1:
            return intrinsic(lambda _typing, a: (result(*operands), generate))
        if len(operands) == 2:
            return intrinsic(lambda _typing, a, b: (result(*operands), generate))
        if len(operands) == 3:
            return intrinsic(lambda _typing, a, b, c: (result(*operands), generate))
        return intrinsic(lambda _typing, a, b, c, d: (result(*operands), generate))

    return decorate


def _repeat(builder, vector, value):
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(_INT, 0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(_INT, WIDTH), [0] * WIDTH))


def _same(vector, value):
    return ir.Constant(vector, [value] * WIDTH)


@_operation(floats, types.float32)
def _splat(builder, values):
    return _repeat(builder, _FLOATS, values[0])


@_operation(floats, floats, floats, floats)
def _add_product(builder, values):
    kind = ir.FunctionType(_FLOATS, [_FLOATS] * 3)
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{WIDTH}f32"), values)


@_operation(floats, floats, floats)
def _add_floats(builder, values):
    return builder.fadd(*values)


@_operation(floats, floats, floats)
def _subtract_floats(builder, values):
    return builder.fsub(*values)


@_operation(floats, floats, floats)
def _multiply_floats(builder, values):
    return builder.fmul(*values)


@_operation(words, words, words)
def _add_words(builder, values):
    return builder.add(*values)


@_operation(words, words, words)
def _exclusive_or(builder, values):
    return builder.xor(*values)


def _count(builder, count):
    return _repeat(builder, _WORDS, builder.trunc(count, _INT))


@_operation(words, words, types.intp)
def _shift_left(builder, values):
    return builder.shl(values[0], _count(builder, values[1]))


@_operation(words, words, types.intp)
def _shift_right(builder, values):
    return builder.lshr(values[0], _count(builder, values[1]))


@_operation(words, words, types.intp)
def _rotate_left(builder, values):
    count = _count(builder, values[1])
    back = builder.sub(_same(_WORDS, 32), count)
    return builder.or_(builder.shl(values[0], count), builder.lshr(values[0], back))


@_operation(floats, words)
def _to_floats(builder, values):
    return builder.sitofp(values[0], _FLOATS)


@_operation(floats, floats, types.float32, types.float32)
def _clamp(builder, values):
    x, low, high = values[0], _repeat(builder, _FLOATS, values[1]), _repeat(builder, _FLOATS, values[2])
    raised = builder.select(builder.fcmp_ordered("<", x, low), low, x)
    return builder.select(builder.fcmp_ordered(">", raised, high), high, raised)


@_operation(floats, floats)
def _power_of_two(builder, values):
    exponent = builder.add(builder.fptosi(values[0], _WORDS), _same(_WORDS, 127))
    return builder.bitcast(builder.shl(exponent, _same(_WORDS, 23)), _FLOATS)


@_operation(floats, floats, floats, floats, floats)
def _choose_less(builder, values):
    x, y, where, elsewhere = values
    return builder.select(builder.fcmp_ordered("<", x, y), where, elsewhere)


@_operation(types.float32, floats)
def _total(builder, values):
    lanes, undefined = values[0], ir.Constant(_FLOATS, ir.Undefined)
    for step in (8, 4, 2, 1):
        turned = [(k + step) % WIDTH for k in range(WIDTH)]
        mask = ir.Constant(ir.VectorType(_INT, WIDTH), turned)
        lanes = builder.fadd(lanes, builder.shuffle_vector(lanes, undefined, mask))
    return builder.extract_element(lanes, ir.Constant(_INT, 0))


def _address(context, builder, tile_type, values, vector):
    """Return a pointer to half a row of a C-ordered array of 32 columns; values begin with tile, row, half."""
    tile, row, half = values[0], values[1], values[2]
    data = context.make_array(tile_type)(context, builder, tile).data
    start = builder.add(builder.mul(row, ir.Constant(row.type, TILE)), builder.mul(half, ir.Constant(row.type, WIDTH)))
    return builder.bitcast(builder.gep(data, [start]), vector.as_pointer())


def _reader(lanes, vector):
    @intrinsic
    def read(_typing, tile, row, half):
        def generate(context, builder, signature, values):
            return builder.load(_address(context, builder, signature.args[0], values, vector), align=4)

        return lanes(tile, types.intp, types.intp), generate

    return read


def _writer(lanes, vector):
    @intrinsic
    def write(_typing, tile, row, half, value):
        def generate(context, builder, signature, values):
            builder.store(values[3], _address(context, builder, signature.args[0], values, vector), align=4)
            return context.get_dummy_value()

        return types.void(tile, types.intp, types.intp, lanes), generate

    return write


_read_floats, _write_floats = _reader(floats, _FLOATS), _writer(floats, _FLOATS)
_read_words, _write_words = _reader(words, _WORDS), _writer(words, _WORDS)


@overload(load)
def _overload_load(tile, row, half):
    if tile.dtype == types.float32:
        return lambda tile, row, half: _read_floats(tile, row, half)
    return lambda tile, row, half: _read_words(tile, row, half)


@overload(store)
def _overload_store(tile, row, half, lanes):
    if lanes == floats:
        return lambda tile, row, half, lanes: _write_floats(tile, row, half, lanes)
    return lambda tile, row, half, lanes: _write_words(tile, row, half, lanes)


@overload(operator.add)
def _overload_add(x, y):
    if x == floats and y == floats:
        return lambda x, y: _add_floats(x, y)
    if x == words and y == words:
        return lambda x, y: _add_words(x, y)
    return None


@overload(operator.sub)
def _overload_subtract(x, y):
    if x == floats and y == floats:
        return lambda x, y: _subtract_floats(x, y)
    return None


@overload(operator.mul)
def _overload_multiply(x, y):
    if x == floats and y == floats:
        return lambda x, y: _multiply_floats(x, y)
    return None


@overload(operator.xor)
def _overload_exclusive_or(x, y):
    if x == words and y == words:
        return lambda x, y: _exclusive_or(x, y)
    return None


overload(splat)(lambda value: lambda value: _splat(value))
overload(add_product)(lambda x, y, total: lambda x, y, total: _add_product(x, y, total))
overload(shift_left)(lambda lanes, count: lambda lanes, count: _shift_left(lanes, count))
overload(shift_right)(lambda lanes, count: lambda lanes, count: _shift_right(lanes, count))
overload(rotate_left)(lambda lanes, count: lambda lanes, count: _rotate_left(lanes, count))
overload(total)(lambda lanes: lambda lanes: _total(lanes))
overload(to_floats)(lambda lanes: lambda lanes: _to_floats(lanes))
overload(clamp)(lambda lanes, low, high: lambda lanes, low, high: _clamp(lanes, low, high))
overload(power_of_two)(lambda lanes: lambda lanes: _power_of_two(lanes))
overload(choose_less)(
    lambda x, y, where, elsewhere: lambda x, y, where, elsewhere: _choose_less(x, y, where, elsewhere)
)

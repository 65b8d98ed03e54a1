"""Thirty-two reads side by side: vectors of 32 floats, words or flags as values of compiled loops.

Every operation stands here twice: as numpy says it, which is what runs with NUMBA_DISABLE_JIT=1, and as the vector
instructions that it compiles to. LLVM splits a vector where the processor's are narrower. Multiplication and addition
are fused in `multiply_add` and nowhere else, so results do not depend on the processor.

An array of 32 columns holds a vector in a row. 32 flags are the bits of one word, the first lane the lowest.
"""

import operator

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

WIDTH = 32

_INT, _FLOAT = ir.IntType(32), ir.FloatType()
_WORDS, _FLOATS, _FLAGS = (ir.VectorType(kind, WIDTH) for kind in (_INT, _FLOAT, ir.IntType(1)))


class Lanes(types.Type):
    """The type of a vector of 32 elements."""

    def __init__(self, dtype):
        self.dtype = dtype
        super().__init__(name=f"lanes({dtype})")


floats, words, flags = Lanes(types.float32), Lanes(types.uint32), Lanes(types.boolean)
_VECTORS = {floats: _FLOATS, words: _WORDS, flags: _FLAGS}


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):
    """How LLVM holds it."""

    def __init__(self, manager, lanes):
        super().__init__(manager, lanes, _VECTORS[lanes])


# -- what numpy says -----------------------------------------------------------------------------------------------


def splat(value):
    """Return 32 copies of a float."""
    return np.full(WIDTH, value, np.float32)


def load(rows, row):
    """Return a row of an array of 32 columns."""
    return rows[row].copy()


def store(rows, row, lanes):
    """Write a row of an array of 32 columns."""
    rows[row] = lanes


def flags_of(word):
    """Return the bits of a word, the lowest first."""
    return ((word >> np.arange(WIDTH, dtype=np.uint32)) & 1).astype(bool)


def word_of(lanes):
    """Return the word whose bits are these flags."""
    return np.uint32((lanes.astype(np.uint64) << np.arange(WIDTH, dtype=np.uint64)).sum())


def multiply_add(x, y, z):
    """Return x * y + z of floats, rounded once."""
    return (x.astype(np.float64) * y + z).astype(np.float32)


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


def exponent(lanes):
    """Return k, as a float, of positive normal floats x = m 2**k with 1 <= m < 2."""
    return (np.frexp(lanes)[1] - 1).astype(np.float32)


def mantissa(lanes):
    """Return m of positive normal floats x = m 2**k with 1 <= m < 2."""
    return np.float32(2) * np.frexp(lanes)[0]


def less(x, y):
    """Return the flags of the lanes in which x < y."""
    return x < y


def choose(lanes, where, elsewhere):
    """Return `where` in the lanes whose flag is set, else `elsewhere`."""
    return np.where(lanes, where, elsewhere)


def count(word):
    """Return how many bits of a word are set."""
    return int(word).bit_count()


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


@_operation(floats, floats, floats)
def _add_floats(builder, values):
    return builder.fadd(*values)


@_operation(floats, floats, floats)
def _subtract_floats(builder, values):
    return builder.fsub(*values)


@_operation(floats, floats, floats)
def _multiply_floats(builder, values):
    return builder.fmul(*values)


@_operation(floats, floats, floats)
def _divide_floats(builder, values):
    return builder.fdiv(*values)


@_operation(floats, floats, floats, floats)
def _multiply_add(builder, values):
    kind = ir.FunctionType(_FLOATS, [_FLOATS] * 3)
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{WIDTH}f32"), values)


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


@_operation(floats, floats)
def _exponent(builder, values):
    raised = builder.lshr(builder.bitcast(values[0], _WORDS), _same(_WORDS, 23))
    return builder.sitofp(builder.sub(raised, _same(_WORDS, 127)), _FLOATS)


@_operation(floats, floats)
def _mantissa(builder, values):
    digits = builder.and_(builder.bitcast(values[0], _WORDS), _same(_WORDS, 0x7FFFFF))
    return builder.bitcast(builder.or_(digits, _same(_WORDS, 0x3F800000)), _FLOATS)


@_operation(flags, floats, floats)
def _less(builder, values):
    return builder.fcmp_ordered("<", *values)


@_operation(floats, flags, floats, floats)
def _choose(builder, values):
    return builder.select(*values)


@_operation(flags, types.uint32)
def _flags_of(builder, values):
    return builder.bitcast(values[0], _FLAGS)


@_operation(types.uint32, flags)
def _word_of(builder, values):
    return builder.bitcast(values[0], _INT)


@_operation(types.uint32, types.uint32)
def _count_bits(builder, values):
    return builder.ctpop(values[0])


def _address(context, builder, array_type, values, vector):
    """Return a pointer to a row of a C-ordered array of 32 columns; values begin with array, row."""
    data = context.make_array(array_type)(context, builder, values[0]).data
    start = builder.mul(values[1], ir.Constant(values[1].type, WIDTH))
    return builder.bitcast(builder.gep(data, [start]), vector.as_pointer())


def _reader(lanes):
    @intrinsic
    def read(_typing, rows, row):
        def generate(context, builder, signature, values):
            return builder.load(_address(context, builder, signature.args[0], values, _VECTORS[lanes]), align=4)

        return lanes(rows, types.intp), generate

    return read


def _writer(lanes):
    @intrinsic
    def write(_typing, rows, row, value):
        def generate(context, builder, signature, values):
            builder.store(values[2], _address(context, builder, signature.args[0], values, _VECTORS[lanes]), align=4)
            return context.get_dummy_value()

        return types.void(rows, types.intp, lanes), generate

    return write


_read_floats, _write_floats = _reader(floats), _writer(floats)
_read_words, _write_words = _reader(words), _writer(words)


@overload(load)
def _overload_load(rows, row):
    if rows.dtype == types.float32:
        return lambda rows, row: _read_floats(rows, row)
    return lambda rows, row: _read_words(rows, row)


@overload(store)
def _overload_store(rows, row, lanes):
    if lanes == floats:
        return lambda rows, row, lanes: _write_floats(rows, row, lanes)
    return lambda rows, row, lanes: _write_words(rows, row, lanes)


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


@overload(operator.truediv)
def _overload_divide(x, y):
    if x == floats and y == floats:
        return lambda x, y: _divide_floats(x, y)
    return None


@overload(operator.xor)
def _overload_exclusive_or(x, y):
    if x == words and y == words:
        return lambda x, y: _exclusive_or(x, y)
    return None


overload(splat)(lambda value: lambda value: _splat(value))
overload(flags_of)(lambda word: lambda word: _flags_of(word))
overload(word_of)(lambda lanes: lambda lanes: _word_of(lanes))
overload(multiply_add)(lambda x, y, z: lambda x, y, z: _multiply_add(x, y, z))
overload(shift_left)(lambda lanes, count: lambda lanes, count: _shift_left(lanes, count))
overload(shift_right)(lambda lanes, count: lambda lanes, count: _shift_right(lanes, count))
overload(rotate_left)(lambda lanes, count: lambda lanes, count: _rotate_left(lanes, count))
overload(to_floats)(lambda lanes: lambda lanes: _to_floats(lanes))
overload(clamp)(lambda lanes, low, high: lambda lanes, low, high: _clamp(lanes, low, high))
overload(power_of_two)(lambda lanes: lambda lanes: _power_of_two(lanes))
overload(exponent)(lambda lanes: lambda lanes: _exponent(lanes))
overload(mantissa)(lambda lanes: lambda lanes: _mantissa(lanes))
overload(less)(lambda x, y: lambda x, y: _less(x, y))
overload(choose)(lambda lanes, where, elsewhere: lambda lanes, where, elsewhere: _choose(lanes, where, elsewhere))
overload(count)(lambda word: lambda word: _count_bits(word))

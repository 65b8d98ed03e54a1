"""Rotation of the lowest six bits of a state vector, in registers.

Amplitudes whose indices differ in bit 0, 1 or 2 are neighbours within a vector of 8, and compilers make no vectors of
loops over so few. As in `_lanes`, the operation stands here twice: as numpy says it, which is what runs with
NUMBA_DISABLE_JIT=1, and as the vector instructions that it compiles to.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

NUM_BITS = 6
_LANES = 8
_VECTOR = ir.VectorType(ir.DoubleType(), _LANES)
_INDEX = ir.IntType(32)
# products and sums may be rounded once
_FUSED = ("contract",)


def rotate_six(re, im, start, cosines, sines):
    """Rotate bits 0 to 5 of the 64 amplitudes from `start` on, in place; see `statevector` for the rotation."""
    psi = re[start : start + 64] + 1j * im[start : start + 64]
    for bit in range(NUM_BITS):
        halves = psi.reshape(-1, 2, 1 << bit)
        psi = (cosines[bit] * halves + 1j * sines[bit] * halves[:, ::-1]).reshape(-1)
    re[start : start + 64], im[start : start + 64] = psi.real, psi.imag


def _splat(builder, value):
    first = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(_INDEX, 0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(_INDEX, _LANES), [0] * _LANES))


def _with_bit_flipped(builder, vector, bit):
    order = [lane ^ (1 << bit) for lane in range(_LANES)]
    return builder.shuffle_vector(vector, vector, ir.Constant(ir.VectorType(_INDEX, _LANES), order))


def _turned(builder, c, s, mine, other):
    """Return c mine + i s other, of (real, imaginary) pairs of vectors."""
    scaled = [builder.fmul(c, part, flags=_FUSED) for part in mine]
    crossed = [builder.fmul(s, part, flags=_FUSED) for part in reversed(other)]
    return builder.fsub(scaled[0], crossed[0], flags=_FUSED), builder.fadd(scaled[1], crossed[1], flags=_FUSED)


@intrinsic
def _rotate_in_registers(_typing, re, im, start, cosines, sines):
    def generate(context, builder, signature, values):
        arrays = [
            context.make_array(kind)(context, builder, value).data
            for kind, value in zip(signature.args[:2] + signature.args[3:], [*values[:2], *values[3:]], strict=True)
        ]

        def address(data, row):
            place = builder.add(values[2], ir.Constant(values[2].type, _LANES * row))
            return builder.bitcast(builder.gep(data, [place]), _VECTOR.as_pointer())

        def angle(bit):
            place = [ir.Constant(values[2].type, bit)]
            return [_splat(builder, builder.load(builder.gep(data, place))) for data in arrays[2:]]

        rows = [[builder.load(address(data, row), align=8) for data in arrays[:2]] for row in range(_LANES)]
        for bit in range(3):
            c, s = angle(bit)
            for k, row in enumerate(rows):
                other = [_with_bit_flipped(builder, part, bit) for part in row]
                rows[k] = _turned(builder, c, s, row, other)
        for bit in range(3):
            c, s = angle(3 + bit)
            for k in range(_LANES):
                pair = k ^ (1 << bit)
                if k < pair:
                    rows[k], rows[pair] = (
                        _turned(builder, c, s, rows[k], rows[pair]),
                        _turned(builder, c, s, rows[pair], rows[k]),
                    )
        for k, row in enumerate(rows):
            for data, part in zip(arrays[:2], row, strict=True):
                builder.store(part, address(data, k), align=8)
        return context.get_dummy_value()

    return types.void(re, im, types.intp, cosines, sines), generate


@overload(rotate_six)
def _overload_rotate_six(re, im, start, cosines, sines):
    return lambda re, im, start, cosines, sines: _rotate_in_registers(re, im, start, cosines, sines)

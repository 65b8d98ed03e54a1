"""The Hamiltonian of a transverse-field Ising model times a vector over basis states."""

from annealnn.kernels._compile import compiled

# basis states side by side whose share of three arrays stays in the second cache
_TILE = 16384
# basis states that lie together in memory and are taken together from far ones
_STRIP = 64
# below this distance between partners a slice costs more than it holds
_NARROW = 8


@compiled
def transverse_product(energies, problem, fields, parity, vector, out):
    """Write H v = problem E v - sum_i field_i X_i v, real, over basis states.

    Basis order: variable 0 is most significant. Two passes: X on the variables of one tile of basis states that lie
    together, then on those of higher order, strip by strip, so that either pass reads the vector once.

    energies E, vector and out (num_states,) float64; fields (num_variables,) float64. Where parity is 0, num_states is
    2**num_variables. Where it is +1 or -1, the vector is the half on which variable 0 is in basis digit 0, of one whose
    value at the complement of each basis state is parity times its own; num_states is 2**(num_variables - 1).
    """
    num_states, num_bits = vector.shape[0], fields.shape[0]
    if parity != 0:
        num_bits -= 1
    tile, num_low = 1, 0
    while tile < _TILE and num_low < num_bits:
        tile *= 2
        num_low += 1
    top = fields.shape[0] - 1
    for begin in range(0, num_states, tile):
        v, o, e = vector[begin : begin + tile], out[begin : begin + tile], energies[begin : begin + tile]
        if parity != 0:
            weight = parity * fields[0]
            mirrored = vector[num_states - begin - tile : num_states - begin]
            for z in range(tile):
                o[z] = problem * e[z] * v[z] - weight * mirrored[tile - 1 - z]
        else:
            for z in range(tile):
                o[z] = problem * e[z] * v[z]
        for bit in range(num_low):
            weight, span = fields[top - bit], 1 << bit
            if span < _NARROW:
                for z in range(tile):
                    o[z] -= weight * v[z ^ span]
                continue
            for first in range(0, tile, 2 * span):
                v0, v1 = v[first : first + span], v[first + span : first + 2 * span]
                o0, o1 = o[first : first + span], o[first + span : first + 2 * span]
                for z in range(span):
                    o0[z] -= weight * v1[z]
                    o1[z] -= weight * v0[z]
    num_rows = num_states // tile
    if num_rows == 1:
        return
    strip = min(_STRIP, tile)
    for column in range(0, tile, strip):
        for bit in range(num_low, num_bits):
            weight, span = fields[top - bit], 1 << (bit - num_low)
            for row in range(num_rows):
                here, there = row * tile + column, (row ^ span) * tile + column
                o, v = out[here : here + strip], vector[there : there + strip]
                for z in range(strip):
                    o[z] -= weight * v[z]

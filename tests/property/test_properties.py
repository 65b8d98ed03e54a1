"""What holds for every model, problem and embedding: found by hypothesis, shrunk to the least example that fails."""

import math
from functools import cache

import dimod
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from annealnn import IsingModel, TransverseIsing
from annealnn.embeddings import embed_structure
from annealnn.models import (
    Moments,
    Parameters,
    Structure,
    basis_digits_to_spins,
    bits_to_spins,
    spins_to_basis_digits,
    spins_to_bits,
)
from annealnn.models._exact import basis_energies, basis_spins
from annealnn.samplers import ExactSampler
from annealnn.testing._sampler_checks import rows_of

settings.register_profile("suite", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("suite")

values = st.floats(-4, 4, allow_nan=False, width=32)
labels = st.one_of(
    st.integers(0, 99), st.text("abcxyz", min_size=1, max_size=2), st.tuples(st.just("q"), st.integers(0, 9))
)


@st.composite
def models(draw, max_variables=6):
    """An Ising model of any graph, its variables named anyhow."""
    names = draw(st.lists(labels, min_size=1, max_size=max_variables, unique=True))
    n = len(names)
    every = [(i, j) for i in range(n) for j in range(i + 1, n)]
    edges = draw(st.lists(st.sampled_from(every), unique=True)) if every else []
    h = {v: draw(values) for v in names}
    J = {(names[i], names[j]): draw(values) for i, j in edges}
    return IsingModel(h, J, offset=draw(values))


def spins_of(n, rows=None):
    """Rows of n spins."""
    shape = (n,) if rows is None else st.tuples(st.integers(1, rows), st.just(n))
    return npst.arrays(np.int8, shape, elements=st.sampled_from([-1, 1]))


def by_hand(model, spins):
    """Eq. (1), term by term."""
    energy = model.offset - math.fsum(h * s for h, s in zip(model.h, spins, strict=True))
    for (i, j), coupling in zip(model.structure.edges, model.parameters.couplings, strict=True):
        energy -= coupling * spins[i] * spins[j]
    return energy


# -- energies and conversions ----------------------------------------------------------------------------------------


@given(st.data())
def test_energy_is_equation_one(data):
    model = data.draw(models())
    spins = data.draw(spins_of(model.structure.num_variables))
    assert math.isclose(model.energy(spins), by_hand(model, spins), abs_tol=1e-9)


@given(st.data())
def test_a_flip_costs_twice_the_local_field(data):
    model = data.draw(models())
    n = model.structure.num_variables
    spins, k = data.draw(spins_of(n)), data.draw(st.integers(0, n - 1))
    flipped = spins.copy()
    flipped[k] *= -1
    cost = 2 * spins[k] * (model.h[k] + model.J[k] @ spins)
    assert math.isclose(model.energy(flipped) - model.energy(spins), cost, abs_tol=1e-9)


@given(st.data())
def test_every_form_has_the_same_energy(data):
    model = data.draw(models())
    spins = data.draw(spins_of(model.structure.num_variables))
    bits = spins_to_bits(spins)
    expected, names = model.energy(spins), list(model.labels)
    assert math.isclose(model.to_bqm().energy((spins, names)), expected, abs_tol=1e-9)
    assert math.isclose(model.to_bqm("BINARY").energy((bits, names)), expected, abs_tol=1e-9)
    Q, offset = model.to_qubo()
    x = dict(zip(names, bits.tolist(), strict=True))
    assert math.isclose(offset + sum(w * x[u] * x[v] for (u, v), w in Q.items()), expected, abs_tol=1e-9)


@given(models(), st.sampled_from(["SPIN", "BINARY"]))
def test_there_and_back_is_the_same_model(model, vartype):
    back = IsingModel.from_bqm(model.to_bqm(vartype))
    assert back.labels == model.labels
    np.testing.assert_allclose(back.h, model.h, atol=1e-9)
    np.testing.assert_allclose(back.J, model.J, atol=1e-9)
    assert math.isclose(back.offset, model.offset, abs_tol=1e-9)


@given(models())
def test_dimod_has_the_opposite_sign_and_counts_each_pair_once(model):
    bqm = model.to_bqm()
    assert all(bqm.linear[v] == -h for v, h in zip(model.labels, model.h, strict=True))
    for (i, j), coupling in zip(model.structure.edges, model.parameters.couplings, strict=True):
        assert bqm.get_quadratic(model.labels[i], model.labels[j]) == -coupling
    assert bqm.num_interactions == model.structure.num_edges


@given(models(max_variables=4), st.floats(0.125, 2))
def test_exact_statistics_are_derivatives_of_log_z(model, beta):
    exact, step = model.exact(beta), 1e-5
    for k in range(model.structure.num_variables):
        shifted = [
            IsingModel.from_parameters(
                model.structure, Parameters(model.h + sign * step * np.eye(len(model.h))[k], model.parameters.couplings)
            )
            .exact(beta)
            .log_z
            for sign in (1, -1)
        ]
        assert math.isclose((shifted[0] - shifted[1]) / (2 * step * beta), exact.moments.spins[k], abs_tol=1e-6)


# -- gauges and relabelling ------------------------------------------------------------------------------------------


@given(st.data())
def test_a_gauge_moves_states_and_keeps_their_energies(data):
    model = data.draw(models())
    n = model.structure.num_variables
    gauge, spins = data.draw(spins_of(n)), data.draw(spins_of(n, rows=4))
    turned = model.gauged(gauge)
    np.testing.assert_allclose(turned.energy(spins * gauge), model.energy(spins), atol=1e-9)
    assert turned.gauged(gauge) == model
    assert math.isclose(turned.exact().log_z, model.exact().log_z, rel_tol=1e-12, abs_tol=1e-12)
    np.testing.assert_allclose(turned.exact().moments.spins, gauge * model.exact().moments.spins, atol=1e-9)


@given(st.data())
def test_a_gauge_is_dimods_flip(data):
    model = data.draw(models())
    gauge = data.draw(spins_of(model.structure.num_variables))
    bqm = model.to_bqm()
    for v, sign in zip(model.labels, gauge, strict=True):
        if sign < 0:
            bqm.flip_variable(v)
    assert bqm.is_almost_equal(model.gauged(gauge).to_bqm())


@given(st.data())
def test_the_order_of_variables_does_not_matter(data):
    model = data.draw(models())
    n = model.structure.num_variables
    order = data.draw(st.permutations(range(n)))
    names = [model.labels[k] for k in order]
    moved = IsingModel(model.h[order], model.J[np.ix_(order, order)], labels=names, offset=model.offset)
    spins = data.draw(spins_of(n, rows=4))
    np.testing.assert_allclose(moved.energy(spins[:, order]), model.energy(spins), atol=1e-9)
    np.testing.assert_allclose(moved.exact().moments.spins, model.exact().moments.spins[order], atol=1e-9)


@given(st.data())
def test_new_names_change_names_only(data):
    model = data.draw(models())
    n = model.structure.num_variables
    names = data.draw(st.lists(labels, min_size=n, max_size=n, unique=True))
    renamed = IsingModel(model.h, model.J, labels=names, offset=model.offset)
    first, second = (
        rows_of(ExactSampler().sample(m.to_bqm(), num_reads=8, seed=1), m.to_bqm()) for m in (model, renamed)
    )
    np.testing.assert_array_equal(first, second)


# -- encodings: lopsided on purpose, a swap of bit and basis digit shows -----------------------------------------------


@given(st.data())
def test_bits_spins_and_basis_digits(data):
    n = data.draw(st.integers(1, 8))
    spins = data.draw(spins_of(n, rows=3))
    bits, digits = spins_to_bits(spins), spins_to_basis_digits(spins)
    np.testing.assert_array_equal(bits, (1 + spins) // 2)
    np.testing.assert_array_equal(digits, (1 - spins) // 2)
    np.testing.assert_array_equal(bits + digits, 1)
    np.testing.assert_array_equal(bits_to_spins(bits), spins)
    np.testing.assert_array_equal(basis_digits_to_spins(digits), spins)


@given(st.integers(1, 8), st.data())
def test_basis_states_have_qubit_0_most_significant(n, data):
    state = data.draw(st.integers(0, 2**n - 1))
    digits = [int(c) for c in f"{state:0{n}b}"]
    np.testing.assert_array_equal(basis_spins(n, np.array([state]))[0], basis_digits_to_spins(np.array(digits)))


@given(models())
def test_basis_energies_are_those_of_basis_states(model):
    n = model.structure.num_variables
    energies = basis_energies(model.structure, model.parameters) + model.offset
    np.testing.assert_allclose(energies, model.energy(basis_spins(n)), atol=1e-9)


@given(models(max_variables=3), st.floats(0, 3, width=32), st.floats(0.125, 2, width=32))
def test_no_transverse_field_is_the_classical_model(model, gamma, beta):
    classical = model.exact(beta)
    quantum = TransverseIsing(model.h, model.J, 0.0).exact(beta)
    np.testing.assert_allclose(quantum.moments.spins, classical.moments.spins, atol=1e-9)
    # Peierls-Bogoliubov: a field that does not commute can only add to Z
    with_field = TransverseIsing(model.h, model.J, gamma).exact(beta)
    assert with_field.log_z >= classical.log_z - 1e-9


# -- embeddings ------------------------------------------------------------------------------------------------------


@cache
def embedded(n):
    return embed_structure(Structure.complete(n), "chimera-2")


sizes = st.integers(2, 6)


@given(sizes, st.data())
def test_encode_then_decode_is_the_identity(n, data):
    spins = data.draw(spins_of(n, rows=5))
    decoded = embedded(n).decode(embedded(n).encode(spins))
    np.testing.assert_array_equal(decoded.spins, spins)
    assert not decoded.broken.any()


@given(sizes, st.data())
def test_decoding_commutes_with_flipping_every_qubit(n, data):
    qubits = data.draw(spins_of(embedded(n).physical.num_variables, rows=4))
    one, other = embedded(n).decode(qubits), embedded(n).decode(-qubits)
    np.testing.assert_array_equal(one.spins, -other.spins)
    np.testing.assert_array_equal(one.broken, other.broken)


@given(sizes, st.data())
def test_a_minority_of_wrong_qubits_is_outvoted(n, data):
    part = embedded(n)
    spins = data.draw(spins_of(n))
    qubits = part.encode(spins[None])[0]
    for v, chain in enumerate(part.embedding.chains):
        wrong = data.draw(st.integers(0, (len(chain) - 1) // 2))
        mine = np.flatnonzero(part.chain_of == v)
        qubits[mine[:wrong]] *= -1
    np.testing.assert_array_equal(part.decode(qubits[None]).spins[0], spins)


@given(sizes, st.data())
def test_intact_chains_feel_the_collapsed_model(n, data):
    part = embedded(n)
    shape = part.physical.num_variables, part.physical.num_edges
    physical = Parameters(*(data.draw(npst.arrays(np.float64, k, elements=values)) for k in shape))
    rows = data.draw(spins_of(n, rows=4))
    gap = part.physical.energies(physical, part.encode(rows)) - part.source.energies(part.collapse(physical), rows)
    np.testing.assert_allclose(gap, -physical.couplings[part.in_chain].sum(), atol=1e-9)


@given(sizes, st.data())
def test_spread_then_collapse_is_the_identity(n, data):
    part = embedded(n)
    logical = Parameters(*(data.draw(npst.arrays(np.float64, k, elements=values)) for k in (n, part.source.num_edges)))
    back = part.collapse(part.spread(logical, chain_coupling=2.0))
    np.testing.assert_allclose(back.fields, logical.fields, atol=1e-9)
    np.testing.assert_allclose(back.couplings, logical.couplings, atol=1e-9)


@given(sizes, st.data())
def test_encoded_moments_are_those_of_encoded_rows(n, data):
    part = embedded(n)
    rows = data.draw(spins_of(n, rows=6))
    found: Moments = part.encode_moments(part.source.moments_of(rows))
    expected = part.physical.moments_of(part.encode(rows))
    np.testing.assert_allclose(found.spins, expected.spins, atol=1e-12)
    np.testing.assert_allclose(found.pairs, expected.pairs, atol=1e-12)


@given(models(), st.integers(0, 2**31))
def test_reads_carry_their_own_energies(model, seed):
    bqm = model.to_bqm()
    found = ExactSampler().sample(bqm, num_reads=5, seed=seed)
    dimod.testing.assert_sampleset_energies(found, bqm, precision=5)

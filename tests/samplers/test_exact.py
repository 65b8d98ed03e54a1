"""The oracle by both methods: against each other, transfer matrices, and dwave-samplers' own tree decomposition."""

import json
from itertools import pairwise

import dimod
import networkx as nx
import numpy as np
import pytest
from dwave.samplers import TreeDecompositionSampler

from annealnn import BoltzmannMachine, ExactSampler, IsingModel
from annealnn.models import Clamp, Parameters, Structure
from annealnn.samplers import _tree, streams_from_seed
from annealnn.samplers._exact import CompiledExact, Enumeration
from annealnn.samplers._tree import TreeDecomposition
from annealnn.testing import boltzmann_pvalue

FALSE_ALARM = 1e-6  # per test, by design; seeds are fixed, so a pass stays a pass


def random_parameters(structure, seed, scale=1.0):
    rng = np.random.default_rng(seed)
    return Parameters(rng.normal(size=structure.num_variables), scale * rng.normal(size=structure.num_edges))


def structure_of(graph):
    return Structure.from_edges(graph.nodes, graph.edges)


def random_tree_like(num_variables, num_edges, seed):
    """Return a random sparse graph, edges given in any order and direction."""
    rng = np.random.default_rng(seed)
    graph = nx.gnm_random_graph(num_variables, num_edges, seed=seed)
    pairs = np.array(graph.edges, dtype=np.intp).reshape(-1, 2)
    return Structure(num_variables, rng.permutation(rng.permuted(pairs, axis=1)))


def grid(height, width):
    return structure_of(nx.convert_node_labels_to_integers(nx.grid_2d_graph(height, width), ordering="sorted"))


def chain(num_variables):
    return Structure(num_variables, np.column_stack([np.arange(num_variables - 1), np.arange(1, num_variables)]))


SMALL = [
    *(pytest.param(random_tree_like(12, m, seed=m), id=f"12 variables, {m} edges") for m in (0, 5, 11, 15, 24)),
    pytest.param(Structure.complete(9), id="complete"),
    pytest.param(grid(3, 4), id="grid"),
    pytest.param(Structure(7, np.array([[5, 1], [1, 3], [3, 5], [2, 6]])), id="a triangle, a pair, two alone"),
    pytest.param(Structure(0, np.empty((0, 2), int)), id="none"),
    pytest.param(Structure(1, np.empty((0, 2), int)), id="one"),
]


@pytest.mark.parametrize("beta", [0.0, 0.7, 5.0])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("structure", SMALL)
def test_tree_decomposition_equals_enumeration(structure, sign, beta):
    p = random_parameters(structure, seed=1)
    p = Parameters(p.fields, sign * p.couplings)
    tree, table = (method(structure).solve(p, beta) for method in (TreeDecomposition, Enumeration))
    assert tree.log_z == pytest.approx(table.log_z, rel=1e-12, abs=1e-9)
    for found, wanted in zip(tree.moments(), table.moments(), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-9)


@pytest.mark.parametrize("structure", SMALL)
def test_enumeration_equals_a_plain_sum(structure):
    p, n = random_parameters(structure, seed=2), structure.num_variables
    spins = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n - 1, -1, -1)) & 1)
    weights = np.exp(-0.6 * structure.energies(p, spins))
    found = Enumeration(structure).solve(p, 0.6)
    assert found.log_z == pytest.approx(np.log(weights.sum()), abs=1e-9)
    moments, weights = found.moments(), weights / weights.sum()
    np.testing.assert_allclose(moments.spins, weights @ spins, atol=1e-12)
    heads, tails = structure.edges.T
    np.testing.assert_allclose(moments.pairs, weights @ (spins[:, heads] * spins[:, tails]), atol=1e-12)


@pytest.mark.parametrize(
    ("structure", "width"),
    [(chain(200), 1), (grid(2, 100), 2), (grid(8, 30), 11), (grid(12, 50), 13), (Structure.complete(20), 19)],
    ids=repr,
)
def test_widths_are_small_where_they_can_be(structure, width):
    # min-fill alone finds 18 for the last grid
    assert TreeDecomposition(structure).width <= width


def test_a_star_of_many_leaves_is_one_wide():
    # to price every leaf again at each step would take most of a minute
    hub = Structure(3001, np.column_stack([np.zeros(3000, int), np.arange(1, 3001)]))
    tree = TreeDecomposition(hub)
    assert tree.width == 1
    couplings = random_parameters(hub, seed=17).couplings
    found = tree.solve(Parameters(np.zeros(3001), couplings), 0.7)
    assert found.log_z == pytest.approx(np.log(2) + np.log(2 * np.cosh(0.7 * couplings)).sum(), rel=1e-12)


@pytest.mark.parametrize("structure", [grid(5, 8), random_tree_like(40, 60, seed=18)], ids=repr)
def test_prices_are_kept_up_as_the_graph_changes(structure):
    near = {v: set() for v in range(structure.num_variables)}
    for u, v in structure.edges.tolist():
        near[u].add(v)
        near[v].add(u)
    # every price anew at each step
    wanted = []
    while near:
        v = min(near, key=lambda u: (sum(len(near[u] - near[w]) - 1 for w in near[u]), u))
        around = near.pop(v)
        for u in around:
            near[u] = (near[u] | around) - {u, v}
        wanted.append(v)
    assert _tree.eliminate(structure, _tree.fill).order == wanted


@pytest.mark.parametrize("beta", [0.3, 1.0])
def test_ladder_equals_transfer_matrices(beta):
    # 100 rungs of 2: sums over the 4 states of a rung, one rung after another, from either side
    rungs, structure = 100, grid(2, 100)
    p = random_parameters(structure, seed=3)
    coupling = structure.dense(p.couplings)
    states = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    pairs = np.arange(200).reshape(2, rungs).T
    own = np.exp(beta * np.array([states @ p.fields[ab] + coupling[tuple(ab)] * states.prod(1) for ab in pairs]))
    steps = [np.exp(beta * (states * coupling[ab, cd]) @ states.T) for ab, cd in pairwise(pairs)]
    left, right = [own[0]], [np.ones(4)]
    for k in range(rungs - 1):
        left.append((left[-1] @ steps[k]) * own[k + 1])
        right.append(steps[-1 - k] @ (own[-1 - k] * right[-1]))
    z = left[-1].sum()
    found = TreeDecomposition(structure).solve(p, beta)
    assert found.log_z == pytest.approx(np.log(z), rel=1e-12)
    marginals = np.array([a * b for a, b in zip(left, right[::-1], strict=True)]) / z
    moments = found.moments()
    np.testing.assert_allclose(moments.spins[pairs], marginals @ states, atol=1e-9)
    edge_of = {tuple(edge): e for e, edge in enumerate(structure.edges.tolist())}
    for k, ab in enumerate(pairs):
        assert moments.pairs[edge_of[tuple(ab.tolist())]] == pytest.approx(marginals[k] @ states.prod(1), abs=1e-9)


def test_chain_equals_the_closed_form():
    # without fields: Z = 2 prod 2 cosh J, <s_i s_i+1> = tanh J
    structure = chain(200)
    couplings = random_parameters(structure, seed=4).couplings
    found = TreeDecomposition(structure).solve(Parameters(np.zeros(200), couplings), 1.5)
    assert found.log_z == pytest.approx(np.log(2) + np.log(2 * np.cosh(1.5 * couplings)).sum(), rel=1e-12)
    np.testing.assert_allclose(found.moments().pairs, np.tanh(1.5 * couplings), atol=1e-9)
    np.testing.assert_allclose(found.moments().spins, 0, atol=1e-9)


@pytest.mark.parametrize("structure", [grid(8, 12), random_tree_like(40, 50, seed=5)], ids=repr)
@pytest.mark.parametrize("beta", [0.5, 1.3])
def test_equals_the_sampler_of_dwave(structure, beta):
    model = IsingModel.from_parameters(structure, random_parameters(structure, seed=6))
    theirs = TreeDecompositionSampler().sample(model.to_bqm(), beta=beta, seed=1).info
    ours = TreeDecomposition(structure).solve(model.parameters, beta)
    assert ours.log_z == pytest.approx(theirs["log_partition_function"], rel=1e-12)
    moments = ours.moments()
    ups = [theirs["variable_marginals"][v] for v in structure.labels]
    np.testing.assert_allclose(moments.spins, 2 * np.array(ups) - 1, atol=1e-9)
    joint = {
        frozenset(uv): sum(s * t * p for (s, t), p in of.items()) for uv, of in theirs["interaction_marginals"].items()
    }
    np.testing.assert_allclose(moments.pairs, [joint[frozenset(e)] for e in structure.edges.tolist()], atol=1e-9)


def test_tree_reads_match_boltzmann_and_the_check_has_teeth():
    structure = Structure.from_edges("abcdefg", ["ab", "cb", "ca", "cd", "ef"])
    model = IsingModel.from_parameters(structure, random_parameters(structure, seed=7))
    bqm, beta = model.to_bqm(), 0.8
    spins = TreeDecomposition(structure).solve(model.parameters, beta).draw(streams_from_seed(1, 40_000))
    reads = dimod.SampleSet.from_samples_bqm((spins, "abcdefg"), bqm)
    assert boltzmann_pvalue(reads, bqm, beta) > FALSE_ALARM
    assert boltzmann_pvalue(reads, bqm, 1.1 * beta) < FALSE_ALARM
    assert boltzmann_pvalue(reads, bqm * -1, beta) < FALSE_ALARM
    swapped = bqm.relabel_variables({"a": "b", "b": "a"}, inplace=False)
    assert boltzmann_pvalue(reads, swapped, beta) < FALSE_ALARM


def test_reads_of_a_long_problem_match_its_moments():
    structure = grid(4, 30)
    p = random_parameters(structure, seed=8)
    exact = TreeDecomposition(structure).solve(p, 0.7)
    drawn = structure.moments_of(exact.draw(streams_from_seed(2, 20_000)))
    for found, wanted in zip(drawn, exact.moments(), strict=True):
        # 120 + 206 means; the largest of so many passes 6 standard errors about once in a million runs
        error = np.sqrt((1 - wanted**2) / 20_000) + 1e-4
        assert (np.abs(found - wanted) / error).max() < 6
        assert (np.abs(found + wanted) / error).max() > 6


@pytest.fixture(scope="module")
def long_bqm():
    structure = grid(3, 20)
    return IsingModel.from_parameters(structure, random_parameters(structure, seed=9), 0.25).to_bqm()


def test_the_public_door_takes_problems_beyond_enumeration(long_bqm):
    found = ExactSampler().sample(long_bqm, num_reads=50, beta=0.9, seed=4)
    assert found.info["method"] == "tree decomposition"
    theirs = TreeDecompositionSampler().sample(long_bqm, beta=0.9).info["log_partition_function"]
    assert json.loads(json.dumps(found.info))["log_z"] == pytest.approx(theirs + 0.9 * 0.25, rel=1e-12)
    dimod.testing.assert_sampleset_energies(found, long_bqm)
    small = ExactSampler().sample(dimod.BQM({"a": 1.0}, {}, 3.0, "SPIN"), seed=4)
    assert small.info["method"] == "enumeration"
    assert small.info["log_z"] == pytest.approx(np.log(2 * np.cosh(1.0)))


def test_tree_reads_replay_and_the_first_are_kept(long_bqm, monkeypatch):
    def reads(bqm, num_reads, seed=4):
        found = ExactSampler().sample(bqm, num_reads=num_reads, seed=seed)
        return found.record.sample[:, [found.variables.index(v) for v in bqm.variables]] > 0

    fifty = reads(long_bqm, 50)
    np.testing.assert_array_equal(fifty, reads(long_bqm, 50))
    np.testing.assert_array_equal(fifty[:5], reads(long_bqm, 5))
    assert (fifty != reads(long_bqm, 50, seed=5)).any()
    binary = long_bqm.change_vartype("BINARY", inplace=False)
    np.testing.assert_array_equal(fifty, reads(binary, 50))
    names = {v: ("z", 100 - k) for k, v in enumerate(long_bqm.variables)}
    np.testing.assert_array_equal(fifty, reads(long_bqm.relabel_variables(names, inplace=False), 50))
    # blocks of reads do not show
    monkeypatch.setattr(_tree, "_MOST_UNIFORMS", 7 * 60)
    np.testing.assert_array_equal(fifty, reads(long_bqm, 50))


@pytest.mark.parametrize("method", [Enumeration, TreeDecomposition])
def test_large_beta_does_not_overflow(method):
    structure = grid(3, 4)
    model = IsingModel.from_parameters(structure, random_parameters(structure, seed=10))
    ground = dimod.ExactSolver().sample(model.to_bqm()).first
    wanted = [ground.sample[v] for v in structure.labels]
    for beta in (1e3, 1e9, 1e200):
        exact = method(structure).solve(model.parameters, beta)
        assert exact.log_z == pytest.approx(-beta * ground.energy, rel=1e-9)
        np.testing.assert_allclose(exact.moments().spins, wanted, atol=1e-9)
        assert (exact.draw(streams_from_seed(1, 20)) == wanted).all()
    with pytest.raises(ValueError, match=r"finite number; got beta=1e\+308"):
        method(structure).solve(model.parameters, 1e308)


def test_wide_problems_are_refused():
    bqm = IsingModel(np.zeros(30), np.triu(np.ones((30, 30)), 1)).to_bqm()
    with pytest.raises(
        ValueError, match=r"24 variables .* got 30 variables and a width of at least 29. Sample instead"
    ):
        ExactSampler().sample(bqm)
    with pytest.raises(ValueError, match="Sample instead, with GibbsSampler"):
        ExactSampler().compile(Structure.complete(30))
    # narrow enough, and yet too many wide bags
    with pytest.raises(ValueError, match=r"got 400 variables and a width of 20, with tables of 0.57 GiB"):
        ExactSampler().compile(grid(20, 20))


CLAMPED = [
    pytest.param(random_tree_like(10, 14, seed=11), np.array([7, 2, 4]), id="enumeration"),
    pytest.param(grid(2, 15), np.array([20, 3]), id="tree decomposition"),
]


@pytest.mark.parametrize(("structure", "held"), CLAMPED)
def test_clamped_moments_are_conditional_and_exact(structure, held):
    p, beta = random_parameters(structure, seed=12), 0.8
    rows = np.random.default_rng(0).choice(np.array([-1, 1], np.int8), (3, len(held)))[[0, 1, 1, 2, 0, 0]]
    compiled = ExactSampler().compile(structure, want="moments", beta=beta)
    step = compiled.step(p, compiled.init(6, 1), Clamp(held, rows))
    np.testing.assert_array_equal(step.spins[:, held], rows)
    # a field that no thermal flip can beat holds a variable too
    means = []
    for row in rows:
        fields = p.fields.copy()
        fields[held] = 1e4 * row
        means.append(TreeDecomposition(structure).solve(Parameters(fields, p.couplings), beta).moments())
    for k in range(2):
        np.testing.assert_allclose(step.moments[k], np.mean([m[k] for m in means], axis=0), atol=1e-9)
    # another set of variables is another conditional
    step = compiled.step(p, compiled.init(6, 1), Clamp(held[::-1], rows))
    np.testing.assert_array_equal(step.spins[:, held[::-1]], rows)


def test_one_object_may_be_stepped_from_threads_with_clamps_of_their_own(monkeypatch):
    structure = chain(12)
    p, rows = random_parameters(structure, seed=19), np.ones((4, 2), np.int8)
    one, other = (Clamp(np.array(held), rows) for held in ([0, 5], [3, 9]))

    def step(compiled, clamp):
        return compiled.step(p, compiled.init(4, 1), clamp).moments.pairs

    wanted = step(ExactSampler().compile(structure, want="moments"), one)
    compiled = ExactSampler().compile(structure, want="moments")
    held, pending = {"conditional": {}}, [other]

    def store(self, value):
        held["conditional"] = value
        if value and pending:
            # another thread gets its turn here, and steps
            step(self, pending.pop())

    monkeypatch.setattr(CompiledExact, "_conditionals", property(lambda _: held["conditional"], store), raising=False)
    np.testing.assert_array_equal(step(compiled, one), wanted)
    assert not pending


def test_clamped_tree_reads_match_the_conditional():
    structure = chain(40)
    p = random_parameters(structure, seed=13)
    compiled = ExactSampler().compile(structure)
    held = np.setdiff1d(np.arange(40), [5, 6, 7, 20, 21, 22, 23, 39])
    values = np.where(np.arange(40) % 3 == 0, -1, 1).astype(np.int8)
    step = compiled.step(p, compiled.init(20_000, 3), Clamp(held, np.tile(values[held], (20_000, 1))))
    assert step.info["method"] == "tree decomposition"
    rest = IsingModel.from_parameters(structure, p).to_bqm()
    rest.fix_variables({int(v): int(values[v]) for v in held})
    reads = dimod.SampleSet.from_samples_bqm((step.spins[:, list(rest.variables)], list(rest.variables)), rest)
    assert boltzmann_pvalue(reads, rest, 1.0) > FALSE_ALARM
    assert boltzmann_pvalue(reads, rest, 1.2) < FALSE_ALARM


def test_clamped_visible_units_leave_many_hidden_ones_alone():
    # 30 hidden units, too many to enumerate for every row, are independent given the visible ones
    graph = nx.complete_bipartite_graph(6, 30)
    structure, visible = structure_of(graph), np.arange(6)
    p = random_parameters(structure, seed=16)
    rows = np.random.default_rng(1).choice(np.array([-1, 1], np.int8), (40, 6))
    compiled = ExactSampler().compile(structure, want="moments")
    moments = compiled.step(p, compiled.init(40, 0), Clamp(visible, rows)).moments
    hidden = np.tanh(rows @ structure.dense(p.couplings)[:6, 6:] + p.fields[6:])
    np.testing.assert_allclose(moments.spins[6:], hidden.mean(axis=0), atol=1e-12)
    heads, tails = structure.edges.T
    np.testing.assert_allclose(moments.pairs, (rows[:, heads] * hidden[:, tails - 6]).mean(axis=0), atol=1e-12)


def test_moments_come_without_reads():
    structure = grid(2, 20)
    p = random_parameters(structure, seed=14)
    compiled = ExactSampler().compile(structure, want="moments", beta=0.4)
    step = compiled.step(p, compiled.init(1, 0))
    assert step.spins is None
    wanted = TreeDecomposition(structure).solve(p, 0.4)
    np.testing.assert_array_equal(step.moments.pairs, wanted.moments().pairs)
    assert step.info == {"method": "tree decomposition", "log_z": wanted.log_z}


def test_a_machine_learns_exactly_beyond_enumeration():
    # a chain's couplings are known in closed form: J = artanh <s_i s_i+1> at zero means
    n, n_rows = 30, 2000
    rng = np.random.default_rng(0)
    spins = np.cumprod(np.where(rng.random((n_rows, n)) < 0.7, 1, -1), axis=1)
    spins = np.vstack([spins, -spins])
    bits = (1 + spins) // 2
    edges = [(k, k + 1) for k in range(n - 1)]
    machine = BoltzmannMachine(edges, sampler="exact", n_iter=150, learning_rate=0.3, random_state=0, progress=False)
    couplings = machine.fit(bits).model_.parameters.couplings
    np.testing.assert_allclose(couplings, np.arctanh((spins[:, 1:] * spins[:, :-1]).mean(axis=0)), atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("structure", [Structure.complete(24), grid(4, 6)], ids=repr)
def test_enumerates_24_variables(structure):
    p = random_parameters(structure, seed=15, scale=0.3)
    model = IsingModel.from_parameters(structure, p)
    exact, tree = model.exact(0.7), TreeDecomposition(structure).solve(p, 0.7)
    assert exact.log_z == pytest.approx(tree.log_z, rel=1e-12)
    for found, wanted in zip(exact.moments, tree.moments(), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-9)
    assert exact.probabilities.shape == (2**24,)
    drawn = ExactSampler().sample(model.to_bqm(), num_reads=10_000, beta=0.7, seed=1)
    assert drawn.info["method"] == "enumeration"
    error = np.sqrt((1 - exact.moments.spins**2) / 10_000)
    columns = [drawn.variables.index(v) for v in model.labels]
    assert (np.abs(drawn.record.sample[:, columns].mean(axis=0) - exact.moments.spins) < 6 * error).all()


def test_many_variables_without_an_edge():
    bqm = dimod.BQM({k: 0.1 * k for k in range(25)}, {}, 0.0, "SPIN")
    found = ExactSampler().sample(bqm, num_reads=3, seed=0)
    assert found.info["log_z"] == pytest.approx(np.log(2 * np.cosh(0.1 * np.arange(25))).sum())

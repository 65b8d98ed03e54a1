"""ln Z: exact where that is quick, else from below and from above. Statistical bounds are 5 sigma, false alarm 6e-7."""

import numpy as np
import pytest

from annealnn import IsingModel
from annealnn.learning import likelihood, log_partition
from annealnn.learning.likelihood import reverse_log_partition
from annealnn.models import Parameters, Structure
from annealnn.samplers import ExactSampler


def restricted(num_visible, num_hidden):
    """Return the graph of a restricted machine."""
    pairs = np.indices((num_visible, num_hidden)).reshape(2, -1).T
    return Structure(num_visible + num_hidden, pairs + np.array([0, num_visible]))


def random_parameters(structure, scale, seed=0):
    rng = np.random.default_rng(seed)
    return Parameters(rng.normal(0.2, 0.5, structure.num_variables), rng.normal(0.1, scale, structure.num_edges))


# dense and in the block form; restricted, its hidden units summed out; sparse
GRAPHS = {
    "complete": (Structure.complete(18), 0.25),
    "restricted": (restricted(8, 12), 0.5),
    "ladder": (Structure(20, [[i, i + 1] for i in range(19)] + [[i, i + 2] for i in range(18)]), 0.6),
}


@pytest.fixture(params=GRAPHS)
def machine(request):
    structure, scale = GRAPHS[request.param]
    parameters = random_parameters(structure, scale)
    exact = IsingModel.from_parameters(structure, parameters).exact()
    return structure, parameters, exact


@pytest.mark.parametrize("num_steps", [3, 30, 300])
def test_forward_and_reverse_bracket_the_exact_value(machine, num_steps):
    structure, parameters, exact = machine
    compiled = ExactSampler().compile(structure)
    reads = compiled.step(parameters, compiled.init(1000, 3)).spins
    start = 0.5 * exact.moments.spins
    options = {"num_steps": num_steps, "start_means": start, "seed": 5}
    low = log_partition(structure, parameters, exact=False, num_runs=1000, **options)
    high = reverse_log_partition(structure, parameters, reads, **options)
    # the mean weights are without bias; their logarithms nearly, where errors are small
    for found in (low, high):
        assert "annealed importance" in found.method
        if found.standard_error < 0.1:
            assert abs(found.value - exact.log_z) < 5 * found.standard_error
    assert low.value - 5 * low.standard_error < exact.log_z < high.value + 5 * high.standard_error
    if num_steps == 300:
        assert high.standard_error < 0.05
        assert low.standard_error < 0.05
        wrong = parameters._replace(fields=parameters.fields + 0.1)
        for found in (
            log_partition(structure, wrong, exact=False, num_runs=1000, **options),
            reverse_log_partition(structure, wrong, reads, **options),
        ):
            assert abs(found.value - exact.log_z) > 5 * found.standard_error


def test_few_steps_and_runs_are_below_and_above(machine):
    structure, parameters, exact = machine
    compiled = ExactSampler().compile(structure)
    reads = compiled.step(parameters, compiled.init(400, 3)).spins.reshape(80, 5, -1)
    low, high = [], []
    for seed in range(80):
        low.append(log_partition(structure, parameters, exact=False, num_runs=5, num_steps=3, seed=seed).value)
        high.append(reverse_log_partition(structure, parameters, reads[seed], num_steps=3, seed=seed).value)
    for values, sign in ((low, -1), (high, 1)):
        gap = sign * (np.array(values) - exact.log_z)
        assert gap.mean() > 5 * gap.std() / 80**0.5


def test_summing_spins_out_lowers_the_error(monkeypatch):
    structure = restricted(12, 24)
    parameters = random_parameters(structure, 0.4)
    options = {"exact": False, "num_runs": 2000, "num_steps": 50}
    summed = log_partition(structure, parameters, **options)
    order = likelihood._annealed.summed_first(structure)[0]
    monkeypatch.setattr(likelihood._annealed, "summed_first", lambda _: (order, 0))
    plain = log_partition(structure, parameters, **options)
    assert abs(plain.value - summed.value) < 5 * np.hypot(plain.standard_error, summed.standard_error)
    assert summed.standard_error < 0.85 * plain.standard_error


def test_spins_that_are_summed_out_are_not_coupled(machine):
    structure = machine[0]
    order, num_summed = likelihood._annealed.summed_first(structure)
    assert sorted(order) == list(range(structure.num_variables))
    assert num_summed >= 1
    assert not np.isin(structure.edges, order[:num_summed]).all(axis=1).any()
    assert likelihood._annealed.summed_first(restricted(5, 9))[1] == 9


def test_narrow_graphs_are_summed_exactly():
    structure = restricted(5, 200)
    parameters = random_parameters(structure, 0.4)
    found = log_partition(structure, parameters)
    assert (found.standard_error, found.method) == (0.0, "tree decomposition")
    visible = np.array(np.meshgrid(*[[-1, 1]] * 5)).reshape(5, -1).T
    by_rows = likelihood.free_energies(structure, parameters, visible)
    assert found.value == pytest.approx(np.logaddexp.reduce(-by_rows), rel=1e-12)
    estimate = log_partition(structure, parameters, exact=False, num_runs=500, num_steps=300)
    assert abs(estimate.value - found.value) < 5 * estimate.standard_error


def test_extreme_parameters_and_graphs_without_couplings():
    structure = Structure(20, np.zeros((0, 2), int))
    fields = np.linspace(-30, 30, 20)
    want = np.logaddexp(fields, -fields).sum()
    start = np.tanh(0.5 * fields)
    found = log_partition(structure, Parameters(fields, np.zeros(0)), exact=False, num_runs=4, start_means=start)
    assert found.value == pytest.approx(want, abs=1e-3)
    # two states, all up and all down; runs that start between them fall short, and none goes beyond
    big = Parameters(np.zeros(18), np.full(153, 50.0))
    found = log_partition(Structure.complete(18), big, exact=False, num_steps=200)
    assert 0 < 153 * 50 + np.log(2) - found.value < 100


def test_the_same_for_any_number_of_threads():
    structure, scale = GRAPHS["complete"]
    parameters = random_parameters(structure, scale)
    options = {"exact": False, "num_runs": 200, "num_steps": 50}
    assert log_partition(structure, parameters, num_threads=1, **options) == log_partition(
        structure, parameters, num_threads=2, **options
    )


def test_progress_is_told_and_an_interrupt_is_raised():
    structure, scale = GRAPHS["complete"]
    parameters, told = random_parameters(structure, scale), []
    quiet = log_partition(structure, parameters, exact=False, num_steps=100)
    shown = log_partition(
        structure, parameters, exact=False, num_steps=100, progress=lambda done, total: told.append((done, total))
    )
    assert shown == quiet
    assert told[-1] == (50_000, 50_000)

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        log_partition(structure, parameters, exact=False, num_steps=100_000, progress=interrupt)


def test_what_cannot_be_done_is_said():
    structure, scale = GRAPHS["complete"]
    parameters = random_parameters(structure, scale)
    with pytest.raises(ValueError, match=r"width 16; got Structure\(18 variables, 153 edges\)"):
        log_partition(structure, parameters, exact=True)
    with pytest.raises(ValueError, match=r"start_means .* shape \(18,\); got"):
        log_partition(structure, parameters, start_means=np.zeros(3))
    with pytest.raises(ValueError, match=r"spins, -1 or \+1; got 0"):
        reverse_log_partition(structure, parameters, np.zeros((5, 18)))
    with pytest.raises(ValueError, match=r"shape \(num_rows, 18\); got shape \(5, 4\)"):
        reverse_log_partition(structure, parameters, np.ones((5, 4)))
    with pytest.raises(ValueError, match="number of reads is a whole number of at least 2; got 1"):
        reverse_log_partition(structure, parameters, np.ones((1, 18)))

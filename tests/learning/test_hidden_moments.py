"""Moments with hidden units summed over: the fast way equals the plain one."""

import numpy as np
import pytest

from annealnn import RestrictedBoltzmannMachine
from annealnn.learning import FactorisedPhase, HiddenFields
from annealnn.models import Parameters


@pytest.mark.parametrize("lateral", [False, True])
@pytest.mark.parametrize("num_hidden", [3, 64, 70])
def test_moments_given_visible_spins_are_those_of_the_exact_means(lateral, num_hidden):
    num_visible, rng = 6, np.random.default_rng(1)
    structure = RestrictedBoltzmannMachine(num_hidden, lateral=lateral)._graph_of(num_visible)
    parameters = Parameters(rng.normal(size=structure.num_variables), rng.normal(size=structure.num_edges))
    spins = rng.choice(np.array([-1, 1], np.int8), (50, structure.num_variables))
    hidden, rows = HiddenFields(structure, num_visible), spins[:, :num_visible].astype(np.float64)
    expected = hidden.moments(rows, hidden.means(parameters, rows))
    phase = FactorisedPhase(structure, num_visible)
    for found in (
        hidden.moments_given(parameters, spins),
        phase.run(parameters, spins[:, :num_visible], None, 0).moments,
    ):
        np.testing.assert_allclose(found.spins, expected.spins, rtol=0, atol=3e-6)
        np.testing.assert_allclose(found.pairs, expected.pairs, rtol=0, atol=3e-6)

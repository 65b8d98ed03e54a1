"""Dense diagonalisation against the reference values of tfim_exact.json, to 1e-9."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import expm

from annealnn import TransverseIsing

INSTANCES = json.loads((Path(__file__).parents[1] / "data" / "tfim_exact.json").read_text())["instances"]
ROWS = [pytest.param(i, t, id=f"{i['seed']}-beta{t['beta']}") for i in INSTANCES for t in i["thermal"]]
TOLERANCE = 1e-9


def build(instance):
    J = {(i, j): v for i, j, v in instance["J"]}
    return TransverseIsing(instance["h"], J, instance["Gamma"])


@pytest.mark.parametrize(("instance", "thermal"), ROWS)
def test_thermal_values(instance, thermal):
    model = build(instance)
    found = model.exact(thermal["beta"])
    scalars = {
        "E": found.energy,
        "logZ": found.log_z,
        "varE": found.energy_variance,
        "E0": found.ground_energy,
        "gap": found.gap,
        "Ez": found.problem_energy,
    }
    for key, value in scalars.items():
        assert value == pytest.approx(thermal[key], abs=TOLERANCE), key
    np.testing.assert_allclose(found.moments.spins, thermal["Z"], atol=TOLERANCE)
    np.testing.assert_allclose(found.transverse_moments, thermal["X"], atol=TOLERANCE)
    np.testing.assert_allclose(found.probabilities, thermal["prob_z_basis"], atol=TOLERANCE)
    pairs = {(i, j): v for i, j, v in thermal["ZZ"]}
    expected = [pairs[tuple(edge)] for edge in model.problem.structure.edges.tolist()]
    np.testing.assert_allclose(found.moments.pairs, expected, atol=TOLERANCE)


def test_without_transverse_field_it_is_the_ising_model():
    instance = INSTANCES[0]
    model = TransverseIsing(instance["h"], {(i, j): v for i, j, v in instance["J"]}, 0.0)
    quantum, classical = model.exact(0.7), model.problem.exact(0.7)
    np.testing.assert_allclose(quantum.probabilities, classical.probabilities, atol=1e-12)
    assert quantum.ground_energy == pytest.approx(instance["classical_ground_energy"], abs=1e-6)


def test_hamiltonian_against_kronecker_products():
    X, Z, one = np.array([[0.0, 1], [1, 0]]), np.diag([1.0, -1]), np.eye(2)
    h, gamma = [0.3, -0.8, 0.2], [0.5, 1.1, 0.7]
    J = {(0, 1): 0.9, (1, 2): -0.4}

    def at(op, k):
        parts = [one, one, one]
        parts[k] = op
        return np.kron(np.kron(*parts[:2]), parts[2])

    H = -sum(v * at(Z, i) @ at(Z, j) for (i, j), v in J.items())
    H = H - sum(h[k] * at(Z, k) + gamma[k] * at(X, k) for k in range(3))
    model = TransverseIsing(h, J, gamma)
    np.testing.assert_allclose(model.hamiltonian(), H, atol=1e-14)
    rho = expm(-0.6 * H)
    assert model.exact(0.6).log_z == pytest.approx(np.log(np.trace(rho)), abs=1e-12)

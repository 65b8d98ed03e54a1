"""The state vector of a ring is that of free fermions, at all times."""

import numpy as np
import pytest

from annealnn import IsingModel
from annealnn.dynamics import FreeFermionRing, evolve
from annealnn.schedules import AnnealSchedule, Drive

DRIVES = {
    "anneal": AnnealSchedule.linear(10.0).drive(),
    "pause": AnnealSchedule.with_pause(6.0, s=0.5, pause_time=2.0).drive(),
    "quench": Drive.constant(8.0, transverse=0.4, problem=1.0),
}


def ring(num_spins, coupling=1.0):
    return IsingModel(np.zeros(num_spins), {(i, (i + 1) % num_spins): coupling for i in range(num_spins)})


@pytest.mark.parametrize("name", DRIVES)
@pytest.mark.parametrize(
    ("num_spins", "coupling"), [(12, 1.0), (12, -0.7), pytest.param(16, 1.0, marks=pytest.mark.slow)]
)
def test_a_ring_is_free_fermions(num_spins, coupling, name):
    drive = DRIVES[name]
    times = np.linspace(0, drive.duration, 11)[1:]
    found = evolve(ring(num_spins, coupling), drive, times=times, tolerance=1e-9, progress=False)
    # all along +X: the ground state of the transverse term alone
    exact = FreeFermionRing(num_spins, coupling=coupling).evolve(drive, times=times, initial=(1.0, 0.0))
    bonds = found.moments.pairs.mean(axis=1)
    np.testing.assert_allclose(found.energy, exact.energy, atol=1e-8)
    np.testing.assert_allclose((1 - np.sign(coupling) * bonds) / 2, exact.defect_density, atol=1e-8)
    np.testing.assert_allclose(found.transverse_moments.mean(axis=1), exact.transverse_moment, atol=1e-8)


def test_another_ring_shows():
    drive = DRIVES["anneal"]
    found = evolve(ring(12), drive, tolerance=1e-9)
    exact = FreeFermionRing(12, coupling=1.001).evolve(drive, times=[drive.duration], initial=(1.0, 0.0))
    assert abs(found.energy[0] - exact.energy[0]) > 1e-4

"""What is imperfect about the simulated chip: control errors, readout errors, slow drift."""

from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np

from annealnn._rng import child_seed
from annealnn._validation import check_number
from annealnn.models import Parameters
from annealnn.standin._chip import Chip
from annealnn.standin._problem import Problem
from annealnn.typing import Floats, Spins

# plane waves that make up the drift of a qubit
_WAVES = 8


@final
@dataclass(frozen=True, kw_only=True)
class Noise:
    """Errors of a chip; all are 0 by default.

    Parameters
    ----------
    h, j : float
        Standard deviation of fields and couplings about what was asked for, as a share of the largest magnitude in
        h_range and j_range. Gaussian, one draw for a job. Couplers that a problem leaves at 0 have it too.
    readout : float
        Chance that a read of a qubit is flipped.
    drift : float
        Standard deviation of a slow drift of fields, as of a bath of spins: a share as of `h`.
    drift_jobs : float
        Jobs after which a drift is forgotten: its correlation is exp(-(n / drift_jobs)**2 / 2) after n jobs.
        A stand-in with a seed takes each job at a time of its own that follows from the job's label instead, so that
        the order of jobs does not matter: errors are then as large, but not alike from one job to the next.
    """

    h: float = 0.0
    j: float = 0.0
    readout: float = 0.0
    drift: float = 0.0
    drift_jobs: float = 100.0

    def __post_init__(self) -> None:
        for name in ("h", "j", "drift"):
            check_number(name, getattr(self, name), low=0.0)
        check_number("readout", self.readout, low=0.0, high=1.0)
        check_number("drift_jobs", self.drift_jobs, low=0.0, open_low=True)

    def realised(self, problem: Problem, chip: Chip, *, seed: int, chip_seed: int, moment: float) -> Parameters:
        """Return what the chip does in place of what it was programmed with, Eq. (1)'s sign.

        Parameters
        ----------
        problem : Problem
        chip : Chip
        seed : int
            Of the job.
        chip_seed : int
            Of the chip's drift.
        moment : float
            In jobs.
        """
        rng = np.random.default_rng(child_seed(seed, 1))
        largest_h = max(map(abs, chip.properties["h_range"]))
        largest_j = max(map(abs, chip.properties["j_range"]))
        fields = problem.fields + self.h * largest_h * rng.standard_normal(len(problem.fields))
        couplings = problem.couplings + self.j * largest_j * rng.standard_normal(len(problem.couplings))
        if self.drift:
            fields = fields + self.drift * largest_h * self._drift(chip, chip_seed, moment)[problem.qubits]
        if (flux := problem.parameters.get("flux_biases")) is not None and any(flux):
            from dwave.system.temperatures import fluxbias_to_h

            fields = fields + fluxbias_to_h(np.array(flux)[problem.qubits])
        return Parameters(-fields, -couplings)

    def read_out(self, spins: Spins, seed: int) -> Spins:
        """Return reads (num_reads, num_active) with the errors of reading them."""
        if not self.readout:
            return spins
        flipped = np.random.default_rng(child_seed(seed, 2)).random(spins.shape) < self.readout
        return np.where(flipped, -spins, spins)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings, for JSON."""
        return asdict(self)

    def _drift(self, chip: Chip, chip_seed: int, moment: float) -> Floats:
        """Return a smooth function of time for every qubit, (num_qubits,), of mean 0 and variance 1.

        Random Fourier features of a Gaussian correlation (Rahimi & Recht 2007).
        """
        rng = np.random.default_rng(chip_seed)
        frequencies = rng.standard_normal((_WAVES, chip.num_qubits)) / self.drift_jobs
        phases = rng.uniform(0, 2 * np.pi, (_WAVES, chip.num_qubits))
        return np.asarray(np.sqrt(2 / _WAVES) * np.cos(frequencies * moment + phases).sum(axis=0))

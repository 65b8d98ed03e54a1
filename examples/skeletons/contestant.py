"""Copy me: a contestant of the benchmark. In its folder it is "contestant:Descent"; an entry point gives it a name."""

import platform
import time
from typing import final

import numpy as np

from annealnn.benchmark import Contestant, Hardware, Run, TimeSplit


@final
class Descent(Contestant):
    """Coordinate descent in numpy from random starts, all reads side by side. Effort: sweeps of a read."""

    effort_name = "num_sweeps"

    @property
    def hardware(self):
        """One core of this machine."""
        return Hardware(name=platform.processor() or platform.machine(), power_w=self.power_w)

    @property
    def version(self):
        """Change it with whatever changes the reads."""
        return "descent 1"

    def run(self, model, *, effort, num_reads, seed):
        """Draw independent reads; what a problem needs once is the client's time, not the anneal's."""
        begun = time.perf_counter()
        n = model.structure.num_variables
        J = model.structure.dense(model.parameters.couplings)  # Eq. (1)'s sign: a larger coupling aligns
        ready = time.perf_counter()
        spins = np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), (num_reads, n))
        for i in np.tile(np.arange(n), int(effort or 10)):
            local = model.h[i] + spins @ J[i]
            spins[:, i] = np.where(local > 0, 1, np.where(local < 0, -1, spins[:, i]))
        done = time.perf_counter()
        return Run(spins, model.energy(spins), TimeSplit(client_s=ready - begun, annealing_s=done - ready), {})

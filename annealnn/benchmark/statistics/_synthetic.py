"""Records of a contestant whose probabilities of success are given: a known truth for all that is estimated."""

from collections.abc import Sequence

import numpy as np

from annealnn._validation import check_count, check_number
from annealnn.benchmark._canonical import digest
from annealnn.benchmark._contestant import ContestantSpec, Hardware, TimeSplit
from annealnn.benchmark._instance import InstanceSpec, Optimum
from annealnn.benchmark._task import Record, Task
from annealnn.typing import Floats

_CURVATURE = 0.3
EFFORTS = tuple(float(2**k) for k in range(10))


def synthetic(
    *,
    exponent: float = 1.7,
    prefactor: float = 1.0,
    sizes: Sequence[int] = (8, 16, 32, 64, 128),
    num_instances: int = 20,
    num_reads: int = 100,
    efforts: Sequence[float] = EFFORTS,
    spread: float = 1.0,
    name: str = "synthetic",
    label: str = "synthetic",
    unit_s: float = 1e-6,
    hardware: Hardware | None = None,
    seed: int = 0,
) -> list[Record]:
    """Return records of a contestant that has a given scaling exponent, and the certificates of its instances.

    Instance i of size N takes, at effort t, the time T_i(N, t) = c N^exponent exp(spread z_i) g(t / t*(N)) to be
    solved with 99 %, in units of effort, or t if that is more. z_i is normal and the instance's own: the median over
    all instances is c N^exponent at the best effort, where g = exp(0.3 ln^2 (t / t*)) is 1. That effort is the one of
    `efforts` nearest to sqrt(c N^exponent). A read succeeds with probability 1 - exp(-t ln 100 / T_i); reads that do
    not are 1 or 2 above E0 = -N. Contestants of the same seed have the same instances.

    Parameters
    ----------
    exponent, prefactor : float
        The truth.
    sizes : sequence of int
        Numbers of variables.
    num_instances : int
        Of each size.
    num_reads : int
        Of each instance and effort.
    efforts : sequence of float
        A read's time in units of `unit_s`.
    spread : float
        Standard deviation over instances of the log time.
    name : str
        The part that it plays: a contestant's in the registry.
    label : str
        Reads of another label are drawn anew.
    unit_s : float
        Seconds of annealing for a unit of effort. Programming takes 10 ms a run and readout 0.1 ms a read beside it.
    hardware : Hardware, optional
        A simulated processor if None: no such machine exists.
    seed : int

    Returns
    -------
    list of Record
        As a runner would give them: for `analyse`.

    Raises
    ------
    ValueError
        If a count, the prefactor, the spread or an effort is out of its range.
    """
    check_count("num_instances", num_instances)
    check_count("num_reads", num_reads)
    check_number("prefactor", prefactor, low=0.0, open_low=True)
    check_number("spread", spread, low=0.0)
    grid = np.array([check_number("an effort", effort, low=0.0, open_low=True) for effort in efforts])
    runs_on = Hardware(name="synthetic", simulated=True) if hardware is None else hardware
    contestant = ContestantSpec(name=name, settings={"exponent": exponent, "label": label}, label=label)
    rng = np.random.default_rng(int(digest([seed, label])[:16], 16))
    records = []
    for size in sizes:
        hardness = np.random.default_rng([seed, size]).standard_normal(num_instances)
        median = prefactor * float(size) ** exponent
        best = grid[np.abs(np.log(grid) - 0.5 * np.log(median)).argmin()]
        slower = np.exp(_CURVATURE * np.log(grid / best) ** 2)
        probabilities = -np.expm1(-np.log(100) * grid / (median * np.exp(spread * hardness)[:, None] * slower))
        for number in range(num_instances):
            spec = InstanceSpec(family="synthetic", size=size, seed=number, options={"seed": seed})
            model = {"digest": spec.key, "num_variables": size, "num_edges": 0}
            optimum = Optimum(energy=-float(size), proof="planted")
            records.append(
                Record(
                    task=Task(kind="certify", instance=spec),
                    status="done",
                    model=model,
                    measures={"optimum": optimum.to_dict()},
                )
            )
            for effort, probability in zip(grid, probabilities[number], strict=True):
                timing = TimeSplit(
                    programming_s=0.01, annealing_s=effort * unit_s * num_reads, readout_s=1e-4 * num_reads
                )
                records.append(
                    Record(
                        task=Task(instance=spec, contestant=contestant, effort=float(effort), num_reads=num_reads),
                        status="done",
                        model=model,
                        energies=_histogram(probability, num_reads, -float(size), rng),
                        timing=timing._asdict(),
                        wall_s=timing.total_s,
                        hardware=runs_on.to_dict(),
                        info={"effort_name": "synthetic sweeps"},
                    )
                )
    return records


def _histogram(
    probability: Floats, num_reads: int, lowest: float, rng: np.random.Generator
) -> tuple[tuple[float, int], ...]:
    rest = (1 - float(probability)) / 2
    counts = rng.multinomial(num_reads, [float(probability), rest, rest])
    return tuple((lowest + level, int(count)) for level, count in enumerate(counts) if count)

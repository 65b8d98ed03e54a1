"""What a benchmark shows: the tables that `analyse` makes of records, and reports print.

All of them are flat: a row says which group of instances, contestant and size it is about. Sizes are as the family
counts them; `num_variables` is their mean number of variables, which curves are drawn and fitted against. Estimates are
`Interval`s of 95 %.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, final

from annealnn.benchmark._contestant import TimeSplit
from annealnn.benchmark._instance import InstanceSpec, Proof
from annealnn.benchmark._task import Status
from annealnn.benchmark.statistics._interval import Interval
from annealnn.typing import Floats

#: What a run's time is. "annealing": the anneals alone, times the cores in use. "service": programming, annealing and
#: readout. "wall": all parts. "effort": the contestant's own unit, sweeps or microseconds, and no seconds.
Clock = Literal["annealing", "service", "wall", "effort"]
#: "optimised": the effort with the least time for each size. "fixed": one long effort for all sizes, which fakes
#: speed-ups and is shown for that. Of a pair, only the contestant's is fixed.
Policy = Literal["optimised", "fixed"]
#: "power": c N^exponent. "exponential": c exp(exponent N). "root exponential": c exp(exponent sqrt N).
Form = Literal["power", "exponential", "root exponential"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ContestantRow:
    """One contestant: what it is and what it ran on."""

    label: str
    name: str  #: in the registry
    settings: Mapping[str, Any]
    versions: tuple[str, ...]  #: library and release; more than one if records of several were put together
    hardware: Mapping[str, Any]  #: `Hardware.to_dict()` of its last run; empty if it never opened
    effort_name: str  #: with the unit; "effort" where records do not say
    power_w: float | None  #: as stated
    simulated: bool
    num_tasks: int
    num_done: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OptimumRow:
    """The lowest energy of one instance, and what says so."""

    instance: InstanceSpec
    group: str
    size: int
    num_variables: int
    energy: float
    proof: Proof
    solvers: tuple[str, ...]  #: under "agreement", contestants and solvers that reached it

    @property
    def certified(self) -> bool:
        """Whether it is proven."""
        return self.proof != "agreement"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRow:
    """Time to solution at 99 % (epsilon 0), or time to epsilon: a quantile over the instances of one size."""

    group: str
    contestant: str
    size: int
    num_variables: float
    clock: Clock
    policy: Policy
    epsilon: float  #: success is an energy of at most E0 + epsilon abs(E0)
    quantile: float
    effort: float | None  #: of a read; the best one under "optimised"
    time: Interval  #: seconds; the contestant's unit under the clock "effort"
    #: share of resamples whose best effort is the shortest that was tried: from .05 on the optimum may lie below it,
    #: and a speed-up of this contestant's scaling is an upper bound. nan under "fixed" and without efforts
    lower_edge: float
    upper_edge: float  #: the same for the longest
    #: time of the effort chosen by one half of the reads and scored by the other, over `time`: how far choosing the
    #: best flatters. 1 where none is chosen, or a half chose; nan where no half solves the quantile
    optimism: float
    num_instances: int
    num_unsolved: int  #: instances that no read solved at this effort: they count as infinite times
    num_reads: int  #: of all instances, at this effort
    simulated: bool

    @property
    def at_lower_edge(self) -> bool:
        """Whether the best effort may lie below the shortest that was tried."""
        return self.lower_edge >= 0.05


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EffortRow:
    """One point of the curve of time against effort: where the best effort comes from."""

    group: str
    contestant: str
    size: int
    num_variables: float
    clock: Clock
    epsilon: float
    quantile: float
    effort: float | None
    time: Interval
    success: Interval  #: mean probability over instances that one read succeeds
    time_per_read: float  #: mean; seconds, or the contestant's unit
    num_instances: int
    num_unsolved: int
    num_reads: int
    simulated: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedupRow:
    """Time of a reference over time of a contestant at one size: above 1 the contestant is faster."""

    group: str
    reference: str
    contestant: str
    size: int
    num_variables: float
    clock: Clock
    policy: Policy
    epsilon: float
    quantile: float
    kind: Literal["ratio of quantiles", "quantile of ratios"]
    ratio: Interval
    #: "lower": the reference has unsolved instances there, so the ratio is at least this. "upper": the contestant has.
    #: "undefined": both have, and the value is nan
    bound: Literal["none", "lower", "upper", "undefined"]
    num_instances: int  #: that both ran
    at_lower_edge: tuple[str, ...]  #: those of the two whose best effort may lie below the shortest that was tried
    simulated: bool  #: whether either's times were invented


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingRow:
    """Fit of a contestant's times over sizes."""

    group: str
    contestant: str
    clock: Clock
    policy: Policy
    epsilon: float
    quantile: float
    form: Form
    exponent: Interval
    prefactor: Interval  #: c
    #: Akaike's criterion above the best form's: 0 for the preferred one, above about 6 all but ruled out
    excess: float
    misfit: float  #: chi-square over degrees of freedom; nan for two sizes
    sizes: tuple[int, ...]  #: that were fitted
    left_out: tuple[int, ...]  #: sizes whose best effort may be below the shortest, or whose quantile is a bound
    at_lower_edge: tuple[int, ...]  #: fitted all the same, for fewer than two sizes were left without these
    simulated: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RelativeScalingRow:
    """How much better a contestant scales than a reference: over sizes that both fits take.

    By the clock "annealing" a quantum processor's times are multiplied by N first: that it runs N variables at once is
    no better scaling (Ronnow et al. 2014).
    """

    group: str
    reference: str
    contestant: str
    clock: Clock
    policy: Policy
    epsilon: float
    quantile: float
    form: Form
    difference: Interval  #: the reference's exponent less the contestant's: above 0 the contestant scales better
    sizes: tuple[int, ...]
    at_lower_edge: tuple[str, ...]  #: those of the two that have a size at the lower edge among these sizes
    simulated: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SplitRow:
    """Where the time of one read goes, mean over runs."""

    group: str
    contestant: str
    size: int
    num_variables: float
    effort: float | None
    split: TimeSplit  #: seconds a read
    num_cores: int
    num_reads: int
    simulated: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class JouleRow:
    """Electrical energy of a solution: stated power times all time to solution, at its best effort."""

    group: str
    contestant: str
    size: int
    num_variables: float
    quantile: float
    power_w: float
    joules: Interval
    simulated: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ResidualRow:
    """Residual energy `<H - E0>` / N against effort, in the model's own unit of energy."""

    group: str
    contestant: str
    size: int
    num_variables: float
    effort: float | None
    residual: Interval
    num_instances: int
    certified: bool  #: whether every E0 is proven


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ResidualFitRow:
    """Residual energy ~ effort^-kappa."""

    group: str
    contestant: str
    size: int
    num_variables: float
    kappa: Interval
    efforts: tuple[float, ...]  #: that were fitted
    misfit: float  #: chi-square over degrees of freedom; nan for two efforts


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OverlapRow:
    """Distribution of the overlap q of two independent reads, mean over instances, and its Binder cumulant."""

    group: str
    contestant: str
    size: int
    num_variables: float
    effort: float | None
    edges: Floats  #: (num_bins + 1,) of bins from -1 to 1
    density: Floats  #: (num_bins,) P(q), its integral is 1
    low: Floats  #: (num_bins,)
    high: Floats  #: (num_bins,)
    binder: Interval  #: `(1/2)(3 - <q^4> / <q^2>^2)`: 0 for independent spins, 1 for one frozen pair of states
    num_instances: int
    num_pairs: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BetaRow:
    """Effective beta, median over instances, 1/energy: one of neighbourhoods, one of whole reads."""

    group: str
    contestant: str
    size: int
    num_variables: float
    effort: float | None
    local: Interval | None  #: by pseudo-likelihood
    overall: Interval | None  #: by the mean energy; needs exact sums, 20 variables at most
    num_instances: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class QualityRow:
    """Distance of reads to the exact Boltzmann distribution at a matched beta, mean over instances.

    Each measure has its floor: the mean that perfect reads, as many, would show. A value at its floor says that these
    reads cannot tell the contestant from a perfect one, not that it is perfect.
    """

    group: str
    contestant: str
    size: int
    num_variables: float
    effort: float | None
    matched: Literal["global", "local"]  #: which effective beta the exact distribution has
    beta: float
    num_reads: int  #: of each instance, median
    kl: Interval  #: plug-in, of what was read to the exact, nats; biased by about (K - 1) / (2 R)
    kl_corrected: Interval  #: less its floor
    kl_floor: float
    total_variation: Interval
    total_variation_floor: float
    worst_mean: Interval  #: largest error of a `<Z>`
    worst_mean_floor: float
    worst_correlation: Interval  #: largest error of a `<ZZ>`
    worst_correlation_floor: float
    num_instances: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ValleyRow:
    """Valleys of one instance that a contestant finds, and those that all others miss, at equal reads.

    After Koshka & Novotny: a valley is the minimum that steepest descent reaches from a read.
    """

    instance: InstanceSpec
    group: str
    size: int
    contestant: str
    effort: float | None
    num_reads: int  #: of all contestants here: the least that one has
    found: Interval  #: expected number of valleys in that many of its reads (rarefaction)
    num_missed_by_others: float  #: expected number that it finds and no other does, in as many reads each
    num_missed: float  #: expected number that others find and it does not
    lowest: float  #: energy of the lowest valley that it found
    energies: tuple[float, ...]  #: of all its valleys, ascending
    unique_energies: tuple[float, ...]  #: of those that no other has among all its reads, ascending


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingRow:
    """A machine that learned from a contestant's reads."""

    instance: InstanceSpec
    group: str
    contestant: str
    effort: float | None
    log_likelihood: Interval  #: nats a row, exact; over the seeds of training
    untrained: float
    exact: float  #: the same gradient steps with exact samples
    num_samples: int  #: reads used in all
    num_seeds: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRow:
    """A task that is not done. Where it failed, the instance counts as not solved; where refused, as not run."""

    key: str
    kind: str
    instance: InstanceSpec
    contestant: str  #: empty for certificates
    effort: float | None
    status: Status
    message: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ContradictionRow:
    """A read below an energy that was certified as the lowest: the certificate, or the problem, is wrong."""

    instance: InstanceSpec
    contestant: str
    energy: float
    certified_energy: float
    proof: Proof


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Analysis:
    """All tables of a benchmark. Empty ones say that no record holds what they need."""

    groups: tuple[str, ...]
    contestants: tuple[ContestantRow, ...]
    sizes: Mapping[str, tuple[int, ...]]  #: by group, ascending
    quantiles: tuple[float, ...]
    target: float  #: probability of a solution that times are for, .99
    epsilons: tuple[float, ...]  #: 0 first
    seed: int
    num_resamples: int
    optima: tuple[OptimumRow, ...] = ()
    proofs: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  #: by group and proof, how many instances
    times: tuple[TimeRow, ...] = ()
    efforts: tuple[EffortRow, ...] = ()
    speedups: tuple[SpeedupRow, ...] = ()
    scalings: tuple[ScalingRow, ...] = ()
    relative_scalings: tuple[RelativeScalingRow, ...] = ()
    splits: tuple[SplitRow, ...] = ()
    joules: tuple[JouleRow, ...] = ()
    residuals: tuple[ResidualRow, ...] = ()
    residual_fits: tuple[ResidualFitRow, ...] = ()
    overlaps: tuple[OverlapRow, ...] = ()
    betas: tuple[BetaRow, ...] = ()
    qualities: tuple[QualityRow, ...] = ()
    valleys: tuple[ValleyRow, ...] = ()
    trainings: tuple[TrainingRow, ...] = ()
    failures: tuple[FailureRow, ...] = ()
    contradictions: tuple[ContradictionRow, ...] = ()
    notes: tuple[str, ...] = ()  #: what a reader is told beside the tables, a sentence each

    @property
    def simulated(self) -> bool:
        """Whether any contestant's times were invented."""
        return any(contestant.simulated for contestant in self.contestants)

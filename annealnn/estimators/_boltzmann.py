"""The fully visible Boltzmann machine on any graph."""

from typing import Any, final

from annealnn._validation import check_count
from annealnn.estimators._base import VisibleBoltzmannMachine
from annealnn.learning import Bounds, LearnerState, Progress
from annealnn.models import Clamp, Moments, Parameters, Structure
from annealnn.registry import SamplerSpec, open_compiled
from annealnn.samplers import CompiledSampler
from annealnn.typing import Spins

_DEFAULT = SamplerSpec("gibbs", {"num_sweeps": 1})
_EQUILIBRATION_STEPS = 500


@final
class BoltzmannMachine(VisibleBoltzmannMachine):
    """Fully visible Boltzmann machine, P(s) = exp(-H(s)) / Z with Eq. (1)'s H, on any graph.

    Trained by persistent contrastive divergence (Tieleman 2008): each iteration moves `n_particles` persistent
    particles by one step of the sampler and the parameters along data moments minus particle moments.

    Parameters
    ----------
    graph : None, networkx.Graph, or iterable of pairs
        Edges over units 0..n-1, features first, then class units; None is the complete graph.
    sampler : None, str, SamplerSpec or dimod.Sampler
        None is one heat-bath sweep a step. The sampler's own temperature is taken for beta = 1.
    n_particles : int
    n_iter : int
        Steps over the full data.
    learning_rate : float
        Of the first step; it falls linearly to 0 over `n_iter`.
    momentum : float
    binarize : float or None
        Threshold that makes bits of numbers; None accepts bits only.
    n_ais_runs, n_ais_steps : int
        Annealed importance sampling for `log_partition_`.
    monitor : callable (iteration, model) -> dict of float, optional
        Called every `monitor_every` iterations with the `IsingModel` so far; rows go to `monitored_`.
    monitor_every : int
    checkpoint : str or path, optional
        Folder to save to, every ten seconds, at the end, and on an interrupt.
    resume : bool
        Whether to go on from `checkpoint`, to the same bits as an unbroken run.
    progress : "auto" or bool
    random_state : int, RandomState or None

    Attributes
    ----------
    model_ : IsingModel
        Over the units, in spin form.
    classes_ : (n_classes,)
        Labels, if fitted with y.
    n_iter_ : int
    history_ : dict of list
        `iteration`, `field_error`, `coupling_error` (mean absolute differences of moments, data and particles).
    monitored_ : list of dict
    log_partition_ : Estimate

    Examples
    --------
    >>> from annealnn import BoltzmannMachine
    >>> from annealnn.datasets import make_bars_and_stripes
    >>> X, y = make_bars_and_stripes(3, 3)
    >>> BoltzmannMachine(n_particles=100, n_iter=50, random_state=0).fit(X).sample(2).shape
    (2, 9)
    """

    def __init__(
        self,
        graph: Any = None,
        *,
        sampler: Any = None,
        n_particles: int = 1000,
        n_iter: int = 1000,
        learning_rate: float = 0.02,
        momentum: float = 0.5,
        binarize: float | None = None,
        n_ais_runs: int = 500,
        n_ais_steps: int = 2000,
        monitor: Any = None,
        monitor_every: int = 50,
        checkpoint: Any = None,
        resume: bool = False,
        progress: Any = "auto",
        random_state: Any = None,
    ) -> None:
        self.graph = graph
        self.sampler = sampler
        self.n_particles = n_particles
        self.n_iter = n_iter
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.binarize = binarize
        self.n_ais_runs = n_ais_runs
        self.n_ais_steps = n_ais_steps
        self.monitor = monitor
        self.monitor_every = monitor_every
        self.checkpoint = checkpoint
        self.resume = resume
        self.progress = progress
        self.random_state = random_state

    def _compile(self, source: Structure, seed: int) -> CompiledSampler:
        return open_compiled(self.sampler, source, default=_DEFAULT, want="moments")

    def _bounds(self) -> Bounds:
        return Bounds()

    def _num_reads(self) -> int:
        return check_count("n_particles", self.n_particles)

    def _encode_moments(self, moments: Moments) -> Moments:
        return moments

    def _observe(self, state: LearnerState, shown: Progress) -> dict[str, float]:
        return {}

    def _logical(self, parameters: Parameters) -> Parameters:
        return parameters

    def _likelihood_parameters(self) -> Parameters:
        return self.model_.parameters

    def _draw(self, num_reads: int, seed: int, clamp: Clamp | None = None) -> Spins:
        compiled = open_compiled(self.sampler, self.structure_, default=_DEFAULT, want="spins")
        start = compiled.init(num_reads, seed)
        return compiled.reads(compiled.advance(self.model_.parameters, start, _EQUILIBRATION_STEPS, clamp))

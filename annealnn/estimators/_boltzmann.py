"""The Boltzmann machine on any graph."""

from typing import Any, final

from annealnn._validation import check_count
from annealnn.estimators._parameters import structure_of
from annealnn.estimators._sampled import SampledMachine
from annealnn.models import IsingModel, Structure


@final
class BoltzmannMachine(SampledMachine):
    """Boltzmann machine, P(s) = exp(-H(s)) / Z with Eq. (1)'s H, on any graph (Ackley, Hinton & Sejnowski 1985).

    Parameters
    ----------
    graph : None, networkx.Graph, or iterable of pairs
        Edges over units 0..n-1: features first, then class units, then hidden units, which may be coupled to each
        other. None is the complete graph.
    n_hidden : int
    sampler : None, str, SamplerSpec or dimod.Sampler
        Of the negative phase, and of the positive where it draws. None is `n_sweeps` heat-bath sweeps a step. The
        sampler's own temperature is taken for beta = 1.
    calibrate : bool
        The sampler's temperature is not known: estimate its effective beta from the reads of every step, send it
        parameters divided by that, inside the ranges that it states, and warn of reads that no Boltzmann distribution
        explains (`annealnn.samplers.CalibratedSampler`). With a persistent negative phase only.
        `EmbeddedBoltzmannMachine` learns without.
    n_sweeps : int
        The k of CD-k and PCD-k, where `sampler` is None.
    positive_phase : "auto", "exact", "mean-field" or "sampling"
        How hidden units are treated given the data. "auto" is exact where they are not coupled to each other, else
        "sampling": all rows of a step in one call, each going on from its last hidden spins.
    negative_phase : "persistent" or "contrastive"
        Where the sampler begins a step: at its last reads (PCD, Tieleman 2008; with a tempering sampler, tempered PCD),
        or at the rows of the step (CD-k, Hinton 2002). A sampler that forgets its start does so here too.
    n_particles : int
        Reads of the negative phase.
    batch_size : int or None
        Rows of a step. None takes all.
    n_iter : int
        Epochs: passes over the data.
    learning_rate : float
        Of the first step.
    schedule : "linear", "constant" or "cosine"
        How the rate falls to 0 over `n_iter`, or stays.
    momentum : float
    average : float
        The share of epochs, the last ones, whose parameters are averaged; not with `early_stopping`, which keeps the
        best ones as they are.
    weight_decay, l1 : float or (float, float)
        Penalties on the couplings, nats: weight_decay / 2 times their squares, l1 times their sizes. A pair is for
        couplings among visible units, and for those of hidden units.
    centering : bool
        Follow the gradient of centred units (Montavon & Mueller 2012).
    weight_scale : float
        Standard deviation of the couplings of hidden units at the start.
    early_stopping : bool
        Hold out rows, watch their log-likelihood every `monitor_every` epochs, end when it no longer rises, and keep
        the parameters at which it was greatest.
    validation_fraction : float
        The share of rows that is held out.
    n_iter_no_change : int
        Looks without a rise by `tol` that end training.
    tol : float
        Nats.
    missing : "error" or "marginalise"
        What NaN in X means: an error; or a value to sum over, given those that are known.
    binarize : float or None
        Threshold that makes bits of numbers; None accepts bits only.
    n_ais_runs, n_ais_steps : int
        Annealed importance sampling for `log_partition_`.
    callbacks : callable or list of them, optional
        Called every `monitor_every` epochs with a `Snapshot`; what they return goes to `monitored_`. One ends training
        by raising `StopTraining`.
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
        Over features, class units, hidden units, in spin form.
    classes_ : (n_classes,)
        Labels, if fitted with y.
    n_iter_ : int
    history_ : dict of list
        `iteration`; `field_error`, `coupling_error` (mean absolute differences of the phases' moments) and
        `gradient_norm` of each epoch's last step.
    monitored_ : list of dict
        `effective_particles`: independent reads that the particles after an epoch are worth; `held_out` and
        `held_out_error`, nats, if training may stop early; what callbacks returned.
    log_partition_ : Estimate
    effective_beta_ : float
        Of the sampler, with `calibrate`; along the way, `effective_beta` in `history_`.

    Examples
    --------
    >>> from annealnn import BoltzmannMachine
    >>> from annealnn.datasets import make_bars_and_stripes
    >>> X, y = make_bars_and_stripes(3, 3)
    >>> BoltzmannMachine(n_particles=100, n_iter=50, random_state=0).fit(X).sample(2).shape
    (2, 9)
    """

    model_: IsingModel

    def __init__(
        self,
        graph: Any = None,
        *,
        n_hidden: int = 0,
        sampler: Any = None,
        calibrate: bool = False,
        n_sweeps: int = 1,
        positive_phase: str = "auto",
        negative_phase: str = "persistent",
        n_particles: int = 1000,
        batch_size: int | None = None,
        n_iter: int = 1000,
        learning_rate: float = 0.02,
        schedule: str = "linear",
        momentum: float = 0.5,
        average: float = 0.0,
        weight_decay: Any = 0.0,
        l1: Any = 0.0,
        centering: bool = False,
        weight_scale: float = 0.01,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        tol: float = 0.0,
        missing: str = "error",
        binarize: float | None = None,
        n_ais_runs: int = 500,
        n_ais_steps: int = 2000,
        callbacks: Any = None,
        monitor_every: int = 50,
        checkpoint: Any = None,
        resume: bool = False,
        progress: Any = "auto",
        random_state: Any = None,
    ) -> None:
        self.graph = graph
        self.n_hidden = n_hidden
        self.sampler = sampler
        self.calibrate = calibrate
        self.n_sweeps = n_sweeps
        self.positive_phase = positive_phase
        self.negative_phase = negative_phase
        self.n_particles = n_particles
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.momentum = momentum
        self.average = average
        self.weight_decay = weight_decay
        self.l1 = l1
        self.centering = centering
        self.weight_scale = weight_scale
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.missing = missing
        self.binarize = binarize
        self.n_ais_runs = n_ais_runs
        self.n_ais_steps = n_ais_steps
        self.callbacks = callbacks
        self.monitor_every = monitor_every
        self.checkpoint = checkpoint
        self.resume = resume
        self.progress = progress
        self.random_state = random_state

    def _has_hidden(self) -> bool:
        return self.n_hidden != 0

    def _graph_of(self, num_visible: int) -> Structure:
        return structure_of(self.graph, num_visible + check_count("n_hidden", self.n_hidden, minimum=0))

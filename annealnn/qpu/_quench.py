"""A quantum model on a processor: where the anneal rests, how the problem is scaled, and the quench that ends it."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, final

import dimod
import numpy as np

from annealnn._validation import check_number, check_pair
from annealnn.models import Clamp, IsingModel, Parameters, Structure, TransverseIsing
from annealnn.samplers import AnnealComposite, CompiledSampler, Reads, SamplerState, Step, compile_sampler
from annealnn.samplers._compiled import Want
from annealnn.schedules import EnergyScales
from annealnn.schedules._scales import thermal_rate
from annealnn.typing import Spins

_RANGES = ("h_range", "j_range", "extended_j_range")

# what current processors advertise; taken where no properties are given
_DEFAULTS: dict[str, Any] = {
    "h_range": (-4.0, 4.0),
    "extended_j_range": (-2.0, 1.0),
    "annealing_time_range": (0.5, 2000.0),
}
_NUM_POINTS = 4
# processors take times in steps of 10 ns
_STEP_US = 0.01


@final
@dataclass(frozen=True, kw_only=True)
class QuenchPlan:
    """How a processor samples rho = exp(-H)/Z, H of Eq. (1) under a transverse field; made by `plan_quench`.

    The anneal rests at s*, where A(s*) = 2 k_B T gamma / h. There a problem that is multiplied by 2 k_B T / (h B(s*))
    has its own couplings in units of k_B T. Then s runs to 1 as fast as the device allows, and the qubits are read.
    **A finite quench relaxes further**: what is read belongs to a smaller gamma and a larger beta than planned, and
    to no one instant. `estimate_gamma` says how much, on a problem small enough to be solved exactly.
    """

    gamma: float  #: transverse field, in units of k_B T
    temperature_mk: float
    s_star: float
    scale: float  #: what the problem is multiplied by
    a_ghz: float  #: A(s*)
    b_ghz: float  #: B(s*)
    anneal_schedule: tuple[tuple[float, float], ...]  #: (time in microseconds, s): ramp, pause, quench
    h_range: tuple[float, float]  #: of the device, dimod's sign
    j_range: tuple[float, float]  #: of the device, dimod's sign: the extended one where there is one
    scales: str = "custom"  #: name of the table of A(s) and B(s)

    @property
    def device_beta(self) -> float:
        """Inverse temperature at s* of a problem that is not scaled: h B(s*) / (2 k_B T)."""
        return 1.0 / self.scale

    @property
    def quench_us(self) -> float:
        """Time from s* to 1, microseconds."""
        (before, _), (end, _) = self.anneal_schedule[-2:]
        return end - before

    def check(self, model: IsingModel | TransverseIsing) -> None:
        """Check that the device can be given a model at this scale.

        Raises
        ------
        ValueError
            With the field or the coupling, the scale, and the range that it leaves.
        """
        structure, parameters = model.structure, _problem(model).parameters
        edges = [(structure.labels[i], structure.labels[j]) for i, j in structure.edges]
        for what, names, values, (low, high) in (
            ("field", structure.labels, -parameters.fields, self.h_range),
            ("coupling", edges, -parameters.couplings, self.j_range),
        ):
            scaled = self.scale * values
            if len(outside := np.flatnonzero((scaled < low) | (scaled > high))):
                worst = outside[np.argmax(abs(scaled[outside]))]
                msg = (
                    f"at gamma = {self.gamma:g} and {self.temperature_mk:g} mK a problem is multiplied by "
                    f"{self.scale:.4g} (s* = {self.s_star:.4f}), and then the device's {what}s are from {low:g} to "
                    f"{high:g} (dimod's sign); got {values[worst]:.4g} at {names[worst]!r}, scaled "
                    f"{scaled[worst]:.4g}. Make the model's {what}s smaller, or gamma: a smaller gamma rests later, "
                    "where B is larger"
                )
                raise ValueError(msg)

    def to_dict(self) -> dict[str, Any]:
        """Return what `info` says of it, for JSON."""
        return {**asdict(self), "anneal_schedule": self.schedule, "quench_us": self.quench_us}

    @property
    def schedule(self) -> list[list[float]]:
        """`anneal_schedule` as a solver takes it."""
        return [list(point) for point in self.anneal_schedule]


def plan_quench(
    gamma: float,
    schedule: EnergyScales,
    temperature_mk: float,
    *,
    properties: Mapping[str, Any] | None = None,
    model: IsingModel | TransverseIsing | None = None,
    ramp_us: float = 20.0,
    pause_us: float = 20.0,
    max_slope_per_us: float | None = None,
) -> QuenchPlan:
    """Return how a device samples a model at beta = 1 under a transverse field, or refuse.

    Parameters
    ----------
    gamma : float
        Transverse field in Eq. (1), above 0.
    schedule : EnergyScales
        The device's A(s) and B(s), from `EnergyScales.load` or `from_ghz`.
    temperature_mk : float
        Of the device, mK.
    properties : mapping, optional
        The solver's: `h_range`, `j_range` or `extended_j_range`, `annealing_time_range` (microseconds),
        `max_anneal_schedule_points`. None takes (-4, 4), (-2, 1) and 0.5 to 2000 us.
    model : IsingModel, optional
        Checked against the ranges. Without it a problem is refused only when it is sent.
    ramp_us : float
        From s = 0 to s*, microseconds.
    pause_us : float
        At s*, microseconds.
    max_slope_per_us : float, optional
        The steepest ds/dt that the device takes. None is 1 over its shortest annealing time, D-Wave's rule.

    Returns
    -------
    QuenchPlan

    Raises
    ------
    ValueError
        If the scales are not a processor's; if A(s) does not pass the wanted value, or B is 0 there; if the schedule
        is longer or steeper than the device allows; or if the model leaves the device's ranges. With figures.

    Notes
    -----
    H/h = A(s)/2 transverse + B(s)/2 problem, A and B in GHz; h/k_B = 47.99 mK/GHz. Where A(s) passes the wanted value
    more than once, the last time counts: after it the field only weakens.
    """
    gamma = check_number("gamma", gamma, low=0.0, open_low=True)
    # checks the temperature and the unit, too
    schedule.beta_at(1.0, temperature_mk)
    rate = thermal_rate(temperature_mk)
    s_star = _last_passage(schedule, gamma, rate)
    transverse, problem = (float(value) for value in schedule.at(s_star))
    if problem == 0.0:
        msg = f"the problem's scale B is above 0 where the anneal rests; at s* = {s_star:.4f} it is 0. Lower gamma"
        raise ValueError(msg)
    known = {**_DEFAULTS, **(properties or {})}
    if properties is not None and "extended_j_range" not in properties and "j_range" in properties:
        known["extended_j_range"] = properties["j_range"]
    plan = QuenchPlan(
        gamma=gamma,
        temperature_mk=float(temperature_mk),
        s_star=s_star,
        scale=rate / problem,
        a_ghz=transverse / math.pi,
        b_ghz=problem / math.pi,
        anneal_schedule=_points(s_star, ramp_us, pause_us, max_slope_per_us, known),
        h_range=check_pair("h_range", known["h_range"]),
        j_range=check_pair("j_range", known["extended_j_range"]),
        scales=schedule.name,
    )
    if model is not None:
        plan.check(model)
    return plan


def _last_passage(schedule: EnergyScales, gamma: float, rate: float) -> float:
    """Return the last s at which the transverse scale is gamma k_B T / hbar; `rate` is k_B T / hbar, rad/ns."""
    wanted, a, s = gamma * rate, schedule.transverse, schedule.s
    if not a[-1] < wanted <= a.max():
        msg = (
            f"A(s) of {schedule.name} is from {a[-1] / math.pi:.4g} GHz at s = 1 to {a.max() / math.pi:.4g} GHz, which "
            f"at this temperature is gamma from {a[-1] / rate:.4g} to {a.max() / rate:.4g}; got gamma = {gamma:g}, "
            f"A = {wanted / math.pi:.4g} GHz"
        )
        raise ValueError(msg)
    last = int(np.flatnonzero(a >= wanted)[-1])
    share = (a[last] - wanted) / (a[last] - a[last + 1])
    return float(s[last] + share * (s[last + 1] - s[last]))


def _points(
    s_star: float, ramp_us: float, pause_us: float, max_slope_per_us: float | None, known: Mapping[str, Any]
) -> tuple[tuple[float, float], ...]:
    ramp_us = check_number("ramp_us", ramp_us, low=0.0, open_low=True)
    pause_us = check_number("pause_us", pause_us, low=0.0, open_low=True)
    shortest, longest = check_pair("annealing_time_range", known["annealing_time_range"])
    slope = 1.0 / shortest if max_slope_per_us is None else max_slope_per_us
    slope = check_number("max_slope_per_us", slope, low=0.0, open_low=True)
    quench_us = max(1, math.ceil(round((1.0 - s_star) / slope / _STEP_US, 6))) * _STEP_US
    times = [round(t, 6) for t in (0.0, ramp_us, ramp_us + pause_us, ramp_us + pause_us + quench_us)]
    if s_star / ramp_us > slope:
        msg = (
            f"the device takes slopes up to {slope:g} per microsecond; got ramp_us={ramp_us:g} to s* = {s_star:.4f}, "
            f"a slope of {s_star / ramp_us:.4g}. Ramp for at least {s_star / slope:.4g} us"
        )
        raise ValueError(msg)
    if times[-1] > longest:
        msg = f"an anneal on the device takes at most {longest:g} us; got {times[-1]:g} us. Shorten ramp_us or pause_us"
        raise ValueError(msg)
    if (most := known.get("max_anneal_schedule_points")) is not None and most < _NUM_POINTS:
        msg = f"a ramp, a pause and a quench are {_NUM_POINTS} points of a schedule; the device takes {most}"
        raise ValueError(msg)
    return tuple(zip(times, (0.0, s_star, s_star, 1.0), strict=True))


def _problem(model: IsingModel | TransverseIsing) -> IsingModel:
    return model.problem if isinstance(model, TransverseIsing) else model


@final
class QuenchComposite(AnnealComposite):
    """A quantum model's reads from a processor: the problem at the plan's scale, on the plan's anneal.

    Problems are in the model's own units, and so are the ranges in `properties`: the device's over the plan's scale.
    Reads are those of rho = exp(-H)/Z with the plan's gamma as far as the quench is fast; `QuenchPlan` says more.

    Parameters
    ----------
    child : dimod.Sampler
        A device: it takes `anneal_schedule`.
    plan : QuenchPlan

    Raises
    ------
    ValueError
        If the child takes no `anneal_schedule`.
    """

    def __init__(self, child: dimod.Sampler, plan: QuenchPlan) -> None:
        super().__init__(child)
        if "anneal_schedule" not in child.parameters:
            name = type(child).__name__
            msg = f"a quench is an anneal_schedule, which the device must take; {name} takes none"
            raise ValueError(msg)
        self.plan = plan

    @property
    def properties(self) -> dict[str, Any]:
        """`child_properties`, the plan as `quench`, and the child's ranges in the model's own units."""
        below = self.child.properties
        ranges = {name: [bound / self.plan.scale for bound in below[name]] for name in _RANGES if name in below}
        return {**super().properties, **ranges, "quench": self.plan.to_dict()}

    def sample(self, bqm: dimod.BinaryQuadraticModel, **kwargs: Any) -> dimod.SampleSet:
        """Draw reads of a dimod problem, which is the diagonal part of the model.

        Parameters
        ----------
        bqm : dimod.BinaryQuadraticModel
            In spin or binary form; reads come back in the same form.
        **kwargs
            The child's keywords, but for those that the plan sets.

        Returns
        -------
        dimod.SampleSet
            With energies of the problem as given. `info["gamma"]` is the planned one and `info["beta"]` None: what a
            finite quench reaches has to be estimated. `info["quench"]` is the plan.

        Raises
        ------
        ValueError
            If a keyword is the plan's to set, or the child refuses the problem.
        """
        kwargs = self._checked(self.remove_unknown_kwargs(**kwargs))

        def draw(model: IsingModel, keywords: dict[str, Any]) -> tuple[Reads, dict[str, Any]]:
            scaled = IsingModel.from_parameters(
                model.structure, _times(self.plan.scale, model.parameters), model.offset * self.plan.scale
            )
            (reads,) = self.ask_child([(scaled.to_bqm(bqm.vartype.name), keywords)])
            return reads, self._said()

        return self.sample_with(draw, bqm, kwargs)

    def compile(self, structure: Structure, *, want: Want = "spins", **kwargs: Any) -> CompiledSampler:
        """Return the learner's door over `structure`, whose labels are the child's qubits.

        Parameters
        ----------
        structure : Structure
        want : "moments" or "spins"
        **kwargs
            The child's keywords, but for those that the plan sets.

        Raises
        ------
        ValueError
            If a keyword is the plan's to set, or the child does not take it.
        """
        child = compile_sampler(self.child, structure, want=want, **self._checked(kwargs))
        return CompiledQuench(child, self.plan.scale, self._said())

    def _checked(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the child's keywords, the plan's among them."""
        for name in ("anneal_schedule", "annealing_time", "fast_anneal"):
            if kwargs.get(name):
                msg = f"the plan says how the device anneals; got {name}={kwargs[name]!r}. Plan another quench"
                raise ValueError(msg)
        if kwargs.get("auto_scale"):
            msg = "the plan says how the problem is scaled; got auto_scale=True, which would undo it. Leave it out"
            raise ValueError(msg)
        kept = {name: value for name, value in kwargs.items() if name not in ("annealing_time", "fast_anneal")}
        fixed: dict[str, Any] = {"anneal_schedule": self.plan.schedule}
        return kept | fixed | ({"auto_scale": False} if "auto_scale" in self.child.parameters else {})

    def _said(self) -> dict[str, Any]:
        return {"beta": None, "gamma": self.plan.gamma, "scale": self.plan.scale, "quench": self.plan.to_dict()}


@final
class CompiledQuench(CompiledSampler):
    """The learner's door of a device that samples at a plan's scale.

    Parameters
    ----------
    child : CompiledSampler
    scale : float
        What parameters are multiplied by.
    said : mapping
        What `info` says besides the child's.
    """

    def __init__(self, child: CompiledSampler, scale: float, said: Mapping[str, Any]) -> None:
        super().__init__(child.structure, child.want)
        self._child, self._scale, self._said = child, scale, dict(said)
        self.persistent = child.persistent

    def init(self, num_reads: int, seed: int) -> SamplerState:
        """Return the child's first state."""
        return self._child.init(num_reads, seed)

    def begin(self, spins: Spins, seed: int) -> SamplerState:
        """Return the child's state whose reads are at `spins`."""
        return self._child.begin(spins, seed)

    def reads(self, state: SamplerState) -> Spins:
        """Return the reads that a state holds, (num_reads, num_variables)."""
        return self._child.reads(state)

    def step(self, parameters: Parameters, state: SamplerState, clamp: Clamp | None = None) -> Step:
        """Sample the child at scaled parameters.

        Clamped qubits of a transverse-field model are another model, not its conditional: the fields that they make
        are those of the clamped phase of the bound of Amin et al. (2018).
        """
        step = self._child.step(_times(self._scale, parameters), state, clamp)
        return step._replace(info={**step.info, **self._said})


def _times(scale: float, parameters: Parameters) -> Parameters:
    return Parameters(scale * parameters.fields, scale * parameters.couplings)

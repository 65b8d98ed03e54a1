"""A wanted temperature from a child that has its own."""

import inspect
import math
from collections.abc import Mapping
from typing import Any, final

import dimod
import numpy as np

from annealnn._validation import check_number, check_pair
from annealnn.models import IsingModel, Parameters
from annealnn.samplers.composites._base import AnnealComposite, Reads


@final
class TemperatureComposite(AnnealComposite):
    """The problem is multiplied by beta / `child_beta`, so that a child at `child_beta` draws at beta.

    A child that takes `beta` is held at `child_beta`. Unless `sample` is told otherwise, an annealer's `beta_range` is
    (0.1, 1) times `child_beta`, and a processor's `auto_scale` is off: either would undo the scaling. Transverse fields
    (`gamma`, `gamma_ladder`, `gamma_range`) are terms of the problem too, and are multiplied with it.

    Parameters
    ----------
    child : dimod.Sampler
    child_beta : float
        The child's inverse temperature, 1/energy; of a device its effective beta.

    Raises
    ------
    ValueError
        If `child_beta` is not above 0.

    Examples
    --------
    >>> import dimod
    >>> from annealnn.samplers import ExactSampler, TemperatureComposite
    >>> bqm = dimod.BQM({"a": 1.0}, {}, 0.0, "SPIN")
    >>> TemperatureComposite(ExactSampler(), child_beta=3.0).sample(bqm, beta=0.5).info["beta"]
    0.5
    """

    def __init__(self, child: dimod.Sampler, *, child_beta: float = 1.0) -> None:
        super().__init__(child)
        self._child_beta = check_number("child_beta", child_beta, low=0.0, open_low=True)

    @property
    def properties(self) -> dict[str, Any]:
        """`child_properties`, and the child's `distribution`."""
        return {**super().properties, "distribution": self.child.properties.get("distribution")}

    def sample(self, bqm: dimod.BinaryQuadraticModel, *, beta: float = 1.0, **kwargs: Any) -> dimod.SampleSet:
        """Draw reads of a dimod problem.

        Parameters
        ----------
        bqm : dimod.BinaryQuadraticModel
            In spin or binary form; reads come back in the same form.
        beta : float
            Inverse temperature, 1/energy.
        **kwargs
            The child's keywords.

        Returns
        -------
        dimod.SampleSet
            One row for each read, with energies of the problem as given. `info["beta"]` is beta, and `info["gamma"]`
            the transverse field as given; `info["scale"]` what the problem was multiplied by. `info["schedule"]` is the
            child's. After an interrupt, reads that a child says are at no beta of its own are at none here.

        Raises
        ------
        ValueError
            If an argument breaks its rule, the child's `info` has another beta than `child_beta`, or a child takes a
            transverse field, has none by default, and none is given.
        """
        kwargs = self.remove_unknown_kwargs(**kwargs)
        beta = check_number("beta", beta, low=0.0)
        child_beta, taken = self._child_beta, self.child.parameters
        scale = beta / child_beta
        defaults: dict[str, Any] = {"auto_scale": False} if "auto_scale" in taken else {}
        if "beta" in taken:
            kwargs["beta"] = child_beta
        elif "beta_range" in taken:
            defaults["beta_range"] = (0.1 * child_beta, child_beta)
        gamma = kwargs.get("gamma")
        if "gamma" in taken:
            gamma = _default_gamma(self.child) if gamma is None else gamma
            kwargs["gamma"] = _scaled("gamma", gamma, scale)
        if kwargs.get("gamma_ladder") is not None:
            kwargs["gamma_ladder"] = [scale * check_number("gamma_ladder", g, low=0.0) for g in kwargs["gamma_ladder"]]
        if kwargs.get("gamma_range") is not None:
            start, stop = check_pair("gamma_range", kwargs["gamma_range"])
            kwargs["gamma_range"] = (scale * start, scale * stop)

        def draw(model: IsingModel, keywords: dict[str, Any]) -> tuple[Reads, dict[str, Any]]:
            terms = Parameters(model.h * scale, model.parameters.couplings * scale)
            scaled = IsingModel.from_parameters(model.structure, terms, model.offset * scale)
            (reads,) = self.ask_child([(scaled.to_bqm(bqm.vartype.name), defaults | keywords)])
            said = reads.calls[0].get("beta")
            if isinstance(said, int | float) and not math.isclose(said, child_beta):
                name = type(self.child).__name__
                msg = f"child_beta is that of {name}, which says {said:g}; got {child_beta:g}. Give child_beta={said:g}"
                raise ValueError(msg)
            # reads of an interrupted call may be at no one beta
            stray = said is None and "beta" in taken and reads.calls[0].get("interrupted")
            info: dict[str, Any] = {"beta": None if stray else beta, "scale": scale}
            if "gamma" in taken:
                values = [gamma.get(v) for v in bqm.variables] if isinstance(gamma, Mapping) else gamma
                info["gamma"] = values if isinstance(values, list) else np.asarray(values, dtype=np.float64).tolist()
            return reads, info

        return self.sample_with(draw, bqm, kwargs)


def _default_gamma(sampler: dimod.Sampler) -> Any:
    """Return the transverse field that a sampler, or the one below a composite, has by default."""
    below: Any = sampler
    while "gamma" not in inspect.signature(below.sample).parameters and getattr(below, "children", None):
        below = below.children[0]
    parameter = inspect.signature(below.sample).parameters.get("gamma")
    default = inspect.Parameter.empty if parameter is None else parameter.default
    if default is None or default is inspect.Parameter.empty:
        name = type(below).__name__
        msg = f"the transverse field is scaled with the problem; {name} has none by default, and got None. Give gamma"
        raise ValueError(msg)
    return default


def _scaled(name: str, given: Any, scale: float) -> Any:
    """Return one number, a mapping from label to number, or an array, each number checked and multiplied."""
    if isinstance(given, Mapping):
        return {label: scale * check_number(name, value, low=0.0) for label, value in given.items()}
    if np.ndim(given) == 0:
        return scale * check_number(name, given, low=0.0)
    return np.array([scale * check_number(name, value, low=0.0) for value in given])

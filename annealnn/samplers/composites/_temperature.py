"""A wanted temperature from a child that has its own."""

import math
from typing import Any, final

import dimod

from annealnn._validation import check_number
from annealnn.models import IsingModel, Parameters
from annealnn.samplers.composites._base import AnnealComposite, Reads


@final
class TemperatureComposite(AnnealComposite):
    """The problem is multiplied by beta / `child_beta`, so that a child at `child_beta` draws at beta.

    A child that takes `beta` is held at `child_beta`. Unless `sample` is told otherwise, an annealer's `beta_range` is
    (0.1, 1) times `child_beta`, and a processor's `auto_scale` is off: either would undo the scaling.

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
            One row for each read, with energies of the problem as given. `info["beta"]` is beta; `info["scale"]` what
            the problem was multiplied by.

        Raises
        ------
        ValueError
            If an argument breaks its rule, or the child's `info` has another beta than `child_beta`.
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

        def draw(model: IsingModel, keywords: dict[str, Any]) -> tuple[Reads, dict[str, Any]]:
            terms = Parameters(model.h * scale, model.parameters.couplings * scale)
            scaled = IsingModel.from_parameters(model.structure, terms, model.offset * scale)
            (reads,) = self.ask_child([(scaled.to_bqm(bqm.vartype.name), defaults | keywords)])
            said = reads.calls[0].get("beta")
            if isinstance(said, int | float) and not math.isclose(said, child_beta):
                name = type(self.child).__name__
                msg = f"child_beta is that of {name}, which says {said:g}; got {child_beta:g}. Give child_beta={said:g}"
                raise ValueError(msg)
            return reads, {"beta": beta, "scale": scale}

        return self.sample_with(draw, bqm, kwargs)

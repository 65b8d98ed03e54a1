"""Some variables held at values, the rest sampled."""

from collections.abc import Hashable, Mapping
from typing import Any, final

import dimod
import numpy as np

from annealnn.models import IsingModel
from annealnn.samplers.composites._base import AnnealComposite, Reads
from annealnn.samplers.composites._values import check_values, states_of


@final
class FixVariablesComposite(AnnealComposite):
    """Variables in `fixed_variables` are held; the child samples the others, given these.

    Examples
    --------
    >>> import dimod
    >>> from annealnn.samplers import FixVariablesComposite, GibbsSampler
    >>> bqm = dimod.BQM({"a": 1.0, "b": 0.0}, {"ab": -1.0}, 0.0, "SPIN")
    >>> FixVariablesComposite(GibbsSampler()).sample(bqm, fixed_variables={"a": 1}).record.sample[0, 0].item()
    1
    """

    @property
    def properties(self) -> dict[str, Any]:
        """`child_properties`, and the child's `distribution`: of the free variables, given the fixed ones."""
        return {**super().properties, "distribution": self.child.properties.get("distribution")}

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        fixed_variables: Mapping[Hashable, int] | None = None,
        **kwargs: Any,
    ) -> dimod.SampleSet:
        """Draw reads of a dimod problem.

        Parameters
        ----------
        bqm : dimod.BinaryQuadraticModel
            In spin or binary form; reads come back in the same form.
        fixed_variables : mapping from label to value, optional
            Values are of the problem's form. If all variables are fixed, the child is not called.
        **kwargs
            The child's keywords. `initial_states` and `initial_state` may have values of fixed variables; the child
            is not given them. Neither is it given their transverse fields, in a `gamma` that is a mapping, or an array
            in the order of the problem's variables: a fixed variable is held classically.

        Returns
        -------
        dimod.SampleSet
            One row for each read, all variables in the problem's order. `info["num_fixed"]` counts the fixed ones; in
            an `info["gamma"]` with a number for each variable, theirs is 0.

        Raises
        ------
        ValueError
            If an argument breaks its rule.
        """
        kwargs = self.remove_unknown_kwargs(**kwargs)
        fixed = {} if fixed_variables is None else check_values("fixed_variables", fixed_variables, bqm)
        if unknown := [v for v in fixed if v not in bqm.variables]:
            msg = f"fixed_variables name variables of the problem; got {unknown[0]!r}"
            raise ValueError(msg)
        free = [v for v in bqm.variables if v not in fixed]
        if kwargs.get("initial_states") is not None:
            kwargs["initial_states"] = (states_of(kwargs["initial_states"], bqm, free), free)
        if kwargs.get("initial_state") is not None:
            given = check_values("initial_state", kwargs["initial_state"], bqm)
            kwargs["initial_state"] = {v: value for v, value in given.items() if v not in fixed}
        gamma = kwargs.get("gamma")
        if gamma is not None and not isinstance(gamma, Mapping) and np.shape(gamma) not in ((), (bqm.num_variables,)):
            msg = f"gamma is one number or one per variable, shape ({bqm.num_variables},); got shape {np.shape(gamma)}"
            raise ValueError(msg)

        def draw(model: IsingModel, keywords: dict[str, Any]) -> tuple[Reads, dict[str, Any]]:  # noqa: ARG001
            num_fixed = {"num_fixed": len(fixed)}
            if fixed and not free:
                row = np.array([[fixed[v] for v in bqm.variables]], dtype=np.int8)
                return Reads(np.repeat(row, keywords.get("num_reads") or 1, axis=0), {}, []), num_fixed
            rest = bqm.copy()
            rest.fix_variables(fixed)
            place = {v: k for k, v in enumerate(bqm.variables)}
            columns = [place[v] for v in rest.variables]
            if isinstance(gamma, Mapping):
                keywords["gamma"] = {v: value for v, value in gamma.items() if v not in fixed}
            elif gamma is not None and np.ndim(gamma) > 0:
                keywords["gamma"] = np.asarray(gamma)[columns]
            (reads,) = self.ask_child([(rest, keywords)])
            values = np.empty((len(reads.values), bqm.num_variables), dtype=np.int8)
            values[:, columns] = reads.values
            for v, value in fixed.items():
                values[:, place[v]] = value
            info: dict[str, Any] = dict(num_fixed)
            said = reads.calls[0].get("gamma")
            if isinstance(said, list) and len(said) == len(columns):
                fields = dict(zip(columns, said, strict=True))
                info["gamma"] = [fields.get(k, 0.0) for k in range(bqm.num_variables)]
            return reads._replace(values=values), info

        return self.sample_with(draw, bqm, kwargs)

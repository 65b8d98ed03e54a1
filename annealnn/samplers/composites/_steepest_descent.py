"""Descent to the nearest local minimum after sampling."""

from typing import Any, final

import dimod
import numpy as np

from annealnn.models import IsingModel, Parameters, bqm_of_terms
from annealnn.samplers.composites._base import AnnealComposite, Reads
from annealnn.typing import AnyArray, Floats


@final
class SteepestDescentComposite(AnnealComposite):
    """The child's reads, each moved down by its best flip until no flip lowers the energy.

    Reads follow no Boltzmann distribution. The descent is that of dwave-samplers; biases below 1e-12 of the largest
    count as zero in it.

    Examples
    --------
    >>> import dimod
    >>> from annealnn.samplers import GibbsSampler, SteepestDescentComposite
    >>> bqm = dimod.BQM({"a": 1.0}, {}, 0.0, "SPIN")
    >>> SteepestDescentComposite(GibbsSampler()).sample(bqm, num_reads=3).record.sample.ravel().tolist()
    [-1, -1, -1]
    """

    def sample(self, bqm: dimod.BinaryQuadraticModel, **kwargs: Any) -> dimod.SampleSet:
        """Draw reads of a dimod problem.

        Parameters
        ----------
        bqm : dimod.BinaryQuadraticModel
            In spin or binary form; reads come back in the same form.
        **kwargs
            The child's keywords.

        Returns
        -------
        dimod.SampleSet
            One row for each read, `num_flips` being the flips of its descent. `info["descent"]` has `num_flips`, of
            all reads together, and `num_moved`, the reads with any. `info["beta"]` is None.

        Raises
        ------
        ValueError
            If an argument breaks its rule.
        """
        kwargs = self.remove_unknown_kwargs(**kwargs)

        def draw(model: IsingModel, keywords: dict[str, Any]) -> tuple[Reads, dict[str, Any]]:
            (reads,) = self.ask_child([(bqm, keywords)])
            spins, num_flips = descend(model, np.where(reads.values > 0, 1, -1).astype(np.int8))
            values = spins if bqm.vartype is dimod.SPIN else (1 + spins) // 2
            info = {"num_flips": int(num_flips.sum()), "num_moved": int(np.count_nonzero(num_flips))}
            moved = reads._replace(values=values, vectors=reads.vectors | {"num_flips": num_flips})
            return moved, {"beta": None, "descent": info}

        return self.sample_with(draw, bqm, kwargs)


def descend(model: IsingModel, spins: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Return the local minima below `spins`, (num_reads, num_variables), and the flips to each, (num_reads,)."""
    from dwave.samplers import SteepestDescentSolver

    if not spins.size:
        return spins, np.zeros(len(spins), dtype=np.int64)
    labels = list(model.structure.labels)
    rounded = bqm_of_terms(model.structure, Parameters(*_on_a_grid(*model.parameters)))
    found = SteepestDescentSolver().sample(
        rounded, initial_states=(spins, labels), num_reads=len(spins), initial_states_generator="none"
    )
    columns = [found.variables.index(v) for v in labels]
    return found.record.sample[:, columns], found.record.num_steps


def _on_a_grid(*terms: Floats) -> list[Floats]:
    """Return terms as multiples of a power of two, 2^-40 of the largest.

    Sums are then exact, so that equal flips are equal in spin and in binary form, and ties break alike.
    """
    largest = max((float(np.abs(t).max()) for t in terms if t.size), default=0.0)
    step = np.ldexp(1.0, int(np.frexp(largest)[1]) - 40)
    return [np.round(t / step) * step for t in terms]

"""Gauges (spin-reversal transforms)."""

from collections.abc import Sequence
from typing import Any, final

import dimod
import numpy as np

from annealnn._validation import check_count
from annealnn.models import IsingModel
from annealnn.samplers.composites._base import AnnealComposite, Reads
from annealnn.samplers.composites._values import check_values, low_value, states_of
from annealnn.typing import AnyArray

# keywords {variable: value} of a processor and of FixVariablesComposite: a gauge that left them would change them
_VALUES = ("initial_state", "fixed_variables")
_RANGES = ("h_range", "j_range", "extended_j_range")


@final
class GaugeComposite(AnnealComposite):
    """Reads drawn in random gauges and brought back, so that a device's asymmetries average out.

    A gauge flips each variable or leaves it, at even odds: its field and couplings change sign with it, and so do its
    initial values (`initial_states`, `initial_state`, `fixed_variables`). Read r is drawn in gauge r mod
    `num_gauges`; each gauge is one call of the child (King & McGeoch 2014).

    Parameters
    ----------
    child : dimod.Sampler
        Takes `num_reads`.

    Raises
    ------
    ValueError
        If the child takes no `num_reads`.

    Examples
    --------
    >>> import dimod
    >>> from annealnn.samplers import GaugeComposite, GibbsSampler
    >>> bqm = dimod.BQM({"a": 1.0}, {}, 0.0, "SPIN")
    >>> reads = GaugeComposite(GibbsSampler()).sample(bqm, num_reads=4, num_gauges=2, seed=7)
    >>> reads.record.gauge.tolist()
    [0, 1, 0, 1]
    """

    def __init__(self, child: dimod.Sampler) -> None:
        super().__init__(child)
        if "num_reads" not in child.parameters:
            msg = (
                f"reads are shared out among gauges, so the child takes num_reads; {type(child).__name__} takes none. "
                "Sample it without gauges"
            )
            raise ValueError(msg)

    @property
    def properties(self) -> dict[str, Any]:
        """`child_properties`, the child's `distribution`, and its ranges as far as they are symmetric.

        A flipped bias must be in range too, so a gauge has no use for an extended range of couplings.
        """
        below = self.child.properties
        ranges = {name: _symmetric(*below[name]) for name in _RANGES if name in below}
        return {**super().properties, "distribution": below.get("distribution"), **ranges}

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int | None = None,
        num_gauges: int = 10,
        seed: int | None = None,
        **kwargs: Any,
    ) -> dimod.SampleSet:
        """Draw reads of a dimod problem.

        Parameters
        ----------
        bqm : dimod.BinaryQuadraticModel
            In spin or binary form; reads come back in the same form.
        num_reads : int, optional
            Of all gauges together. As many as there are `initial_states` if None, else 1.
        num_gauges : int
            At most one for each read is used.
        seed : int, optional
            Of the gauges, and of the child where it takes one. None draws a fresh one.
        **kwargs
            The child's keywords.

        Returns
        -------
        dimod.SampleSet
            One row for each read, `gauge` being the number of its gauge. `info["gauges"]` has the seed of the gauges
            and their `signs`, (gauges used, num_variables), -1 where a variable was flipped; `info["calls"]` the
            child's `info` in each gauge. `info["seed"]` is None where the child takes no seed: reads do not replay.
            After an interrupt of the child, reads of the gauges asked in so far: those that were finished or, if none
            were, those that were begun.

        Raises
        ------
        ValueError
            If an argument breaks its rule.
        """
        kwargs = self.remove_unknown_kwargs(**kwargs)
        check_count("num_gauges", num_gauges)
        low, states = low_value(bqm), kwargs.pop("initial_states", None)
        if states is not None:
            states = states_of(states, bqm, bqm.variables)
        values = {name: check_values(name, kwargs[name], bqm) for name in _VALUES if kwargs.get(name) is not None}
        asked = num_reads if num_reads is not None else 1 if states is None else len(states)

        def draw(model: IsingModel, keywords: dict[str, Any]) -> tuple[Reads, dict[str, Any]]:
            problems, gauges, used = [], [], keywords["seed"]
            for g in range(min(num_gauges, asked)):
                rng = np.random.default_rng([used, g])
                its = keywords | {"seed": int(rng.integers(2**31))}
                signs = 2 * rng.integers(2, size=bqm.num_variables) - 1
                mine = np.arange(g, asked, num_gauges)
                its["num_reads"] = len(mine)
                flipped = {v for v, sign in zip(bqm.variables, signs, strict=True) if sign < 0}
                its |= {
                    name: {v: low + 1 - x if v in flipped and x in (low, 1) else x for v, x in given.items()}
                    for name, given in values.items()
                }
                if states is not None:
                    if keywords.get("initial_states_generator") == "tile":
                        mine %= len(states)
                    # where there are fewer states than reads, the child has its own way to make the rest
                    rows = states[mine[mine < len(states)]]
                    if len(rows):
                        its["initial_states"] = (_turned(rows, signs, low), list(bqm.variables))
                if "seed" not in self.child.parameters:
                    del its["seed"]
                problems.append((model.gauged(signs).to_bqm(bqm.vartype.name), its))
                gauges.append(signs)
            parts = self.ask_child(problems)
            # after an interrupt, those that were asked in
            gauges = gauges[: len(parts)]
            reads = _interleaved(
                [
                    part._replace(values=_turned(part.values, signs, low))
                    for part, signs in zip(parts, gauges, strict=True)
                ]
            )
            return reads, {"gauges": {"seed": used, "signs": [signs.tolist() for signs in gauges]}}

        return self.sample_with(draw, bqm, kwargs | {"num_reads": asked, "seed": seed})


def _symmetric(low: float, high: float) -> list[float]:
    """Return the part of a range that holds each value with its negative."""
    bound = min(-low, high)
    return [-bound, bound]


def _turned(values: AnyArray, signs: AnyArray, low: int) -> AnyArray:
    """Return values, (num_reads, num_variables), in or out of a gauge: the other of `low` and 1 where a sign is -1."""
    return np.where(signs < 0, low + 1 - values, values)


def _interleaved(parts: Sequence[Reads]) -> Reads:
    """Return the first reads of all gauges, then their second ones and so on, with a column `gauge`."""
    counts = [len(part.values) for part in parts]
    gauge = np.repeat(np.arange(len(parts)), counts)
    order = np.lexsort((gauge, np.concatenate([np.arange(count) for count in counts])))
    shared = set.intersection(*(set(part.vectors) for part in parts))
    vectors = {name: np.concatenate([part.vectors[name] for part in parts])[order] for name in sorted(shared)}
    values = np.concatenate([part.values for part in parts])[order]
    return Reads(values, vectors | {"gauge": gauge[order]}, [call for part in parts for call in part.calls])

"""What planted families share: models of bonds, and a planted state hidden by a gauge."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from annealnn._validation import check_choice
from annealnn.benchmark._instance import Instance, InstanceSpec, Optimum
from annealnn.models import IsingModel, Parameters, Structure
from annealnn.typing import AnyArray, Floats, Spins


def model_of_bonds(
    num_variables: int,
    bonds: AnyArray,
    couplings: AnyArray,
    *,
    fields: Floats | None = None,
    labels: Sequence[Hashable] = (),
    offset: float = 0.0,
) -> IsingModel:
    """Return the model of bonds (num_bonds, 2) and their couplings (num_bonds,), in Eq. (1)'s sign.

    Couplings of bonds on the same pair add up; pairs where they cancel are no edges.
    """
    pairs = np.sort(np.asarray(bonds, np.intp).reshape(-1, 2), axis=1)
    keys, which = np.unique(pairs[:, 0] * num_variables + pairs[:, 1], return_inverse=True)
    sums = np.zeros(len(keys))
    np.add.at(sums, which, couplings)
    kept = sums != 0
    edges = np.column_stack(np.divmod(keys[kept], num_variables))
    structure = Structure(num_variables, edges, tuple(labels))
    h = np.zeros(num_variables) if fields is None else fields
    return IsingModel.from_parameters(structure, Parameters(h, sums[kept]), offset)


def plant(
    spec: InstanceSpec,
    model: IsingModel,
    energy: float | None,
    *,
    rng: np.random.Generator,
    gauge: bool,
    state: Spins | None = None,
) -> Instance:
    """Return the instance whose ground state is `state`, flipped by a random gauge if asked.

    A planted state that is all up gives itself away to a solver that starts there, or favours one side; a gauge is
    drawn last, so that the same seed without it is the same problem unflipped.

    Parameters
    ----------
    spec : InstanceSpec
    model : IsingModel
    energy : float or None
        Of the planted state, from the recipe's own sum. None: nothing proves that it is the lowest.
    rng : Generator
    gauge : bool
    state : (num_variables,) of spins, optional
        All up if None.

    Raises
    ------
    ValueError
        If `gauge` is neither True nor False.
    """
    check_choice("gauge", gauge, [True, False])
    size = model.structure.num_variables
    planted: Any = np.ones(size, np.int8) if state is None else state
    if gauge:
        signs = rng.choice(np.array([-1, 1], np.int8), size)
        model, planted = model.gauged(signs), planted * signs
    optimum = None if energy is None else Optimum(energy=float(energy), proof="planted", state=planted)
    return Instance(spec=spec, model=model, optimum=optimum)

"""What all recipes share: an instance of a model and all its options, a stream of random numbers for each spec."""

from typing import Any

import numpy as np

from annealnn.benchmark._instance import Instance, InstanceSpec, Optimum
from annealnn.models import IsingModel, Parameters, Structure
from annealnn.typing import Floats


def draws(size: int, seed: int) -> np.random.Generator:
    """Return the random numbers of a size and seed: those of two sizes have nothing in common."""
    return np.random.default_rng(np.random.SeedSequence([seed, size]))


def model_of(structure: Structure, couplings: Floats, fields: Floats | None = None) -> IsingModel:
    """Return the model of couplings (num_edges,) and fields (num_variables,), in Eq. (1)'s sign."""
    given = structure.zeros().fields if fields is None else fields
    return IsingModel.from_parameters(structure, Parameters(given, couplings))


def instance_of(
    family: str, size: int, seed: int, model: IsingModel, *, optimum: Optimum | None = None, **options: Any
) -> Instance:
    """Return the instance whose spec has all options but those that are None."""
    given = {name: value for name, value in options.items() if value is not None}
    return Instance(spec=InstanceSpec(family=family, size=size, seed=seed, options=given), model=model, optimum=optimum)

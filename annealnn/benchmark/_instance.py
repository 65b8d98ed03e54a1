"""An instance of a family: its problem, and what is known of its optimum."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, final, get_args

import numpy as np

from annealnn._validation import check_choice, check_count
from annealnn.benchmark._canonical import digest, plain
from annealnn.models import IsingModel
from annealnn.typing import Spins

#: What says that an energy is the lowest. "agreement" proves nothing: several solvers found it and none a lower one.
Proof = Literal["planted", "exhaustive", "planar", "tree decomposition", "agreement"]

_RELATIVE = 1e-9
# options that are paths, and those that say what such a file holds: it may lie elsewhere on another machine
_HASH_OF = {"graph": "graph_sha256", "path": "sha256"}
_SHA256 = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{56}\b")


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Optimum:
    """The lowest energy of an instance, and what says so.

    Parameters
    ----------
    energy : float
        In the model's own units, its offset included.
    proof : str
        "planted", "exhaustive", "planar", "tree decomposition", or "agreement", which is no proof.
    state : (num_variables,) of spins, optional
        One state that has it.
    solvers : tuple of str
        Under "agreement": those that found it.

    Raises
    ------
    ValueError
        If the proof is none of these, or solvers agree and none is named.
    """

    energy: float
    proof: Proof
    state: Spins | None = None
    solvers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_choice("proof", self.proof, get_args(Proof))
        if self.proof == "agreement" and not self.solvers:
            msg = "an optimum by agreement names the solvers that agree; got none"
            raise ValueError(msg)

    @property
    def certified(self) -> bool:
        """Whether it is proven."""
        return self.proof != "agreement"

    def reached(self, energies: Any, *, epsilon: float = 0.0) -> Any:
        """Return which energies (...,) are at most `E0 + epsilon |E0|`, to rounding."""
        bound = self.energy + epsilon * abs(self.energy)
        return np.asarray(energies) <= bound + _RELATIVE * max(1.0, abs(self.energy))

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON holds of it; its state as a list of -1 and +1."""
        state = None if self.state is None else [int(s) for s in self.state]
        return {"energy": float(self.energy), "proof": self.proof, "state": state, "solvers": list(self.solvers)}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """Return the optimum that `to_dict` wrote."""
        state = None if given["state"] is None else np.array(given["state"], np.int8)
        return cls(energy=given["energy"], proof=given["proof"], state=state, solvers=tuple(given["solvers"]))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceSpec:
    """Which instance: the same spec builds the same problem, on any machine.

    Parameters
    ----------
    family : str
        A family's name.
    size : int
        As the family counts it: the L of a lattice, a number of variables.
    seed : int
        Of the draw.
    options : mapping
        The family's other keywords; what JSON holds.
    """

    family: str
    size: int
    seed: int = 0
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        check_count("size", self.size)
        check_count("seed", self.seed, minimum=0)
        object.__setattr__(self, "options", plain("options", self.options))

    @property
    def group(self) -> str:
        """The family and its options as one text: what instances of several sizes and seeds have in common.

        Of a SHA-256 the first eight digits are told.
        """
        told = ", ".join(f"{name}={value}" for name, value in sorted(self.options.items()))
        return _SHA256.sub(r"\1", f"{self.family}({told})") if told else self.family

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON holds of it."""
        return {"family": self.family, "size": self.size, "seed": self.seed, "options": dict(self.options)}

    @property
    def shaping(self) -> dict[str, Any]:
        """What of `to_dict` shapes the problem: all but the paths of files whose SHA-256 is among the options."""
        options = {name: value for name, value in self.options.items() if _HASH_OF.get(name) not in self.options}
        return {**self.to_dict(), "options": options}

    @property
    def key(self) -> str:
        """SHA-256 of `shaping`."""
        return digest(self.shaping)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Instance:
    """A problem, where it comes from, and its optimum if the recipe knows it.

    Parameters
    ----------
    spec : InstanceSpec
    model : IsingModel
        Eq. (1)'s sign.
    optimum : Optimum, optional
        What was planted. None: `certify` finds it.
    """

    spec: InstanceSpec
    model: IsingModel
    optimum: Optimum | None = None

"""What is known of an instance's optimum, and what says so."""

from dataclasses import replace

import numpy as np

from annealnn._validation import check_choice
from annealnn.benchmark._instance import Instance, Optimum
from annealnn.benchmark.families._agreement import agree
from annealnn.benchmark.families._prove import prove
from annealnn.benchmark.families._registry import find_family
from annealnn.benchmark.families._tree_optimum import tree_order
from annealnn.models import IsingModel
from annealnn.models._exact import MAX_ENUMERATED
from annealnn.typing import Spins

_RELATIVE = 1e-9
# up to this width a planting is held against the proven optimum: it takes less than a second
_NARROW = 14


def certify(instance: Instance, *, search: bool = True) -> Optimum | None:
    """Return the optimum of an instance, and what says that it is one.

    A planted optimum is checked: its state has its energy, no flip of one spin lowers it, and where enumeration or a
    narrow tree decomposition gives the optimum at once, it is that. Otherwise the family's own proof is tried, then
    those that any problem allows: enumeration, planar matching, tree decomposition. Another proof that an instance
    comes with, in a file, is made again; one that cannot be is a claim, `proof="agreement"`. Where none reaches, unlike
    solvers that find the same lowest energy stand in, `proof="agreement"` too.

    Parameters
    ----------
    instance : Instance
    search : bool
        Whether to look for an agreement of solvers where nothing proves an optimum.

    Returns
    -------
    Optimum or None
        None if nothing is known: no proof reaches, and solvers do not agree or were not asked.

    Raises
    ------
    ValueError
        If what was planted is not the optimum.
    """
    check_choice("search", search, [True, False])
    given = instance.optimum
    if given is not None:
        _check_state(instance, given)
        if given.proof == "planted":
            _check_against_proof(instance, given)
            return given
    family = find_family(instance.spec.family)
    proven = family.certify(instance) if family.certify is not None else None
    proven = proven or prove(instance.model)
    if proven is None:
        return _claimed(given) if given is not None else agree(instance.model) if search else None
    if given is not None and given.certified:
        _check_same(instance, given, proven)
    return proven


def _claimed(given: Optimum) -> Optimum:
    if not given.certified:
        return given
    return replace(given, proof="agreement", solvers=(f"said to be proven: {given.proof}",))


def _check_state(instance: Instance, given: Optimum) -> None:
    if given.state is None:
        msg = f"a {given.proof} optimum that comes with an instance has a state; that of {_name(instance)} has none"
        raise ValueError(msg)
    state = np.asarray(given.state)
    energy = float(instance.model.energy(state))
    if not _same(energy, given.energy):
        msg = (
            f"the {given.proof} state of {_name(instance)} has the energy that is claimed; it has {energy!r}, and "
            f"{given.energy!r} is claimed"
        )
        raise ValueError(msg)
    gains = _gains(instance.model, state)
    if gains.min(initial=0.0) < -_RELATIVE * max(1.0, abs(energy)):
        i = int(gains.argmin())
        msg = (
            f"no flip lowers an optimum; the {given.proof} state of {_name(instance)} has energy {energy!r}, and "
            f"flipping variable {instance.model.labels[i]!r} changes it by {float(gains[i])!r}"
        )
        raise ValueError(msg)


def _check_against_proof(instance: Instance, given: Optimum) -> None:
    small = instance.model.structure.num_variables <= MAX_ENUMERATED
    if not small:
        order = tree_order(instance.model.structure)
        if order is None or order.width > _NARROW:
            return
    proven = prove(instance.model)
    if proven is not None:
        _check_same(instance, given, proven)


def _check_same(instance: Instance, given: Optimum, proven: Optimum) -> None:
    if not _same(proven.energy, given.energy):
        msg = (
            f"the {given.proof} optimum of {_name(instance)} is the lowest energy; {given.energy!r} is claimed, and "
            f"{proven.energy!r} is found ({proven.proof})"
        )
        raise ValueError(msg)


def _gains(model: IsingModel, state: Spins) -> np.ndarray:
    """Return by how much the flip of each spin raises the energy, (num_variables,)."""
    heads, tails = model.structure.ends
    s, couplings = state.astype(np.float64), model.parameters.couplings
    local = model.h.copy()
    np.add.at(local, heads, couplings * s[tails])
    np.add.at(local, tails, couplings * s[heads])
    return np.asarray(2.0 * s * local)


def _same(energy: float, other: float) -> bool:
    return abs(energy - other) <= _RELATIVE * max(1.0, abs(other))


def _name(instance: Instance) -> str:
    spec = instance.spec
    return f"{spec.group}, size {spec.size}, seed {spec.seed}"

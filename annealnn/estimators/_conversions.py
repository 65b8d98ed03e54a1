"""Fitted machines from other libraries, and for them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.neural_network import BernoulliRBM
from sklearn.utils.validation import check_is_fitted

from annealnn.estimators._base import BoltzmannEstimator
from annealnn.estimators._boltzmann import BoltzmannMachine
from annealnn.estimators._restricted import RestrictedBoltzmannMachine
from annealnn.estimators._units import Units
from annealnn.models import IsingModel, Parameters
from annealnn.typing import AnyArray

_STATE = ("_linear", "_quadratic", "_edge_idx_i", "_edge_idx_j", "_visible_idx", "_hidden_idx")


def from_bernoulli_rbm(rbm: BernoulliRBM, *, classes: Any = None, **keywords: Any) -> RestrictedBoltzmannMachine:
    """Return a fitted machine with the distribution of a fitted scikit-learn `BernoulliRBM`.

    Its bits become spins, x = (1 + s) / 2: couplings W / 4, visible fields b / 2 + sum_j W_ji / 4, hidden ones alike.

    Parameters
    ----------
    rbm : BernoulliRBM
    classes : (n_classes,), optional
        Labels, sorted, whose units are the last columns that `rbm` was fitted to: then the machine predicts.
    **keywords
        Constructor arguments of the machine, for what comes next (`partial_fit`, `sample`, ...).

    Returns
    -------
    RestrictedBoltzmannMachine

    Raises
    ------
    NotFittedError
        If `rbm` is not fitted.
    ValueError
        If `classes` are not sorted, are not all different, or leave no column for features.
    """
    check_is_fitted(rbm)
    weights = np.asarray(rbm.components_, dtype=np.float64)
    fields = np.concatenate(
        [
            0.5 * rbm.intercept_visible_ + 0.25 * weights.sum(axis=0),
            0.5 * rbm.intercept_hidden_ + 0.25 * weights.sum(axis=1),
        ]
    )
    machine = RestrictedBoltzmannMachine(len(weights), **keywords)
    num_classes = 0 if classes is None else len(classes)
    if num_classes >= weights.shape[1]:
        msg = f"class units are the last of {weights.shape[1]} columns, and not all of them; got {num_classes} classes"
        raise ValueError(msg)
    labels = Units.of(0, None, classes).classes
    if labels is not None and (not num_classes or labels.tolist() != np.asarray(classes).tolist()):
        msg = f"classes are at least one label, sorted and all different, as their columns are; got {list(classes)}"
        raise ValueError(msg)
    parameters = Parameters(fields, 0.25 * weights.T.reshape(-1))
    machine._set_fitted(weights.shape[1] - num_classes, parameters, classes)
    if hasattr(rbm, "feature_names_in_"):
        machine.feature_names_in_ = rbm.feature_names_in_[: machine.n_features_in_]
    return machine


def to_bernoulli_rbm(machine: RestrictedBoltzmannMachine, **keywords: Any) -> BernoulliRBM:
    """Return a fitted scikit-learn `BernoulliRBM` with the distribution of a fitted machine.

    Parameters
    ----------
    machine : RestrictedBoltzmannMachine
    **keywords
        Constructor arguments of the `BernoulliRBM`.

    Raises
    ------
    NotFittedError
        If the machine is not fitted.
    ValueError
        If it has class units or lateral couplings, for which a `BernoulliRBM` has no place.
    """
    check_is_fitted(machine)
    if not isinstance(machine, RestrictedBoltzmannMachine) or machine.lateral or hasattr(machine, "classes_"):
        msg = (
            "a BernoulliRBM is a RestrictedBoltzmannMachine with lateral=False that was fitted without y; "
            f"got {machine!r}{' with class units' if hasattr(machine, 'classes_') else ''}"
        )
        raise ValueError(msg)
    fields, couplings = machine.model_.parameters
    num_visible = machine.n_features_in_
    J = couplings.reshape(num_visible, -1)
    rbm = BernoulliRBM(n_components=J.shape[1], **keywords)
    rbm.components_ = 4.0 * J.T
    rbm.intercept_visible_ = 2.0 * (fields[:num_visible] - J.sum(axis=1))
    rbm.intercept_hidden_ = 2.0 * (fields[num_visible:] - J.sum(axis=0))
    rbm.n_features_in_ = num_visible
    if hasattr(machine, "feature_names_in_"):
        rbm.feature_names_in_ = machine.feature_names_in_
    return rbm


def from_graph_rbm(state: Mapping[str, Any], **keywords: Any) -> BoltzmannMachine:
    """Return a fitted machine with the distribution of D-Wave's `GraphRestrictedBoltzmannMachine`.

    Parameters
    ----------
    state : mapping
        What its `state_dict()` gives (dwave-pytorch-plugin 0.3 and 0.4): arrays, or tensors on the CPU. Its energy has
        dimod's sign, sum_i linear_i s_i + sum_ij quadratic_ij s_i s_j, its distribution is exp(-energy) / Z: fields and
        couplings are its biases with the other sign.
    **keywords
        Constructor arguments of the machine, other than `graph` and `n_hidden`.

    Returns
    -------
    BoltzmannMachine
        Features are the visible nodes in their order, then come the hidden nodes. Names of nodes are not in the state.

    Raises
    ------
    ValueError
        If the state lacks an array, or its arrays do not fit each other.
    """
    if missing := [name for name in _STATE if name not in state]:
        msg = f"the state of a GraphRestrictedBoltzmannMachine holds {', '.join(_STATE)}; it lacks {missing[0]}"
        raise ValueError(msg)
    linear, quadratic = (np.asarray(state[name], dtype=np.float64) for name in _STATE[:2])
    heads, tails, visible, hidden = (np.asarray(state[name]).astype(np.intp) for name in _STATE[2:])
    order = np.concatenate([visible, hidden])
    if len(heads) != len(quadratic) or len(tails) != len(quadratic) or set(order) != set(range(len(linear))):
        msg = (
            "a state has a linear bias for each visible and hidden node and a quadratic bias for each edge; got "
            f"{len(linear)} and {len(quadratic)} for {len(visible)} + {len(hidden)} nodes and {len(heads)} edges"
        )
        raise ValueError(msg)
    place = np.argsort(order)
    edges = np.column_stack([place[heads], place[tails]])
    machine = BoltzmannMachine([(int(a), int(b)) for a, b in edges], n_hidden=len(hidden), **keywords)
    machine._set_fitted(len(visible), Parameters(-linear[order], -quadratic))
    return machine


def to_graph_rbm(machine: BoltzmannEstimator) -> dict[str, AnyArray]:
    """Return the state of a D-Wave `GraphRestrictedBoltzmannMachine` with the distribution of a fitted machine.

    Node k is unit k: features, class units, hidden units. To load it::

        state = {name: torch.as_tensor(array) for name, array in to_graph_rbm(machine).items()}
        edges = zip(state["_edge_idx_i"].tolist(), state["_edge_idx_j"].tolist())
        grbm = GraphRestrictedBoltzmannMachine(range(len(state["_linear"])), edges, state["_hidden_idx"].tolist())
        grbm.load_state_dict(state)

    Parameters
    ----------
    machine : estimator
        A Boltzmann machine of bits without a transverse field.

    Returns
    -------
    dict of arrays
        float64, and int64 for numbers of nodes; biases in dimod's sign.

    Raises
    ------
    NotFittedError
        If the machine is not fitted.
    ValueError
        If it is a quantum machine.
    """
    check_is_fitted(machine)
    if not isinstance(machine.model_, IsingModel):
        msg = f"a GraphRestrictedBoltzmannMachine is classical; got {type(machine).__name__}"
        raise ValueError(msg)
    structure, (fields, couplings) = machine.structure_, machine.model_.parameters
    heads, tails = (ends.astype(np.int64) for ends in structure.ends)
    num_visible = machine._units.num_units
    hidden = np.arange(num_visible, structure.num_variables)
    # what the class keeps to sum over each hidden node's neighbours: nodes, edges, and where each list ends
    touching = [(np.flatnonzero(heads == unit), np.flatnonzero(tails == unit)) for unit in hidden]
    neighbours = [np.concatenate([tails[first], heads[second]]) for first, second in touching]
    edges = [np.sort(np.concatenate(pair)) for pair in touching]
    empty = [np.zeros(0, dtype=np.int64)]
    return {
        "_linear": -fields,
        "_quadratic": -couplings,
        "_edge_idx_i": heads,
        "_edge_idx_j": tails,
        "_visible_idx": np.arange(num_visible),
        "_hidden_idx": hidden,
        "_flat_adj": np.concatenate(neighbours + empty),
        "_flat_j_idx": np.concatenate(edges + empty),
        "_bin_idx": np.cumsum([len(some) for some in edges], dtype=np.int64) - 1,
    }

"""What evolutions are asked for: a problem, a drive, the state that they begin in, and times."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from annealnn.models import IsingModel
from annealnn.models._exact import basis_numbers
from annealnn.schedules import Drive
from annealnn.schedules._checks import check_rising, real_numbers
from annealnn.typing import AnyArray, Floats


def check_inputs(problem: Any, drive: Any) -> None:
    """Check that an IsingModel and a Drive are given.

    Raises
    ------
    TypeError
        If not.
    """
    if not isinstance(problem, IsingModel):
        msg = f"problem is an IsingModel; got {type(problem).__name__}. Of dimod's take IsingModel.from_bqm"
        raise TypeError(msg)
    if not isinstance(drive, Drive):
        msg = f"drive is a Drive; got {type(drive).__name__}. Of an AnnealSchedule take its drive()"
        raise TypeError(msg)


def checked_times(times: Any, drive: Drive) -> Floats:
    """Return `times` within the drive, rising, (num_times,): its end if None.

    Raises
    ------
    ValueError
        If they do not rise, or leave the drive.
    """
    if times is None:
        return np.array([drive.duration])
    out = real_numbers("times", times, at_least=1)
    check_rising("times", out)
    if out[0] < 0 or out[-1] > drive.duration:
        msg = f"times are from 0 to {drive.duration:g}, the drive's duration; got {out[0]:g} to {out[-1]:g}"
        raise ValueError(msg)
    return out


def initial_amplitudes(problem: IsingModel, state: Any) -> AnyArray | int | None:
    """Return what `initial_state` says: None for all qubits along +X, a basis state's number, or amplitudes.

    Parameters
    ----------
    problem : IsingModel
    state : None, mapping, array of shape (num_variables,) or (2**num_variables,)
        None, spins by label or in order, or amplitudes of norm 1.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    n = problem.structure.num_variables
    if state is None:
        return None
    if isinstance(state, Mapping):
        if missing := [label for label in problem.labels if label not in state]:
            msg = f"initial_state has a spin for every variable; got none for {missing[0]!r}"
            raise ValueError(msg)
        state = [state[label] for label in problem.labels]
    values = np.asarray(state)
    if values.dtype.kind not in "biufc":
        msg = f"initial_state holds numbers; got {state!r:.200}"
        raise ValueError(msg)
    if values.shape == (n,):
        if not np.isin(values, [-1, 1]).all():
            msg = f"initial_state, as one value for each variable, holds spins, -1 or +1; got {values.tolist()!r}"
            raise ValueError(msg)
        return int(basis_numbers(values.real[None].astype(np.int8))[0])
    if values.shape != (2**n,):
        msg = (
            f"initial_state is None, spins of {n} variables, or 2^{n} amplitudes; got an array of shape {values.shape}"
        )
        raise ValueError(msg)
    norm = float(np.linalg.norm(values))
    if not abs(norm - 1) < 1e-6:
        msg = f"amplitudes have norm 1; got {norm:.6g}. Divide them by it"
        raise ValueError(msg)
    return values / norm

"""The Ising models that training leaves behind: Boltzmann machines of handwritten digits."""

from typing import Any, Literal

from annealnn._validation import check_choice, check_count
from annealnn.benchmark._instance import Instance
from annealnn.benchmark.families._build import instance_of
from annealnn.benchmark.families._registry import Family

_CLASSES = (1, 2, 3, 4)


def learned(
    size: int,
    *,
    seed: int = 0,
    machine: Literal["restricted", "visible"] = "restricted",
    n_iter: int | None = None,
) -> Instance:
    """Return the model of a Boltzmann machine trained on OptDigits, 42 pixels and 4 class units of digits 1 to 4.

    Parameters
    ----------
    size : int
        Hidden units of a restricted machine; of the fully visible one its variables, 46.
    seed : int
        Of the training.
    machine : "restricted" or "visible"
        Hidden units that are coupled to visible ones only, or all pairs of the 46 visible ones.
    n_iter : int, optional
        Epochs of a restricted machine, 30 if None; full-batch steps of the visible one, 300.

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Notes
    -----
    Persistent contrastive divergence, seconds. Labels are 0..45 for the data's columns, then hidden units. The optimum
    is the machine's likeliest state; its other local minima, the valleys, are what samplers are compared by (Koshka &
    Novotny 2020). Training multiplies differences in the last bit: on another kind of processor, or with another
    release of NumPy, the same seed may give another model. `model_digest` tells.
    """
    from annealnn.datasets import load_optdigits
    from annealnn.estimators import BoltzmannMachine, RestrictedBoltzmannMachine

    check_count("size", size)
    check_choice("machine", machine, ["restricted", "visible"])
    if n_iter is not None:
        check_count("n_iter", n_iter)
    X, _ = load_optdigits("train", classes=_CLASSES, crop="7x6", labels="one-hot", return_X_y=True)
    if machine == "visible" and size != X.shape[1]:
        msg = f"the fully visible machine has {X.shape[1]} variables; got size={size}"
        raise ValueError(msg)
    shared: dict[str, Any] = {"random_state": seed, "progress": False}
    epochs = n_iter or (30 if machine == "restricted" else 300)
    if machine == "restricted":
        fitted = RestrictedBoltzmannMachine(size, n_iter=epochs, learning_rate=0.02, **shared).fit(X)
    else:
        fitted = BoltzmannMachine(n_iter=epochs, **shared).fit(X)
    return instance_of("learned", size, seed, fitted.model_, machine=machine, n_iter=epochs)


LEARNED = Family(
    name="learned",
    build=learned,
    summary="the model of a Boltzmann machine trained on handwritten digits",
    source="Koshka & Novotny 2020; Benedetti et al. 2017, Phys. Rev. X 7, 041052",
)

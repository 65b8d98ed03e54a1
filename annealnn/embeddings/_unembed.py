"""What reads of qubits say of variables where chains are broken."""

from typing import Literal, NamedTuple, get_args

import numpy as np

from annealnn._validation import check_choice
from annealnn.embeddings._chains import EmbeddedStructure
from annealnn.models import Parameters
from annealnn.typing import AnyArray, Indices, Spins

Unembedding = Literal["majority", "weighted-random", "minimize-energy", "discard"]

UNEMBEDDINGS: tuple[Unembedding, ...] = get_args(Unembedding)


class Unembedded(NamedTuple):
    """Reads of variables."""

    spins: Spins  #: (num_kept, num_variables)
    broken: AnyArray  #: (num_kept, num_variables) bool, True where the chain's qubits disagree
    kept: Indices  #: (num_kept,) which reads these are; all, but for "discard"


def unembed(
    embedded: EmbeddedStructure,
    reads: Spins,
    rule: Unembedding = "majority",
    *,
    parameters: Parameters | None = None,
    seed: int = 0,
) -> Unembedded:
    """Return reads of variables from reads of qubits.

    Parameters
    ----------
    embedded : EmbeddedStructure
    reads : (num_reads, num_qubits) spins
        Columns as in `embedded.physical`.
    rule : {"majority", "weighted-random", "minimize-energy", "discard"}
        For broken chains: the majority of the qubits, a tie going to the first; the spin of a qubit drawn for each read
        and chain (dwave-system draws one for all reads together, which ties reads to each other); the spin of lowest
        energy, chain after chain, that with the strongest pull first; or reads with a broken chain are left out.
    parameters : Parameters, optional
        Of the variables, in Eq. (1)'s sign; "minimize-energy" needs them.
    seed : int
        Of "weighted-random"; the first 5 of 50 reads are decoded as the 5 reads.

    Raises
    ------
    ValueError
        If the rule is not known, or parameters are missing.
    """
    check_choice("unembedding", rule, UNEMBEDDINGS)
    spins, broken = embedded.decode(reads)
    everything = np.arange(len(spins))
    if rule == "discard":
        kept = np.flatnonzero(~broken.any(axis=1))
        return Unembedded(spins[kept], broken[kept], kept)
    if rule == "weighted-random":
        return Unembedded(_drawn(embedded, reads, seed), broken, everything)
    if rule == "minimize-energy":
        if parameters is None:
            msg = "minimize-energy needs the problem; got parameters None. Give the parameters of the variables"
            raise ValueError(msg)
        return Unembedded(_descended(embedded, spins, broken, parameters), broken, everything)
    return Unembedded(spins, broken, everything)


def _drawn(embedded: EmbeddedStructure, reads: Spins, seed: int) -> Spins:
    """Return the spin of a qubit of each chain, drawn for each read."""
    lengths = np.diff(np.append(embedded.starts, len(embedded.chain_of)))
    uniform = np.random.default_rng(seed).random((len(reads), len(lengths)))
    picked = embedded.starts + (uniform * lengths).astype(np.intp)
    return np.take_along_axis(np.asarray(reads, dtype=np.int8), picked, axis=1)


def _descended(embedded: EmbeddedStructure, majority: Spins, broken: AnyArray, parameters: Parameters) -> Spins:
    """Return reads whose broken chains are set one after another to the spin of lower energy.

    First that on which intact chains and those already set pull most; where nothing pulls, the majority stays.
    """
    couplings = embedded.source.dense(parameters.couplings)
    spins = majority.copy()
    rows = np.flatnonzero(broken.any(axis=1))
    left = broken[rows].copy()
    known = np.where(left, 0, spins[rows]).astype(np.float64)
    pulls = known @ couplings + parameters.fields
    while left.any():
        active = left.any(axis=1)
        v = np.where(left, np.abs(pulls), -1.0).argmax(axis=1)
        at = np.arange(len(rows))
        pull = pulls[at, v]
        chosen = np.where(pull == 0, majority[rows, v], np.sign(pull)).astype(np.int8)
        spins[rows[active], v[active]] = chosen[active]
        left[at, v] = False
        pulls += np.where(active, chosen, 0)[:, None] * couplings[v]
    return spins

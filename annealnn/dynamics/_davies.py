"""The Davies generator: how a weakly coupled bath moves a density matrix under one Hamiltonian."""

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from annealnn._memory import check_memory
from annealnn.dynamics._bath import OhmicBath
from annealnn.typing import Floats, Indices

Density: TypeAlias = NDArray[np.complex128]
# rows, columns and values of a sparse matrix, (num_entries,) each; those of one place add up
Entries: TypeAlias = tuple[Indices, Indices, Floats]

# frequencies closer than this, relative to the spectrum's width, are one: far above what rounding does to an eigenvalue
_SAME = 1e-9
# matrix elements of Z below this are rounding
_NONE = 1e-12
# a frequency that more transitions share is applied as an operator, not written out as pairs of transitions
_MANY = 512
# states so few that a matrix between their pairs is dense
_FEW = 8
# of every pair of transitions, until it is an entry of the generator
_PAIR_BYTES = 64
# a Dyson series of norm e**2 loses one digit
_SERIES = 2.0
# a term of the series that adds nothing to numbers of order 1
_SMALL = 1e-17


@final
@dataclass(frozen=True, slots=True, eq=False)
class DaviesGenerator:
    """L(rho) = -i [H, rho] + sum_{i, omega} gamma(omega) (A rho A^T - {A^T A, rho} / 2), A = A_i(omega).

    A_i(omega) is the part of Z_i that lowers the energy by omega: the sum over E_b - E_a = omega of |a><a|Z_i|b><b|.
    Degenerate levels, and transitions of one frequency, stay together in it, so that the generator does not depend on
    the choice of eigenvectors. The Lamb shift is left out. The two parts commute.

    Where no two transitions share a frequency, populations and coherences move apart: `transfers` between the former,
    a decay of each of the latter. What sharing adds is in `shared`.

    Source: Davies, Commun. Math. Phys. 39, 91 (1974); Albash et al., New J. Phys. 14, 123016 (2012).
    """

    energies: Floats  #: levels (num_states,), rising, 1/time
    vectors: Floats  #: eigenvectors as columns, (num_states, num_states)
    transfers: Floats  #: rate of b -> a at [a, b], (num_states, num_states), 0 on the diagonal
    decays: Floats  #: what multiplies <a|rho|c>, (num_states, num_states)
    shared: Any  #: None, or (num_states**2, num_states**2), rows and columns numbered a * num_states + c
    operators: tuple[Floats, ...]  #: sqrt(gamma) A, (num_qubits, num_states, num_states), of frequencies many share
    fastest: float  #: bound on the rate at which a state is left, 1/time

    @classmethod
    def of(cls, hamiltonian: Floats, signs: Floats, bath: OhmicBath) -> "DaviesGenerator":
        """Return the generator.

        Parameters
        ----------
        hamiltonian : array of shape (num_states, num_states)
            Real and symmetric, 1/time.
        signs : array of shape (num_qubits, num_states)
            Diagonals of the Z_i.
        bath : OhmicBath

        Raises
        ------
        MemoryError
            If degeneracies make more pairs of transitions than fit in memory.
        """
        return cls.from_spectrum(*np.linalg.eigh(hamiltonian), signs, bath)

    @classmethod
    def from_spectrum(cls, energies: Floats, vectors: Floats, signs: Floats, bath: OhmicBath) -> "DaviesGenerator":
        """Return the generator of levels (num_states,) and eigenvectors (num_states, num_states); see `of`."""
        # every A at once: which elements belong together does not matter before the pairs are made
        elements = vectors.T @ (signs[:, :, None] * vectors)
        elements[np.abs(elements) < _NONE] = 0
        elements *= np.sqrt(bath.rates(energies - energies[:, None]))
        transitions = _Transitions.of(energies, elements)
        operators = tuple(transitions.operator(elements, group) for group in transitions.crowded())
        rest = elements - sum(operators) if operators else elements
        loss, gains = transitions.shared(rest)
        for part in operators:
            loss += (part.transpose(0, 2, 1) @ part).sum(axis=0)
        shared = _assembled(gains, loss)
        transfers, diagonal = (rest**2).sum(axis=0), np.diagonal(rest, axis1=1, axis2=2)
        leaving = transfers.sum(axis=0) + np.diagonal(loss)
        np.fill_diagonal(transfers, 0)
        decays = diagonal.T @ diagonal - (leaving[:, None] + leaving) / 2
        fastest = float((leaving + np.abs(loss).sum(axis=0)).max())
        return cls(energies, vectors, transfers, decays, shared, operators, fastest)

    def evolved(self, rho: Density, duration: float) -> Density:
        """Return exp(duration L) rho of a density matrix (num_states, num_states) in the computational basis.

        Exact to rounding, so completely positive and trace preserving to rounding.
        """
        state = turned(self.vectors, rho)
        if self.fastest > 0:
            steps = max(1, int(np.ceil(2 * self.fastest * duration / _SERIES)))
            for _ in range(steps):
                state = self._series(state, duration / steps)
        phases = np.exp(-1j * duration * self.energies)
        return turned(self.vectors.T, state * (phases[:, None] * phases.conj()))

    def dissipated(self, rho: Density) -> Density:
        """Return L(rho) + i [H, rho], the bath's part, of a Hermitian matrix in the computational basis."""
        return turned(self.vectors.T, self._dissipated(turned(self.vectors, rho)))

    def _dissipated(self, state: Density) -> Density:
        size = len(state)
        out = self.decays * state
        out.ravel()[:: size + 1] += self.transfers @ state.ravel()[:: size + 1].real
        if self.shared is not None:
            # real times complex, as real times two columns
            columns = np.ascontiguousarray(state).view(np.float64).reshape(size**2, 2)
            out += np.ascontiguousarray(self.shared @ columns).view(np.complex128).reshape(size, size)
        for part in self.operators:
            out += (part @ state @ part.transpose(0, 2, 1)).sum(axis=0)
        return out

    def _series(self, state: Density, duration: float) -> Density:
        out, term, order = state, state, 0
        while np.abs(term).max() > _SMALL:
            order += 1
            term = self._dissipated(term) * (duration / order)
            out = out + term
        return out


def turned(vectors: Floats, rho: Density) -> Density:
    """Return vectors^T rho vectors of a Hermitian matrix, (num_states, num_states), by products of real matrices."""
    half = (vectors.T @ np.ascontiguousarray(rho).view(np.float64)).view(np.complex128)
    return (vectors.T @ np.ascontiguousarray(half.conj().T).view(np.float64)).view(np.complex128)


def runs(values: Floats, width: float) -> tuple[Indices, Indices]:
    """Return the first place and the length of each run of rising values whose neighbours are within `width`."""
    first = np.concatenate([[0][: len(values)], np.flatnonzero(values[1:] - values[:-1] > width) + 1]).astype(np.intp)
    return first, np.append(first[1:], len(values)) - first


class _Transitions(NamedTuple):
    """Transitions starts -> ends, sorted by frequency, in groups of one frequency."""

    ends: Indices  #: (num_transitions,)
    starts: Indices  #: (num_transitions,)
    first: Indices  #: of each group, (num_groups,)
    sizes: Indices  #: (num_groups,)

    @classmethod
    def of(cls, energies: Floats, elements: Floats) -> "_Transitions":
        """Return the transitions of which an element (num_qubits, num_states, num_states) is not 0, and that share."""
        ends, starts = np.nonzero(elements.any(axis=0))
        omega = energies[starts] - energies[ends]
        order = np.argsort(omega, kind="stable")
        first, sizes = runs(omega[order], _SAME * (energies[-1] - energies[0]))
        ends, starts = ends[order], starts[order]
        first, sizes = first[sizes > 1], sizes[sizes > 1]
        # |a><a| of all a share omega = 0, which is part of the decays
        mixed = [bool((ends[k : k + m] != starts[k : k + m]).any()) for k, m in zip(first, sizes, strict=True)]
        return cls(ends, starts, first[mixed], sizes[mixed])

    def crowded(self) -> list[int]:
        """Return the groups that are applied as operators."""
        return np.flatnonzero(self.sizes > _MANY).tolist()

    def operator(self, elements: Floats, group: int) -> Floats:
        """Return the elements (num_qubits, num_states, num_states) of one group, 0 elsewhere."""
        members = slice(self.first[group], self.first[group] + self.sizes[group])
        ends, starts = self.ends[members], self.starts[members]
        out = np.zeros_like(elements)
        out[:, ends, starts] = elements[:, ends, starts]
        return out

    def shared(self, elements: Floats) -> tuple[Floats, Entries]:
        """Return what pairs of different transitions in one group add to sum A^T A and to rho -> sum A rho A^T.

        Pairs within the diagonals of A are left out: the decays have them.
        """
        size = elements.shape[-1]
        sizes = np.where(self.sizes > _MANY, 0, self.sizes)
        total = int((sizes**2).sum())
        if not total:
            return np.zeros((size, size)), (np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0))
        check_memory(
            f"{total:,} pairs of transitions of equal frequency",
            _PAIR_BYTES * total,
            "Take fewer qubits, or fields and couplings without so many degeneracies",
        )
        # each member of a group meets all its members in turn
        partners = np.repeat(sizes, sizes)
        members = np.repeat(self.first - np.cumsum(sizes) + sizes, sizes) + np.arange(len(partners))
        left = np.repeat(members, partners)
        turn = np.arange(total) - np.repeat(np.cumsum(partners) - partners, partners)
        right = np.repeat(np.repeat(self.first, sizes), partners) + turn
        ends, starts = self.ends, self.starts
        plain = ends == starts
        wanted = (left != right) & ~(plain[left] & plain[right])
        left, right = left[wanted], right[wanted]
        strengths = np.ascontiguousarray(elements[:, ends, starts].T)
        values = np.einsum("ki,ki->k", strengths[left], strengths[right])
        one_end = ends[left] == ends[right]
        lost = np.zeros((size, size))
        np.add.at(lost, (starts[left[one_end]], starts[right[one_end]]), values[one_end])
        rows, columns = ends[left] * size + ends[right], starts[left] * size + starts[right]
        return lost, (rows, columns, values)


def _assembled(gains: Entries, loss: Floats) -> Any:
    """Return `gains` minus half the anticommutator with what `loss` (num_states, num_states) has off its diagonal.

    A matrix (num_states**2, num_states**2), dense if it is small; None if there is nothing in it.
    """
    size = len(loss)
    a, b = np.nonzero(loss * (1 - np.eye(size)))
    if not len(a) + len(gains[0]):
        return None
    every, half = np.arange(size), np.repeat(-loss[a, b] / 2, size)
    left, right = (
        np.concatenate([(k[:, None] * size + every).ravel(), (every * size + k[:, None]).ravel()]) for k in (a, b)
    )
    rows, columns = np.concatenate([gains[0], left]), np.concatenate([gains[1], right])
    values = np.concatenate([gains[2], half, half])
    if size <= _FEW:
        return np.bincount(rows * size**2 + columns, values, size**4).reshape(size**2, size**2)
    return csr_array((values, (rows, columns)), (size**2, size**2))

"""The lowest levels of H = -transverse sum_i gamma_i X_i + problem E(Z) at one instant, and their states."""

import inspect
from typing import Any, Literal, NamedTuple, TypeAlias, final

import numpy as np
from scipy.linalg import eigh
from scipy.sparse.linalg import LinearOperator, eigsh
from threadpoolctl import threadpool_limits

from annealnn._memory import check_memory
from annealnn._validation import check_choice, check_count
from annealnn.kernels.transverse import transverse_product
from annealnn.models import IsingModel, Parameters, Structure
from annealnn.models._exact import basis_energies
from annealnn.samplers._gamma import Gamma, gamma_by_variable
from annealnn.schedules import EnergyScales
from annealnn.typing import AnyArray, Floats

SectorName: TypeAlias = Literal["even", "odd"]

# a matrix of so many states is diagonalised sooner than Lanczos begins
_DENSE = 256
# of so many it still is, where many of its levels are asked for
_MANY_DENSE = 4096
# of a residual, relative to the level; a level's own error goes as its square
_TOLERANCE = 1e-9
# levels, if nobody says how many
_FEW = 4
# Lanczos vectors at least
_LANCZOS = 20
# the share of a start vector that is random, so that it has a part along states that the last ones lack
_RANDOM_SHARE = 0.1
# the same, of a level that is only compared with others
_ROUGH = 1e-6
# another level below the highest one found, by this share of the spectrum's width, was missed
_MISSED = 1e-10


class Low(NamedTuple):
    """The lowest levels and their states, of one sector."""

    levels: Floats  #: (k,), rising
    states: Floats  #: (num_states, k), real, orthonormal


@final
class Sector:
    """H on all basis states (parity 0), or where flipping all spins gives parity +1 or -1.

    The flip is a symmetry where there are no fields. A state of a parity is given by its first half, on which variable
    0 is in basis digit 0, scaled to norm 1.
    """

    def __init__(self, energies: Floats, gamma: Floats, parity: int = 0) -> None:
        self.num_states = len(energies) // 2 if parity else len(energies)
        self.energies, self.gamma, self.parity = energies[: self.num_states], gamma, parity
        self._widths = float(np.abs(gamma).sum()), float(np.abs(energies).max())
        self._driver: Floats | None = None

    def product(self, transverse: float, problem: float, states: Floats) -> Floats:
        """Return H times states, (num_states,) or (num_states, k)."""
        columns = states.reshape(self.num_states, -1)
        out = np.empty_like(columns.T)
        for column, row in zip(np.ascontiguousarray(columns.T), out, strict=True):
            transverse_product(self.energies, problem, transverse * self.gamma, self.parity, column, row)
        return out.T.reshape(states.shape)

    def lowest(self, transverse: float, problem: float, k: int, rng: np.random.Generator, last: Low | None) -> Low:
        """Return the lowest `k` levels, or as many as there are. `last`, of a near instant, is where to start from."""
        k = min(k, self.num_states)
        if not (transverse and self.gamma.any()):
            return self._classical(problem * self.energies, k)
        if not (problem and self.energies.any()):
            return self._transverse(transverse, k)
        if self.num_states <= _DENSE or (self.num_states <= _MANY_DENSE and 8 * k > self.num_states):
            matrix = transverse * self._transverse_matrix()
            matrix[np.diag_indices_from(matrix)] += problem * self.energies
            return Low(*eigh(matrix, subset_by_index=(0, k - 1), overwrite_a=True))
        return self._iterated(transverse, problem, k, rng, last)

    def _classical(self, energies: Floats, k: int) -> Low:
        first = _lowest(energies, k)
        states = np.zeros((self.num_states, k))
        states[first, np.arange(k)] = 1
        return Low(energies[first], states)

    def _transverse(self, transverse: float, k: int) -> Low:
        # -sum_i gamma_i X_i is the energy of fields, in the basis of X
        n = len(self.gamma)
        alone = Parameters(transverse * self.gamma, np.zeros(0))
        energies = basis_energies(Structure(n, np.zeros((0, 2), np.intp)), alone)
        numbers = np.arange(2**n)
        if self.parity:
            numbers = numbers[(np.bitwise_count(numbers) % 2 == 0) == (self.parity > 0)]
        chosen = numbers[_lowest(energies[numbers], k)]
        states = np.empty((self.num_states, k))
        for column, number in zip(states.T, chosen, strict=True):
            signs = np.ones(1)
            for bit in range(self.num_states.bit_length() - 1):
                signs = np.concatenate([signs, -signs if number >> bit & 1 else signs])
            column[:] = signs / np.sqrt(self.num_states)
        return Low(energies[chosen], states)

    def _transverse_matrix(self) -> Floats:
        if self._driver is None:
            self._driver = self.product(1.0, 0.0, np.eye(self.num_states))
        return self._driver

    def _iterated(self, transverse: float, problem: float, k: int, rng: np.random.Generator, last: Low | None) -> Low:
        width = abs(transverse) * self._widths[0] + abs(problem) * self._widths[1]
        start = rng.standard_normal(self.num_states) / np.sqrt(self.num_states)
        if last is not None:
            start = _RANDOM_SHARE * start + last.states.sum(axis=1)
        found = self._lanczos(transverse, problem, k, start, _TOLERANCE)
        # a Krylov space has one state of each level: what it lacks of degenerate ones is the lowest of the rest
        while True:
            lifted = found.states, found.levels[-1] - found.levels + 0.1 * width
            rest = self._lanczos(transverse, problem, 1, rng.standard_normal(self.num_states), _ROUGH, lifted)
            if rest.levels[0] < found.levels[-1] + 2 * _ROUGH * width:
                # too near to tell
                rest = self._lanczos(transverse, problem, 1, rest.states[:, 0], _TOLERANCE, lifted)
            if rest.levels[0] > found.levels[-1] - _MISSED * width:
                return found
            states, _ = np.linalg.qr(np.column_stack([found.states[:, : k - 1], rest.states]))
            levels, turn = eigh(states.T @ self.product(transverse, problem, states))
            found = Low(levels, states @ turn)

    def _lanczos(
        self,
        transverse: float,
        problem: float,
        k: int,
        start: Floats,
        tolerance: float,
        lifted: tuple[Floats, Floats] | None = None,
    ) -> Low:
        """Return the lowest levels by restarted Lanczos (Lehoucq, Sorensen, Yang 1998), some states being lifted."""
        fields = transverse * self.gamma

        def product(vector: Floats) -> Floats:
            vector, out = np.ascontiguousarray(vector.reshape(-1)), np.empty(self.num_states)
            transverse_product(self.energies, problem, fields, self.parity, vector, out)
            if lifted is not None:
                states, lift = lifted
                out += states @ (lift * (vector @ states))
            return out

        operator = LinearOperator((self.num_states, self.num_states), matvec=product, dtype=np.float64)
        size = min(self.num_states, max(2 * k + 1, _LANCZOS))
        levels, states = eigsh(operator, k=k, which="SA", v0=start, ncv=size, tol=tolerance, **_seeded())
        order = np.argsort(levels)
        return Low(levels[order], states[:, order])


def _seeded() -> dict[str, Any]:
    # of vectors that ARPACK draws where a Krylov space ends; before scipy 1.17 it has a seed of its own
    return {"rng": 0} if "rng" in inspect.signature(eigsh).parameters else {}


@final
class LevelPath:
    """The low levels of one problem along s, each instant solved from the last one asked for.

    Parameters
    ----------
    model : IsingModel
        At least one variable.
    gamma : float, mapping or array of shape (num_variables,)
    scales : EnergyScales
    sector : "even", "odd" or None
        None is the whole space; where flipping all spins is a symmetry, levels of either parity are found apart.
    k : int or None
        Levels; None is four, or as many as there are.
    seed : int
        Of start vectors.

    Raises
    ------
    ValueError
        If an argument breaks its rule.
    MemoryError
        If the vectors do not fit, before any is made.
    """

    def __init__(
        self, model: IsingModel, gamma: Gamma, scales: EnergyScales, sector: SectorName | None, k: int | None, seed: int
    ) -> None:
        for name, value, wanted in (("problem", model, IsingModel), ("scales", scales, EnergyScales)):
            if not isinstance(value, wanted):
                msg = f"{name} is an {wanted.__name__}; got {type(value).__name__}"
                raise TypeError(msg)
        n = check_count("the problem's number of variables", model.structure.num_variables)
        self.gamma = gamma_by_variable(gamma, model.structure)
        self.scales = scales
        check_choice("sector", sector, [None, "even", "odd"])
        if sector and model.h.any():
            msg = (
                f"sector goes with a problem without fields, which flipping all spins leaves as it is; got h={model.h}"
            )
            raise ValueError(msg)
        num_states = 2 ** (n - 1 if sector else n)
        self.k = check_count("k", min(_FEW, num_states) if k is None else k)
        check_levels(self.k, n, num_states=num_states)
        energies = basis_energies(model.structure, model.parameters)
        parities = {"even": [1], "odd": [-1], None: [0] if model.h.any() else [1, -1]}[sector]
        self.sectors = [Sector(energies, self.gamma, parity) for parity in parities]
        self._last: list[Low] | list[None] = [None] * len(parities)
        self._rng = np.random.default_rng(seed)

    @property
    def num_ground(self) -> int:
        """Number of states of least energy at s = 1."""
        each = [part.energies for part in self.sectors]
        least = min(float(energies.min()) for energies in each)
        slack = 1e-9 * max(float(np.abs(energies).max()) for energies in each)
        return sum(int((energies <= least + slack).sum()) for energies in each)

    @property
    def num_states(self) -> int:
        """Number of states, of all sectors."""
        return sum(part.num_states for part in self.sectors)

    def slopes(self, s: float) -> tuple[float, float]:
        """Return d transverse/ds and d problem/ds at `s`, on its right where the scales have a corner."""
        scales = self.scales
        begin = min(int(np.searchsorted(scales.s, s, side="right")), len(scales.s) - 1) - 1
        run, *rises = (
            float(values[begin + 1] - values[begin]) for values in (scales.s, scales.transverse, scales.problem)
        )
        return rises[0] / run, rises[1] / run

    def low(self, s: float) -> list[Low]:
        """Return the lowest k levels at `s` of each sector."""
        transverse, problem = (float(scale) for scale in self.scales.at(s))
        # of tall thin matrices; two threads of BLAS would wait for each other
        with threadpool_limits(1, "blas"):
            found = [
                part.lowest(transverse, problem, self.k, self._rng, last)
                for part, last in zip(self.sectors, self._last, strict=True)
            ]
        self._last = found
        return found

    def levels(self, s: float) -> Floats:
        """Return the lowest k levels at `s`, (k,)."""
        return np.sort(np.concatenate([low.levels for low in self.low(s)]))[: self.k]


def check_levels(k: int, num_variables: int, num_states: int | None = None) -> None:
    """Check that `k` levels can be found, among `num_states` if these are not all.

    Raises
    ------
    ValueError
        If there are fewer.
    MemoryError
        If the vectors do not fit in memory.
    """
    num_states = 2**num_variables if num_states is None else num_states
    if k > num_states:
        msg = f"levels are at most as many as states, {num_states}; got {k}"
        raise ValueError(msg)
    advice = "Ask for fewer levels, or take a smaller problem: each variable more doubles it"
    check_memory(f"{k} levels of {num_variables} variables", _bytes_of(num_states, k, 2**num_variables), advice)


def _bytes_of(num_states: int, k: int, num_energies: int) -> int:
    """Return the bytes at the peak: Lanczos vectors, states found, now and before, and a few more; energies."""
    dense = 4 * num_states if num_states <= _MANY_DENSE else 0
    return 8 * (num_states * max(dense, max(2 * k + 1, _LANCZOS) + 3 * k + 8) + 2 * num_energies)


def _lowest(energies: Floats, k: int) -> AnyArray:
    """Return where the `k` lowest energies are, rising."""
    some = np.argpartition(energies, k - 1)[:k]
    return some[np.argsort(energies[some], kind="stable")]

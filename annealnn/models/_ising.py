"""The classical Ising model."""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, final

import dimod
import numpy as np

from annealnn._validation import check_number, check_real
from annealnn.models._exact import ExactStatistics, enumerate_boltzmann
from annealnn.models._structure import Parameters, Structure, dimod_terms
from annealnn.typing import AnyArray, Floats

Fields = Mapping[Hashable, float] | AnyArray | list[float]
Couplings = Mapping[tuple[Hashable, Hashable], float] | AnyArray


def read_terms(h: Fields, J: Couplings, labels: Iterable[Hashable] | None) -> tuple[Structure, Parameters]:
    """Return structure and parameters of fields and couplings given as mappings or arrays."""
    names, fields = _read_fields(h, J, labels)
    if isinstance(J, Mapping):
        pairs, values = list(J), check_real("J", list(J.values()))
        known = set(names)
        if unknown := [p for p in pairs if not set(p) <= known]:
            msg = f"couplings join the model's variables; got {unknown[0]!r} with variables {names[:8]!r}"
            raise ValueError(msg)
        given = Structure.from_edges(names, pairs)
    else:
        matrix = check_real("J", J)
        if matrix.shape != (len(names), len(names)):
            msg = f"J is a mapping of pairs or a matrix of shape ({len(names)}, {len(names)}); got shape {matrix.shape}"
            raise ValueError(msg)
        if np.diagonal(matrix).any():
            msg = f"J couples pairs, so its diagonal is zero; got {np.diagonal(matrix)[:8]}"
            raise ValueError(msg)
        lower, upper = np.tril(matrix, -1), np.triu(matrix, 1)
        if lower.any() and not np.allclose(lower.T, upper, rtol=1e-12, atol=1e-12, equal_nan=True):
            msg = "J is symmetric (each pair counts once) or upper triangular; got a matrix that is neither"
            raise ValueError(msg)
        edges = np.argwhere(upper)
        given, values = Structure(len(names), edges, tuple(names)), upper[edges[:, 0], edges[:, 1]]
    _check_finite(fields, values)
    order = np.lexsort((given.edges[:, 1], given.edges[:, 0]))
    structure = Structure(given.num_variables, given.edges[order], given.labels)
    return structure, Parameters(_frozen(fields), _frozen(values[order]))


def _read_fields(h: Fields, J: Couplings, labels: Iterable[Hashable] | None) -> tuple[list[Hashable], Floats]:
    if not isinstance(h, Mapping):
        fields = check_real("h", h)
        if fields.ndim != 1:
            msg = f"h has one field per variable, shape (num_variables,); got shape {fields.shape}"
            raise ValueError(msg)
        numbered: list[Hashable] = list(labels) if labels is not None else list(range(len(fields)))
        if len(numbered) != len(fields):
            msg = f"each field has a label; got {len(numbered)} labels for {len(fields)} fields"
            raise ValueError(msg)
        return numbered, fields
    names = list(labels) if labels is not None else list(h)
    if labels is None and isinstance(J, Mapping):
        names += [v for v in dict.fromkeys(v for pair in J for v in pair) if v not in h]
    if missing := [v for v in h if v not in set(names)]:
        msg = f"h has fields for the labelled variables only; got one for {missing[0]!r}"
        raise ValueError(msg)
    return names, check_real("h", [h.get(v, 0.0) for v in names])


def _check_finite(fields: Floats, couplings: Floats) -> None:
    for name, values in (("fields", fields), ("couplings", couplings)):
        if not np.isfinite(values).all():
            msg = f"{name} are finite; got {values[~np.isfinite(values)][0]}"
            raise ValueError(msg)


def _frozen(values: Floats) -> Floats:
    values.setflags(write=False)
    return values


def terms_of_bqm(bqm: dimod.BinaryQuadraticModel) -> tuple[Structure, Parameters, float]:
    """Return structure, parameters in Eq. (1)'s sign, and offset of a dimod BQM of either form.

    Raises
    ------
    ValueError
        If a bias is not finite.
    """
    spin = bqm.change_vartype(dimod.SPIN, inplace=False)
    labels = list(spin.variables)
    vectors = spin.to_numpy_vectors(variable_order=labels)
    edges = np.column_stack([vectors.quadratic.row_indices, vectors.quadratic.col_indices]).astype(np.intp)
    structure = Structure(len(labels), edges, tuple(labels))
    parameters = Parameters(
        -np.asarray(vectors.linear_biases, np.float64), -np.asarray(vectors.quadratic.biases, np.float64)
    )
    _check_finite(*parameters)
    return structure, parameters, float(vectors.offset)


def bqm_of_terms(structure: Structure, parameters: Parameters, offset: float = 0.0) -> dimod.BinaryQuadraticModel:
    """Return the spin-form dimod BQM of parameters in Eq. (1)'s sign: linear = -h, quadratic = -J."""
    linear, quadratic = dimod_terms(parameters)
    heads, tails = structure.ends
    return dimod.BQM.from_numpy_vectors(
        linear, (heads, tails, quadratic), offset, dimod.SPIN, variable_order=list(structure.labels)
    )


@final
class IsingModel:
    """A classical Ising model, H(s) = - sum_{i<j} J_ij s_i s_j - sum_i h_i s_i + offset. Immutable.

    Parameters
    ----------
    h : mapping from label to field, or array of shape (num_variables,)
    J : mapping from pair of labels to coupling, or matrix of shape (num_variables, num_variables)
        A matrix is symmetric or upper triangular; either way each pair counts once. Zero entries of a matrix
        are no edges; zero entries of a mapping are.
    labels : iterable of hashable, optional
        Names of the variables, in order.
    offset : float

    Raises
    ------
    ValueError
        If shapes disagree, a coupling joins a variable to itself, or a value is not finite.
    """

    __slots__ = ("_offset", "_parameters", "_structure")

    def __init__(
        self, h: Fields, J: Couplings, *, labels: Iterable[Hashable] | None = None, offset: float = 0.0
    ) -> None:
        self._structure, self._parameters = read_terms(h, J, labels)
        self._offset = check_number("offset", offset, low=-np.inf)

    @classmethod
    def from_parameters(cls, structure: Structure, parameters: Parameters, offset: float = 0.0) -> "IsingModel":
        """Return the model with these parameters on this graph, edges in the graph's order.

        Raises
        ------
        ValueError
            If shapes disagree or a value is not finite.
        """
        fields, couplings = (np.array(values, dtype=np.float64) for values in parameters)
        if fields.shape != (structure.num_variables,) or couplings.shape != (structure.num_edges,):
            msg = (
                f"{structure!r} takes fields of shape ({structure.num_variables},) and couplings of shape "
                f"({structure.num_edges},); got {fields.shape} and {couplings.shape}"
            )
            raise ValueError(msg)
        _check_finite(fields, couplings)
        model = cls.__new__(cls)
        model._structure, model._parameters = structure, Parameters(_frozen(fields), _frozen(couplings))
        model._offset = check_number("offset", offset, low=-np.inf)
        return model

    @property
    def structure(self) -> Structure:
        """The graph; the order of its edges is that of the couplings in `parameters`."""
        return self._structure

    @property
    def parameters(self) -> Parameters:
        """Fields (num_variables,) and couplings (num_edges,)."""
        return self._parameters

    @property
    def labels(self) -> tuple[Hashable, ...]:
        """Names of the variables."""
        return self._structure.labels

    @property
    def h(self) -> Floats:
        """Fields, (num_variables,)."""
        return self._parameters.fields

    @property
    def J(self) -> Floats:  # noqa: N802 - the field's name
        """Couplings as a symmetric matrix, (num_variables, num_variables); each pair still counts once."""
        return self._structure.dense(self._parameters.couplings)

    @property
    def offset(self) -> float:
        """Constant term of the energy."""
        return self._offset

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, IsingModel):
            return NotImplemented
        return (
            self.labels == other.labels
            and self.offset == other.offset
            and np.array_equal(self.h, other.h)
            and self._couplings_by_edge() == other._couplings_by_edge()
        )

    def _couplings_by_edge(self) -> dict[tuple[int, int], float]:
        edges = map(tuple, self.structure.edges.tolist())
        return dict(zip(edges, self.parameters.couplings.tolist(), strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self._structure.labels, self._structure.edges, *self._parameters, self._offset)

    def __repr__(self) -> str:
        return f"IsingModel({self.structure.num_variables} variables, {self.structure.num_edges} edges)"

    def energy(self, spins: AnyArray) -> Floats:
        """Return the energy of spins, shape (..., num_variables) -> (...).

        Raises
        ------
        ValueError
            If the last axis is not num_variables long or a value is neither -1 nor +1.
        """
        s = np.asarray(spins)
        if s.shape[-1:] != (self.structure.num_variables,):
            msg = f"spins have {self.structure.num_variables} columns, one per variable; got shape {s.shape}"
            raise ValueError(msg)
        if not (np.abs(s) == 1).all():
            msg = f"spins are -1 or +1; got values {np.unique(s)[:4]}. For bits, use bits_to_spins"
            raise ValueError(msg)
        rows = self.structure.energies(self.parameters, s.reshape(int(np.prod(s.shape[:-1])), s.shape[-1]))
        return np.asarray(rows.reshape(s.shape[:-1]) + self.offset)

    def gauged(self, signs: AnyArray) -> "IsingModel":
        """Return the model in another gauge: its energy at `signs * s` is this model's at s.

        Parameters
        ----------
        signs : (num_variables,), values -1 or +1
            -1 flips a variable: its field and its couplings change sign with it (a spin-reversal transform).

        Raises
        ------
        ValueError
            If there is not one sign, -1 or +1, for each variable.
        """
        g = np.asarray(signs)
        if g.shape != (self.structure.num_variables,) or not (np.abs(g) == 1).all():
            msg = f"a gauge has a sign, -1 or +1, for each of {self.structure.num_variables} variables; got {signs!r}"
            raise ValueError(msg)
        heads, tails = self.structure.ends
        turned = Parameters(self.h * g, self.parameters.couplings * g[heads] * g[tails])
        return IsingModel.from_parameters(self.structure, turned, self.offset)

    def exact(self, beta: float = 1.0) -> ExactStatistics:
        """Return the exact statistics by enumeration, up to 24 variables. The offset does not enter."""
        return enumerate_boltzmann(self.structure, self.parameters, check_number("beta", beta, low=0.0))

    def to_bqm(self, vartype: str = "SPIN") -> dimod.BinaryQuadraticModel:
        """Return dimod's model of the same energy, in spin or binary form (linear = -h, quadratic = -J)."""
        bqm = bqm_of_terms(self.structure, self.parameters, self.offset)
        return bqm.change_vartype(vartype, inplace=False)

    @classmethod
    def from_bqm(cls, bqm: dimod.BinaryQuadraticModel) -> "IsingModel":
        """Return the model of a dimod BQM of either form; the energy is the same."""
        return cls.from_parameters(*terms_of_bqm(bqm))

    def to_qubo(self) -> tuple[dict[tuple[Hashable, Hashable], float], float]:
        """Return (Q, offset): the energy as sum Q_ij x_i x_j + offset over bits x = (1+s)/2."""
        Q, offset = self.to_bqm().to_qubo()
        return {k: float(v) for k, v in Q.items()}, float(offset)

    @classmethod
    def from_qubo(cls, Q: Mapping[tuple[Hashable, Hashable], float], offset: float = 0.0) -> "IsingModel":
        """Return the model of a QUBO: energy sum Q_ij x_i x_j + offset over bits."""
        return cls.from_bqm(dimod.BQM.from_qubo(dict(Q), offset))


def _rebuild(
    labels: tuple[Hashable, ...], edges: AnyArray, fields: Floats, couplings: Floats, offset: float
) -> IsingModel:
    structure = Structure(len(labels), edges, labels)
    return IsingModel.from_parameters(structure, Parameters(fields, couplings), offset)

"""Many small problems beside each other on one chip."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, final

import dimod
import numpy as np

from annealnn._rng import child_seed, resolve_seed
from annealnn._validation import check_count, check_pair
from annealnn.embeddings import ChainStrength, EmbeddedStructure, parallel_embeddings, unembed
from annealnn.embeddings._unembed import Unembedded, Unembedding
from annealnn.models import IsingModel, Parameters, Structure, bqm_of_terms, dimod_terms
from annealnn.samplers._compiled import Want
from annealnn.samplers.composites._base import Reads
from annealnn.samplers.composites._chains import ChainOptions, EmbeddingComposite, break_fraction, embedding_context
from annealnn.samplers.composites._packed_door import CompiledPacked, Copies
from annealnn.typing import Spins


class _Call(NamedTuple):
    """What is asked of the child at once."""

    copies: Copies
    problems: list[int]  # numbers of the problems, one to a copy


@final
class PackedSampler(EmbeddingComposite):
    """Small problems in parallel: each call of the child holds as many as there are disjoint embeddings in its graph.

    Problems that do not fit into one call wait for the next; none is dropped. All go at one common scale: what they are
    to each other is left alone, and so is the temperature at which each is drawn.

    Parameters
    ----------
    child : dimod.Sampler
        Takes `num_reads`.
    target : str or networkx.Graph, optional
        Topology or working graph; None is the child's own.
    num_copies : int, optional
        At most so many problems at once; as many embeddings as are found if None. They are sought once for each graph
        of a problem.
    chain_strength, unembedding, embedding_seed
        As in `EmbeddedSampler`; a rule is evaluated for each problem.

    Raises
    ------
    ValueError
        If there is no graph, the child takes no `num_reads`, or an argument breaks its rule.

    Examples
    --------
    >>> import dimod
    >>> from annealnn.samplers import GibbsSampler, PackedSampler
    >>> problems = [dimod.BQM({"a": k / 10}, {"ab": -1.0}, 0.0, "SPIN") for k in range(100)]
    >>> found = PackedSampler(GibbsSampler(), target="chimera-4").sample_multiple(problems, num_reads=3, seed=0)
    >>> len(found), {samples.info["packing"]["call"] for samples in found}
    (100, {0, 1})
    """

    def __init__(
        self,
        child: dimod.Sampler,
        *,
        target: Any = None,
        num_copies: int | None = None,
        chain_strength: float | ChainStrength | None = None,
        unembedding: Unembedding = "majority",
        embedding_seed: int = 0,
    ) -> None:
        super().__init__(
            child,
            target=target,
            chain_strength=chain_strength,
            unembedding=unembedding,
            embedding_seed=embedding_seed,
        )
        if "num_reads" not in child.parameters:
            msg = f"reads are shared out among copies, so the child takes num_reads; {type(child).__name__} takes none"
            raise ValueError(msg)
        self._num_copies = None if num_copies is None else check_count("num_copies", num_copies)
        self._known: dict[tuple[int, bytes], Copies] = {}

    def copies(self, structure: Structure) -> Copies:
        """Return the disjoint embeddings of a structure, found once.

        Raises
        ------
        EmbeddingError
            If not even one was found.
        """
        name = (structure.num_variables, structure.edges.tobytes())
        if name not in self._known:
            found = parallel_embeddings(structure, self._graph, at_most=self._num_copies, seed=self._embedding_seed)
            self._known[name] = Copies([EmbeddedStructure.build(one, structure, self._graph) for one in found])
        return self._known[name]

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int | None = None,
        chain_strength: float | ChainStrength | None = None,
        unembedding: Unembedding | None = None,
        **kwargs: Any,
    ) -> dimod.SampleSet:
        """Draw reads of one dimod problem, shared out among its copies: all in one call of the child.

        Parameters
        ----------
        bqm : dimod.BinaryQuadraticModel
            In spin or binary form; reads come back in the same form.
        num_reads : int, optional
            1 if None. The child is asked for as many as one copy needs.
        chain_strength : float or ChainStrength, optional
            In place of that of the sampler; energy units of the problem's spin form.
        unembedding : str, optional
            In place of that of the sampler. "discard" gives fewer reads than are asked for.
        **kwargs
            The child's keywords. `auto_scale=True` needs a child that states its ranges.

        Returns
        -------
        dimod.SampleSet
            One row for each read, `copy` being the number of its copy and `chain_break_fraction` the fraction of its
            chains that were broken. `info["packing"]` has the number of copies and the common scale;
            `info["embedding_context"]` the embedding of the first copy.

        Raises
        ------
        ValueError
            If an argument breaks its rule.
        EmbeddingError
            If the problem does not fit the graph.
        """
        kwargs = self.remove_unknown_kwargs(**kwargs)
        options = self._options(chain_strength, unembedding)
        asked = check_count("num_reads", 1 if num_reads is None else num_reads)

        def draw(model: IsingModel, keywords: dict[str, Any]) -> tuple[Reads, dict[str, Any]]:
            copies = self.copies(model.structure)
            count = len(copies)
            call = _Call(copies, [0] * count)
            told = keywords | {"num_reads": -(-asked // count)}
            (reads,), scale = self._ask([call], [model.parameters], options, told)
            seeds = self._seeds(keywords, count)
            parts = [
                unembed(one, spins, options.unembedding, parameters=model.parameters, seed=seed)
                for one, spins, seed in zip(copies.embedded, copies.split(reads.values, count), seeds, strict=True)
            ]
            number = np.repeat(np.arange(count), [len(part.kept) for part in parts])
            row = np.concatenate([part.kept for part in parts])
            # the first reads of all copies, then their second ones and so on
            order = np.lexsort((number, row))
            order = order[(row * count + number)[order] < asked]
            spins = np.concatenate([part.spins for part in parts])[order]
            broken = np.concatenate([part.broken for part in parts])[order]
            vectors = {name: column[row[order]] for name, column in reads.vectors.items()}
            vectors |= {"copy": number[order], "chain_break_fraction": break_fraction(broken)}
            strength = options.strength(model.structure, model.parameters)
            context = embedding_context(model.structure, copies.embedded[0], strength, options.unembedding)
            info = {"packing": {"copies": count, "calls": 1, "scale": scale}, "embedding_context": context}
            return Reads(_in_form(spins, bqm), vectors, reads.calls), info

        return self.sample_with(draw, bqm, kwargs | {"num_reads": asked})

    def sample_multiple(
        self,
        bqms: Sequence[dimod.BinaryQuadraticModel],
        *,
        num_reads: int | None = None,
        seed: int | None = None,
        chain_strength: float | ChainStrength | None = None,
        unembedding: Unembedding | None = None,
        **kwargs: Any,
    ) -> list[dimod.SampleSet]:
        """Draw reads of many problems, those of one graph together in as few calls of the child as they fit into.

        Parameters
        ----------
        bqms : sequence of dimod.BinaryQuadraticModel
        num_reads : int, optional
            Of each problem; 1 if None.
        seed : int, optional
            Of the first call; those of the others are drawn from it. None draws a fresh one.
        chain_strength, unembedding, **kwargs
            As in `sample`.

        Returns
        -------
        list of dimod.SampleSet
            One for each problem, in their order. `info["packing"]` says which call (`call`) and which copy (`copy`) a
            problem was drawn in, and at which common scale.

        Raises
        ------
        ValueError
            If an argument breaks its rule.
        EmbeddingError
            If a problem does not fit the graph.
        """
        kwargs = self.remove_unknown_kwargs(**kwargs)
        options = self._options(chain_strength, unembedding)
        asked = {"num_reads": check_count("num_reads", 1 if num_reads is None else num_reads)}
        if "seed" in self.child.parameters:
            # a fresh one has 31 bits: dwave-samplers take no more
            asked["seed"] = resolve_seed(None) >> 32 if seed is None else check_count("seed", seed, minimum=0)
        models = [IsingModel.from_bqm(bqm) for bqm in bqms]
        calls = list(self._calls(models))
        reads, scale = self._ask(calls, [model.parameters for model in models], options, kwargs | asked)
        out: dict[int, dimod.SampleSet] = {}
        for number, (call, part) in enumerate(zip(calls, reads, strict=False)):
            count = len(call.problems)
            columns = call.copies.split(part.values, count)
            for copy, (k, seed_of_copy) in enumerate(zip(call.problems, self._seeds(asked, count), strict=True)):
                model, embedded = models[k], call.copies.embedded[copy]
                found = unembed(
                    embedded, columns[copy], options.unembedding, parameters=model.parameters, seed=seed_of_copy
                )
                strength = options.strength(model.structure, model.parameters)
                info = {
                    "packing": {"copies": count, "calls": len(calls), "scale": scale, "call": number, "copy": copy},
                    "embedding_context": embedding_context(model.structure, embedded, strength, options.unembedding),
                }
                out[k] = self.sample_with(_giving(part, found, bqms[k], info), bqms[k], asked)
        return [out[k] for k in range(len(bqms)) if k in out]

    def compile(
        self,
        structure: Structure,
        *,
        want: Want = "spins",
        chain_strength: float | ChainStrength | None = None,
        unembedding: Unembedding | None = None,
        **kwargs: Any,
    ) -> "CompiledPacked":
        """Return the sampler bound to a structure. Reads are shared out among copies, and so are clamped rows.

        Parameters
        ----------
        structure : Structure
        want : "spins" or "moments"
        chain_strength, unembedding
            As in `EmbeddedSampler.compile`.
        **kwargs
            The child's keywords.

        Raises
        ------
        ValueError
            If no chain strength is given and the child states no range of couplings, if `auto_scale` is set, or an
            argument breaks its rule.
        EmbeddingError
            If the structure does not fit the graph.
        """
        if kwargs.get("auto_scale"):
            msg = (
                "all calls of a learner's step go at one scale; got auto_scale=True, which would give each call its "
                "own. Leave it out, and keep the parameters in the child's ranges"
            )
            raise ValueError(msg)
        return CompiledPacked(
            structure, want, self.child, self.copies, self._learner_options(chain_strength, unembedding), kwargs
        )

    def _calls(self, models: Sequence[IsingModel]) -> Iterator[_Call]:
        """Yield the calls: problems of one graph together, in their order, as many as there are copies."""
        groups: dict[tuple[int, bytes], list[int]] = {}
        for k, model in enumerate(models):
            groups.setdefault((model.structure.num_variables, model.structure.edges.tobytes()), []).append(k)
        for members in groups.values():
            copies = self.copies(models[members[0]].structure)
            for start in range(0, len(members), len(copies)):
                yield _Call(copies, members[start : start + len(copies)])

    def _ask(
        self, calls: Sequence[_Call], problems: Sequence[Parameters], options: ChainOptions, told: dict[str, Any]
    ) -> tuple[list[Reads], float]:
        """Return the child's reads of each call, and the scale that is common to all."""
        asked, scale = dict(told), 1.0
        physical = []
        for call in calls:
            mine = [problems[k] for k in call.problems]
            structure = call.copies.embedded[0].source
            physical.append(call.copies.spread(mine, [options.strength(structure, problem) for problem in mine]))
        if "auto_scale" in self.child.parameters:
            if asked.get("auto_scale"):
                scale = _common_scale(physical, self.child)
            # the child would scale each call by itself
            asked["auto_scale"] = False
        submitted = []
        for number, (call, terms) in enumerate(zip(calls, physical, strict=True)):
            joined = call.copies.joined(len(call.problems))
            scaled = Parameters(terms.fields * scale, terms.couplings * scale)
            its = {"seed": child_seed(asked["seed"], number) >> 32} if number and "seed" in asked else {}
            submitted.append((bqm_of_terms(joined, scaled), asked | its))
        return self.ask_child(submitted), scale

    def _seeds(self, keywords: dict[str, Any], count: int) -> list[int]:
        """Return a seed for the broken chains of each copy."""
        root = keywords.get("seed")
        root = resolve_seed(None) if root is None else root
        return [child_seed(root, copy) for copy in range(count)]


def _in_form(spins: Spins, bqm: dimod.BinaryQuadraticModel) -> Any:
    return spins if bqm.vartype is dimod.SPIN else (spins > 0).astype(np.int8)


def _giving(part: Reads, found: Unembedded, bqm: dimod.BinaryQuadraticModel, info: dict[str, Any]) -> Any:
    """Return a function for `sample_with` that gives what is drawn already."""
    vectors = {name: column[found.kept] for name, column in part.vectors.items()}
    vectors["chain_break_fraction"] = break_fraction(found.broken)
    return lambda model, keywords: (Reads(_in_form(found.spins, bqm), vectors, part.calls), info)  # noqa: ARG005


def _common_scale(physical: Sequence[Parameters], child: dimod.Sampler) -> float:
    """Return the largest factor that leaves all problems in the child's ranges.

    Raises
    ------
    ValueError
        If the child states no ranges.
    """
    properties = child.properties
    ranges = (properties.get("h_range"), properties.get("extended_j_range") or properties.get("j_range"))
    if None in ranges:
        msg = (
            f"auto_scale fits problems into the child's h_range and j_range; {type(child).__name__} states not both. "
            "Scale the problems, with auto_scale=False"
        )
        raise ValueError(msg)
    h_range, j_range = (check_pair("range", given) for given in ranges)
    factors = []
    for terms in physical:
        for values, (low, high) in zip(dimod_terms(terms), (h_range, j_range), strict=True):
            factors += [
                (high if value > 0 else low) / value
                for value in (values.max(initial=0), values.min(initial=0))
                if value
            ]
    return min(factors, default=1.0)

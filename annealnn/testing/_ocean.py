"""Ocean's samplers: how some are made, which take no ordinary problem, and the rules that each is known to break.

Measured with dimod 0.12, dwave-samplers 1.8, dwave-system 1.36 and dwave-preprocessing 0.6. The names are those of
`ocean_samplers`; a row that no longer fails turns the suite red until it is taken out.
"""

from collections.abc import Callable, Mapping
from typing import Any

import dimod

from annealnn.samplers import GibbsSampler


def _over_a_graph(name: str) -> Callable[[], dimod.Sampler]:
    """Return a maker of an embedding composite over a Gibbs sampler that takes one small Chimera graph only."""

    def make() -> dimod.Sampler:
        from dwave import system

        from annealnn.embeddings import topology_graph

        graph = topology_graph("chimera-4")
        return getattr(system, name)(dimod.StructureComposite(GibbsSampler(), sorted(graph), sorted(graph.edges)))

    return make


def _cut_off() -> dimod.Sampler:
    from dwave.system import CutOffComposite

    return CutOffComposite(GibbsSampler(), 0.0)


MAKERS: Mapping[str, Callable[[], dimod.Sampler]] = {
    "CutOffComposite": _cut_off,
    "TruncateComposite": lambda: dimod.TruncateComposite(GibbsSampler(), 10_000),
    **{
        name: _over_a_graph(name)
        for name in (
            "AutoEmbeddingComposite",
            "EmbeddingComposite",
            "LazyFixedEmbeddingComposite",
        )
    },
}

KEYWORDS: Mapping[str, Mapping[str, Any]] = {
    "dimod.SimulatedAnnealingSampler": {"num_sweeps": 20},  # written in Python
    # ends by restarts, not by the clock, and a search by 1,000 moves, not by 500,000
    "dwave.TabuSampler": {"timeout": 1000, "num_restarts": 2, "lower_bound_z": 1000},
}

_ACCOUNT = ("needs an account", "API token not defined")
_PROCESSOR = ("needs a processor's graph and properties", "")
# {name: (why it takes no ordinary problem, what it says when it is made over an ordinary sampler, or given one)}
EXCUSED: Mapping[str, tuple[str, str]] = {
    "DWaveCliqueSampler": _ACCOUNT,
    "DWaveSampler": _ACCOUNT,
    "LeapHybridSampler": _ACCOUNT,
    "FixedEmbeddingComposite": _PROCESSOR,
    "LinearAncillaComposite": _PROCESSOR,
    "ParallelEmbeddingComposite": _PROCESSOR,
    "StructureComposite": _PROCESSOR,
    "TilingComposite": _PROCESSOR,
    "VirtualGraphComposite": _PROCESSOR,
    "MockDWaveSampler": ("takes the problems of one graph only", "not supported by the structured solver"),
    "LazyEmbeddingComposite": ("a deprecated name of LazyFixedEmbeddingComposite", ""),
    "PlanarGraphSolver": ("takes planar problems without fields only", "non-zero linear biases"),
}

_INFO = frozenset(
    {
        "dimod.ExactSolver",
        "dimod.IdentitySampler",
        "dimod.NullSampler",
        "dimod.RandomSampler",
        "dimod.SimulatedAnnealingSampler",
        "dwave.ConnectedComponentsComposite",
        "dwave.CutOffComposite",
        "dwave.PathIntegralAnnealingSampler",
        "dwave.RandomSampler",
        "dwave.ReverseBatchStatesComposite",
        "dwave.RotorModelAnnealingSampler",
        "dwave.SimulatedAnnealingSampler",
        "dwave.SteepestDescentComposite",
        "dwave.SteepestDescentSolver",
        "dwave.TabuSampler",
        "dwave.TreeDecompositionSampler",
        "dwave.TreeDecompositionSolver",
    }
)
_UNSEEDED = frozenset(
    {
        "dimod.RandomSampler",
        "dimod.SimulatedAnnealingSampler",
        "dwave.ReverseBatchStatesComposite",
        "dwave.SpinReversalTransformComposite",
    }
)
_LOSES_SEED = frozenset({"dwave.ReverseBatchStatesComposite", "dwave.SpinReversalTransformComposite"})
_BY_LABEL = frozenset(
    {"dwave.PathIntegralAnnealingSampler", "dwave.RotorModelAnnealingSampler", "dwave.SimulatedAnnealingSampler"}
)
_SEED_LOST = _INFO - _UNSEEDED - {"dimod.ExactSolver", "dimod.NullSampler", "dwave.TreeDecompositionSolver"}

# {(check, reason): names}
KNOWN_FAILURES: Mapping[tuple[str, str], frozenset[str]] = {
    ("check_info", "info has keys of its own"): _INFO,
    ("check_seeds_replay", "the seed that was used is not in info"): _SEED_LOST,
    ("check_seeds_replay", "draws that no seed fixes"): _UNSEEDED,
    ("check_more_reads_keep_the_earlier_ones", "draws that no seed fixes"): _LOSES_SEED,
    ("check_threads_do_not_show", "draws that no seed fixes"): _LOSES_SEED,
    ("check_relabelling_changes_labels_only", "draws that no seed fixes"): _LOSES_SEED,
    ("check_relabelling_changes_labels_only", "visits variables in the order of their labels"): _BY_LABEL,
    ("check_more_reads_keep_the_earlier_ones", "sorts reads by energy"): frozenset({"dimod.TruncateComposite"}),
    ("check_parameters_equal_the_signature", "parameters and signature of sample differ"): frozenset(
        {
            "dimod.RandomSampler",
            "dwave.AutoEmbeddingComposite",
            "dwave.ConnectedComponentsComposite",
            "dwave.FixVariablesComposite",
            "dwave.LazyFixedEmbeddingComposite",
            "dwave.PathIntegralAnnealingSampler",
            "dwave.ReverseAdvanceComposite",
            "dwave.RotorModelAnnealingSampler",
            "dwave.SpinReversalTransformComposite",
        }
    ),
    ("check_unknown_keyword_warns", "unknown keywords pass in silence, or as a TypeError"): frozenset(
        {
            "dwave.PathIntegralAnnealingSampler",
            "dwave.RotorModelAnnealingSampler",
            "dwave.SimulatedAnnealingSampler",
            "dwave.SteepestDescentSolver",
            "dwave.TabuSampler",
            "dwave.TreeDecompositionSampler",
            "dwave.TreeDecompositionSolver",
        }
    ),
    ("check_bad_values_are_refused", "takes bad values, or does not say what came"): frozenset(
        {
            "dimod.IdentitySampler",
            "dimod.RandomSampler",
            "dimod.SimulatedAnnealingSampler",
            "dwave.PathIntegralAnnealingSampler",
            "dwave.RandomSampler",
            "dwave.ReverseBatchStatesComposite",
            "dwave.RotorModelAnnealingSampler",
            "dwave.SimulatedAnnealingSampler",
            "dwave.SteepestDescentSolver",
            "dwave.TabuSampler",
            "dwave.TreeDecompositionSampler",
            "dwave.TreeDecompositionSolver",
        }
    ),
    ("check_reads_follow_the_problem", "does not look at the problem"): frozenset(
        {"dimod.IdentitySampler", "dimod.NullSampler", "dimod.RandomSampler", "dwave.RandomSampler"}
    ),
    ("check_reads_follow_the_problem", "lists every state, or the lowest few, once"): frozenset(
        {"dimod.ExactSolver", "dwave.TreeDecompositionSolver"}
    ),
    ("check_reads_are_independent", "gives fewer reads than it is asked for"): frozenset(
        {"dimod.NullSampler", "dwave.ConnectedComponentsComposite"}
    ),
    ("check_spin_and_binary_forms_agree", "rescales the biases of the form that it is given"): frozenset(
        {"dwave.ScaleComposite"}
    ),
    ("check_spin_and_binary_forms_agree", "breaks ties by the form that it is given"): frozenset(
        {"dwave.SteepestDescentComposite", "dwave.SteepestDescentSolver"}
    ),
    ("check_spin_and_binary_forms_agree", "gives no reads"): frozenset({"dimod.NullSampler"}),
    ("check_dimod_problems", "energies are those of continuous angles"): frozenset(
        {"dwave.RotorModelAnnealingSampler"}
    ),
    ("check_edge_problems", "energies are those of continuous angles"): frozenset({"dwave.RotorModelAnnealingSampler"}),
    ("check_dimod_problems", "needs at least one variable"): frozenset(
        {"dwave.ReverseAdvanceComposite", "dwave.ReverseBatchStatesComposite"}
    ),
    ("check_edge_problems", "needs at least one variable"): frozenset(
        {"dwave.ReverseAdvanceComposite", "dwave.ReverseBatchStatesComposite"}
    ),
    ("check_edge_problems", "gives fewer reads than it is asked for"): frozenset(
        {"dwave.ConnectedComponentsComposite"}
    ),
    ("check_edge_problems", "cannot give more reads than there are states"): frozenset(
        {"dwave.TreeDecompositionSolver"}
    ),
}

"""Families of problems: a generator each, and what proves their optima."""

from annealnn.benchmark.families._certify import certify
from annealnn.benchmark.families._files import problem_file, write_instance
from annealnn.benchmark.families._glasses import anticlusters, lattice, ran, sherrington_kirkpatrick
from annealnn.benchmark.families._learned import learned
from annealnn.benchmark.families._loops import frustrated_cluster_loops, frustrated_loops
from annealnn.benchmark.families._registry import Family, build_instance, family_names, find_family
from annealnn.benchmark.families._tiles import tile_planting
from annealnn.benchmark.families._weak_strong import weak_strong_clusters
from annealnn.benchmark.families._wishart import wishart
from annealnn.benchmark.families._xorsat import xorsat

__all__ = [
    "Family",
    "anticlusters",
    "build_instance",
    "certify",
    "family_names",
    "find_family",
    "frustrated_cluster_loops",
    "frustrated_loops",
    "lattice",
    "learned",
    "problem_file",
    "ran",
    "sherrington_kirkpatrick",
    "tile_planting",
    "weak_strong_clusters",
    "wishart",
    "write_instance",
    "xorsat",
]

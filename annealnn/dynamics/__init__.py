"""What an ideal and a noisy annealer do: coherent, adiabatic and open dynamics of Eq. (1), exact at small sizes."""

from annealnn.dynamics._evolution import Evolution, evolve
from annealnn.dynamics._free_fermions import FreeFermionRing, RingEvolution
from annealnn.dynamics._schrodinger import SchrodingerAnnealer

__all__ = ["Evolution", "FreeFermionRing", "RingEvolution", "SchrodingerAnnealer", "evolve"]

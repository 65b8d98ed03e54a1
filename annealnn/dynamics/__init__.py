"""What an ideal and a noisy annealer do: coherent, adiabatic and open dynamics of Eq. (1), exact at small sizes."""

from annealnn.dynamics._adiabatic import AdiabaticEstimate, adiabatic_estimate, locally_adiabatic
from annealnn.dynamics._bath import OhmicBath
from annealnn.dynamics._dephasing import evolve_dephasing
from annealnn.dynamics._evolution import Evolution, evolve
from annealnn.dynamics._free_fermions import FreeFermionRing, RingEvolution
from annealnn.dynamics._gates import Gate, annealing_circuit, apply_gates, history_hamiltonian, history_state
from annealnn.dynamics._master_equation import evolve_open
from annealnn.dynamics._open import OpenEvolution
from annealnn.dynamics._open_annealers import AdiabaticMasterEquationAnnealer, DephasingAnnealer
from annealnn.dynamics._schrodinger import SchrodingerAnnealer
from annealnn.dynamics._spectrum import MinimumGap, Spectrum, spectrum

__all__ = [
    "AdiabaticEstimate",
    "AdiabaticMasterEquationAnnealer",
    "DephasingAnnealer",
    "Evolution",
    "FreeFermionRing",
    "Gate",
    "MinimumGap",
    "OhmicBath",
    "OpenEvolution",
    "RingEvolution",
    "SchrodingerAnnealer",
    "Spectrum",
    "adiabatic_estimate",
    "annealing_circuit",
    "apply_gates",
    "evolve",
    "evolve_dephasing",
    "evolve_open",
    "history_hamiltonian",
    "history_state",
    "locally_adiabatic",
    "spectrum",
]

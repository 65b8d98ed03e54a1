"""A local service that speaks the solver API of D-Wave's processors: a simulation, for rehearsal and tests."""

from annealnn.standin._faults import Fault
from annealnn.standin._leading import leading_to
from annealnn.standin._noise import Noise
from annealnn.standin._physics import AnnealPhysics, PathIntegralPhysics, Physics, ThermalPhysics, simulated_scales
from annealnn.standin._serve import Served, serve, serve_in_thread
from annealnn.standin._service import StandIn

__all__ = [
    "AnnealPhysics",
    "Fault",
    "Noise",
    "PathIntegralPhysics",
    "Physics",
    "Served",
    "StandIn",
    "ThermalPhysics",
    "leading_to",
    "serve",
    "serve_in_thread",
    "simulated_scales",
]

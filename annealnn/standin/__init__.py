"""A local service that speaks the solver API of D-Wave's processors: a simulation, for rehearsal and tests."""

from annealnn.standin._physics import Physics, ThermalPhysics
from annealnn.standin._serve import Served, serve, serve_in_thread
from annealnn.standin._service import StandIn

__all__ = ["Physics", "Served", "StandIn", "ThermalPhysics", "serve", "serve_in_thread"]

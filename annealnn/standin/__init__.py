"""A local service that speaks the solver API of D-Wave's processors: a simulation, for rehearsal and tests."""

__all__: list[str] = []

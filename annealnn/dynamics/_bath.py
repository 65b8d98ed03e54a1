"""The environment of a noisy annealer: rates of an Ohmic bath of oscillators."""

from dataclasses import asdict, dataclass
from typing import Any, final, get_args

import numpy as np

from annealnn._validation import check_choice, check_number
from annealnn.schedules._scales import TimeUnit, thermal_rate
from annealnn.typing import AnyArray, Floats


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OhmicBath:
    """Oscillators in thermal equilibrium, of which each qubit has its own, coupled to its Z.

    A transition that gives the energy omega to the bath has the rate

        gamma(omega) = 2 pi coupling omega exp(-abs(omega) / cutoff) / (1 - exp(-beta omega))

    times the squared matrix element of Z (Albash, Boixo, Lidar & Zanardi, New J. Phys. 14, 123016 (2012)), and
    gamma(-omega) = exp(-beta omega) gamma(omega). It is 2 pi coupling / beta at omega = 0.

    Parameters
    ----------
    beta : float
        Inverse temperature, above 0: time, hbar / (k_B T) in the unit in which the Hamiltonian is integrated. In the
        model's own units, 1/energy.
    coupling : float
        Strength, at least 0, a pure number: eta g**2 of the paper. The equation is for weak coupling: rates below gaps.
    cutoff : float
        Frequency beyond which the bath is cut off, above 0: 1/time, an angle to a unit of time.
    time_unit : "1/energy" or "ns"
        Of beta and the cutoff; that of the schedule that it goes with.

    Raises
    ------
    ValueError
        If a number breaks its rule.
    """

    beta: float
    coupling: float = 1e-3
    cutoff: float = 10.0
    time_unit: TimeUnit = "1/energy"

    def __post_init__(self) -> None:
        checked = {
            "beta": check_number("beta", self.beta, low=0.0, open_low=True),
            "coupling": check_number("coupling", self.coupling, low=0.0),
            "cutoff": check_number("cutoff", self.cutoff, low=0.0, open_low=True),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        check_choice("time_unit", self.time_unit, get_args(TimeUnit))

    @classmethod
    def at_temperature_mk(
        cls, temperature_mk: float, *, coupling: float = 1.2e-4 / (2 * np.pi), cutoff: float = 8 * np.pi
    ) -> "OhmicBath":
        """Return the bath at a temperature in mK, for schedules in ns: the cutoff is in rad/ns, 4 GHz unless given."""
        check_number("temperature_mk", temperature_mk, low=0.0, open_low=True)
        return cls(beta=1 / thermal_rate(temperature_mk), coupling=coupling, cutoff=cutoff, time_unit="ns")

    def rates(self, omega: AnyArray | float) -> Floats:
        """Return gamma(omega), 1/time, of frequencies (...), 1/time: above 0 where the bath takes up energy."""
        frequencies = np.asarray(omega, dtype=np.float64)
        x = np.abs(self.beta * frequencies)
        # x / (1 - exp(-x)), 1 at 0; its fall below 0 by detailed balance, which no difference of large numbers enters
        bose = np.divide(x, -np.expm1(-x), out=np.ones_like(x), where=x > 0)
        thermal = bose * np.where(frequencies < 0, np.exp(-x), 1.0)
        return np.asarray(2 * np.pi * self.coupling / self.beta * thermal * np.exp(-np.abs(frequencies) / self.cutoff))

    def to_dict(self) -> dict[str, Any]:
        """Return what `info` says of it, for JSON."""
        return {"kind": "ohmic", **asdict(self)}

"""Schedules: inverse temperature against sweep, and the two terms of Eq. (1) against time."""

from annealnn.schedules._anneal import AnnealSchedule
from annealnn.schedules._beta import BetaSchedule
from annealnn.schedules._drive import Drive
from annealnn.schedules._scales import EnergyScales

__all__ = ["AnnealSchedule", "BetaSchedule", "Drive", "EnergyScales"]

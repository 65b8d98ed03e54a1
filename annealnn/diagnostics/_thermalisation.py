"""Whether reads forgot where they started."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy.stats import norm, ttest_1samp

from annealnn._validation import check_number
from annealnn.diagnostics._series import (
    MIN_SWEEPS,
    check_series,
    effective_sample_size,
    integrated_autocorrelation_time,
    is_constant,
    split_r_hat,
)
from annealnn.diagnostics._value import ValueWithError
from annealnn.typing import AnyArray, Floats

_NOT_KNOWN = ValueWithError(float("nan"), float("nan"))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Thermalisation:
    """A verdict on energies along sweeps, and the numbers behind it. A number that could not be had is `nan`."""

    thermalised: bool
    reason: str  #: what failed, or what was checked; and what could not be
    r_hat: float  #: split R-hat, rank-normalised
    drift_pvalue: float  #: of the early and the late half of the kept sweeps having one mean
    autocorrelation_time: ValueWithError  #: integrated, sweeps
    effective_sample_size: ValueWithError  #: of all kept sweeps of all reads
    num_reads: int
    num_sweeps_discarded: int
    num_sweeps_kept: int

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as a dict that JSON can hold; a number that is not finite is None."""
        return {
            "thermalised": self.thermalised,
            "reason": self.reason,
            "r_hat": _plain(self.r_hat),
            "drift_pvalue": _plain(self.drift_pvalue),
            "autocorrelation_time": [_plain(x) for x in self.autocorrelation_time],
            "effective_sample_size": [_plain(x) for x in self.effective_sample_size],
            "num_reads": self.num_reads,
            "num_sweeps_discarded": self.num_sweeps_discarded,
            "num_sweeps_kept": self.num_sweeps_kept,
        }


def thermalisation(
    energies: AnyArray,
    *,
    r_hat_limit: float = 1.01,
    false_alarm: float = 1e-3,
    times_needed: float = 50.0,
    one_level: bool = False,
) -> Thermalisation:
    """Judge by the energies along the sweeps of independent reads whether these have reached equilibrium.

    The first half of the sweeps is discarded. The rest is thermalised if all of these hold:

    1. split R-hat is below `r_hat_limit` (Vehtari et al. 2021);
    2. the mean energy of its early and its late half agree: a two-sided t-test of the difference over reads, which are
       independent, or for one read a normal test with its own autocorrelation time (Geweke 1992);
    3. it is longer than `times_needed` integrated autocorrelation times (Sokal 1997).

    True means that nothing spoke against it. No test of a run sees a region that the run has never entered.

    Parameters
    ----------
    energies : (num_reads, num_sweeps) or (num_sweeps,)
        Recorded after every sweep, or every so many, at one beta, every read from its own start. Starts spread wider
        than equilibrium make the verdict sharper.
    r_hat_limit : float
        Above 1.
    false_alarm : float
        How often the test of drift refuses a run in equilibrium.
    times_needed : float
        How many autocorrelation times the kept sweeps must hold. R-hat below 1.01 asks for about 100.
    one_level : bool
        The problem has one energy level, so that constant energies are all there is to see. Otherwise constant energies
        are refused: reads at zero temperature and reads that are stuck look the same.

    Returns
    -------
    Thermalisation
        With fewer than 32 sweeps, or constant energies, the numbers that could not be had are `nan`.

    Raises
    ------
    ValueError
        If the shape is wrong, an energy is not finite, or a limit breaks its rule.
    """
    x = check_series("energies", energies, min_sweeps=1)
    check_number("r_hat_limit", r_hat_limit, low=1.0, open_low=True)
    check_number("false_alarm", false_alarm, low=0.0, high=1.0, open_low=True)
    check_number("times_needed", times_needed, low=0.0, open_low=True)
    num_reads, num_sweeps = x.shape
    kept = x[:, num_sweeps // 2 :]
    r_hat, drift, time, size = float("nan"), float("nan"), _NOT_KNOWN, _NOT_KNOWN
    thermalised = False
    if num_sweeps < 4 * MIN_SWEEPS:
        reason = f"too few sweeps to judge: {num_sweeps}, and at least {4 * MIN_SWEEPS} are needed"
    elif is_constant(x) and one_level:
        thermalised, reason = True, "every energy is equal, and the problem has one energy level"
    elif is_constant(kept):
        reason = (
            f"every energy is {kept[0, 0]:g}: reads at zero temperature and reads that are stuck look the same. "
            "Sample at a lower beta, or set one_level if the problem has one energy level"
        )
    else:
        r_hat = split_r_hat(kept)
        time = integrated_autocorrelation_time(kept)
        size = effective_sample_size(kept)
        drift = _drift_pvalue(kept)
        failures = _failures(kept, r_hat, drift, time, r_hat_limit, false_alarm, times_needed)
        thermalised = not failures
        checked = f"R-hat {r_hat:.4f}, drift p = {drift:.2g}, {kept.shape[1] / time.value:.0f} autocorrelation times"
        reason = "; ".join(failures) if failures else checked
        if num_reads == 1:
            reason += "; one read: drift was judged by its own autocorrelation, agreement of reads was not checked"
    return Thermalisation(
        thermalised=thermalised,
        reason=reason,
        r_hat=r_hat,
        drift_pvalue=drift,
        autocorrelation_time=time,
        effective_sample_size=size,
        num_reads=num_reads,
        num_sweeps_discarded=num_sweeps - kept.shape[1],
        num_sweeps_kept=kept.shape[1],
    )


def _failures(
    kept: Floats,
    r_hat: float,
    drift: float,
    time: ValueWithError,
    r_hat_limit: float,
    false_alarm: float,
    times_needed: float,
) -> list[str]:
    failures = []
    if not r_hat < r_hat_limit:
        failures.append(f"reads or their halves disagree: R-hat {r_hat:.4g}, and the limit is {r_hat_limit:g}")
    if np.isnan(drift):
        failures.append("whether the mean energy drifts could not be told")
    elif drift < false_alarm:
        failures.append(f"the mean energy drifts: p = {drift:.2g}, and the false-alarm rate is {false_alarm:g}")
    if not kept.shape[1] > times_needed * time.value:
        known = f"of {time.value:.3g} sweeps" if np.isfinite(time.value) else "longer than the kept sweeps can say"
        failures.append(
            f"{kept.shape[1]} kept sweeps are not more than {times_needed:g} autocorrelation times, {known}"
        )
    return failures


def _drift_pvalue(kept: Floats) -> float:
    """Return the p-value of the early and the late half having one mean; `nan` if one read cannot tell."""
    half = kept.shape[1] // 2
    change = kept[:, -half:].mean(axis=1) - kept[:, :half].mean(axis=1)
    if np.abs(change).max() <= 1e-12 * np.abs(kept).max():
        return 1.0
    if len(change) > 1:
        if is_constant(change):
            return 0.0
        return float(ttest_1samp(change, 0.0).pvalue)
    time = integrated_autocorrelation_time(kept).value
    error = kept.std() * np.sqrt(2 * time / half)
    return float(2 * norm.sf(abs(change[0]) / error)) if np.isfinite(error) and error > 0 else float("nan")


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None

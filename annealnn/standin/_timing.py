"""What a job takes of the simulated processor's time, as the client estimates it from the solver's properties."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def qpu_timing(properties: Mapping[str, Any], parameters: Mapping[str, Any], num_qubits: int) -> dict[str, float]:
    """Return the timing fields of an answer, microseconds (SIMULATED).

    `qpu_access_time` = `qpu_programming_time` + `qpu_sampling_time`, and sampling is reads times the sum of anneal,
    readout and delay. It is what `estimate_qpu_access_time` of dwave-cloud-client computes (timing model 1.0).

    Parameters
    ----------
    properties : mapping
        Of the solver.
    parameters : mapping
        Of the job, checked.
    num_qubits : int
        Active ones.
    """
    data = properties["problem_timing_data"]
    num_reads, schedule = parameters["num_reads"], parameters.get("anneal_schedule")
    anneal = schedule[-1][0] if schedule else parameters.get("annealing_time") or data["default_annealing_time"]
    programming = data["typical_programming_time"]
    delay = data["qpu_delay_time_per_sample"]
    if schedule and schedule[0][1] == 1:
        reinit = "with" if parameters.get("reinitialize_state", True) else "without"
        programming += data[f"reverse_annealing_{reinit}_reinit_prog_time_delta"]
        delay += data[f"reverse_annealing_{reinit}_reinit_delay_time_delta"]
    # a wait of 0 counts as none given, as in the client
    programming += parameters.get("programming_thermalization") or data["default_programming_thermalization"]
    wait = parameters.get("readout_thermalization") or data["default_readout_thermalization"]
    if parameters.get("reduce_intersample_correlation"):
        low, high = data["decorrelation_time_range"]
        wait = max(wait, anneal / data["decorrelation_max_nominal_anneal_time"] * (high - low) + low)
    readout, delay = _readout(data, num_qubits), delay + wait
    sampling = num_reads * (anneal + readout + delay)
    return {
        "qpu_access_overhead_time": 500.0,
        "qpu_access_time": sampling + programming,
        "qpu_anneal_time_per_sample": anneal,
        "qpu_delay_time_per_sample": delay,
        "qpu_programming_time": programming,
        "qpu_readout_time_per_sample": readout,
        "qpu_sampling_time": sampling,
        "post_processing_overhead_time": 100.0,
        "total_post_processing_time": 100.0,
    }


def _readout(data: Mapping[str, Any], num_qubits: int) -> float:
    """Return the readout time of a sample: linear between points, in logarithms or not."""
    points = data["readout_time_model_parameters"]
    half = len(points) // 2
    at, values = points[:half], points[half:]
    if data["readout_time_model"] == "pwl_linear":
        return float(np.interp(num_qubits, at, values))
    return float(10 ** np.interp(math.log10(max(1, num_qubits)), at, values))

"""Reading a processor's answer, as this package does and as D-Wave's client does by default: 1,000 reads, 4,800 qubits.

As in `samplers.py`: in turn, seconds of processor time, and what counts is the median of the ratios of neighbours; its
spread, from the lowest quarter to the highest, is in the note. Both read the same answer, and come to the same spins.
Then what else a job costs on this side of the network: encoding it, and keeping it in the journal; and what a step of a
learner of 600 qubits costs here beyond its jobs: gauges, ranges, keys, reads brought back, moments.

python speed/qpu.py [--quick]
"""

import argparse
import base64
import tempfile
import time
from functools import partial
from pathlib import Path

import networkx as nx
import numpy as np
from dwave.cloud.coders import encode_problem_as_qp
from dwave.cloud.computation import Future
from dwave.cloud.solver import StructuredSolver

from annealnn.embeddings import topology_graph
from annealnn.models import Parameters, Structure
from annealnn.qpu import JobAnswer, JobRequest, Journal, QPUSampler, SolverDefinition
from annealnn.qpu._answer import decode_response, read_answer

from compare import Evidence, in_turn, keep, row, table, timed

HERE = Path(__file__).parent
PACKAGES = ("annealnn", "dwave-cloud-client", "dimod", "numpy")
NUM_READS = 1000

GRAPH = topology_graph("zephyr-12")
RNG = np.random.default_rng(0)


def solver_of(*, decode=None):
    """Return the client's solver of a full chip, without a client."""
    properties = {
        "qubits": sorted(GRAPH),
        "couplers": sorted(map(sorted, GRAPH.edges)),
        "num_qubits": len(GRAPH),
        "supported_problem_types": ["ising", "qubo"],
        "parameters": {"num_reads": None},
    }
    solver = StructuredSolver(client=None, data={"identity": {"name": "full chip"}, "properties": properties})
    if decode:
        solver.decode_response = partial(decode, otherwise=solver.decode_response)
    return solver


OURS, CLIENTS = solver_of(decode=decode_response), solver_of()
REQUEST = JobRequest(
    solver="full chip",
    qubits=np.array(OURS.properties["qubits"]),
    fields=RNG.normal(size=len(GRAPH)),
    couplers=np.array(OURS.properties["couplers"]),
    couplings=RNG.normal(size=GRAPH.number_of_edges()),
    parameters={"num_reads": NUM_READS},
)


def text_of(numbers, kind):
    return base64.b64encode(np.asarray(numbers, dtype=kind).tobytes()).decode()


def answer_of():
    """Return what a service answers."""
    bits = RNG.integers(0, 2, size=(NUM_READS, len(GRAPH)), dtype=np.uint8)
    return {
        "format": "qp",
        "num_variables": len(GRAPH),
        "active_variables": text_of(REQUEST.qubits, "<i4"),
        "energies": text_of(RNG.normal(size=NUM_READS), "<f8"),
        "num_occurrences": text_of(np.ones(NUM_READS), "<i4"),
        "solutions": base64.b64encode(np.packbits(bits, axis=1)).decode(),
        "timing": {"qpu_access_time": 1.0},
    }


ANSWER = answer_of()


def future_of(solver):
    """Return a future whose answer has arrived, and is not decoded."""
    future = Future(solver, "an id")
    future._set_message({"id": "an id", "type": "ising", "status": "COMPLETED", "answer": dict(ANSWER)})
    return future


def ours():
    future = future_of(OURS)
    return timed(lambda: read_answer(future, REQUEST).spins)


def clients_lists():
    future = future_of(CLIENTS)
    seconds, lists = timed(lambda: future.samples)
    return seconds, np.array(lists)


def clients_array():
    future = future_of(CLIENTS)
    return timed(lambda: np.array(future.samples, dtype=np.int8))


def clients_sample_set():
    future = future_of(CLIENTS)
    return timed(lambda: future.sampleset.record.sample)


def against(work, peer, call, target, pairs):
    """Compare with a way of the client."""
    seconds, results = in_turn(ours, call, pairs)
    if not all(np.array_equal(mine, its) for mine, its in results):
        msg = f"both read the same spins; {peer} differ"
        raise RuntimeError(msg)
    low, high = np.quantile(seconds[:, 1] / seconds[:, 0], [0.25, 0.75])
    evidence = Evidence("mean spin", float(results[0][0].mean()), float(results[0][1].mean()), 0.0)
    return row(work, peer, seconds, 1e-3, target, unit="ms", note=f"{low:.1f} to {high:.1f}", evidence=evidence)


ROWS = {
    # what DWaveSampler returns
    "sample set": lambda pairs: against("an answer's spins", "the client's sample set", clients_sample_set, 5.0, pairs),
    "array": lambda pairs: against("the same", "the client's lists, as an array", clients_array, 5.0, pairs),
    "lists": lambda pairs: against("the same", "the client's lists", clients_lists, 5.0, pairs),
}


def other_costs(repeats):
    """Return, in milliseconds, the medians of what else a full-chip job costs here: {what: ms}."""
    costs = {"encoding a job (the client's)": [], "a job on disk (wall)": [], "an answer on disk (wall)": []}
    answer = read_answer(future_of(OURS), REQUEST)
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder) / "journal.sqlite") as journal:
        for number in range(repeats):
            linear = dict(zip(REQUEST.qubits.tolist(), REQUEST.fields.tolist(), strict=True))
            quadratic = dict(zip(map(tuple, REQUEST.couplers.tolist()), REQUEST.couplings.tolist(), strict=True))
            encode = timed(lambda: encode_problem_as_qp(OURS, linear, quadratic))  # noqa: B023 - called at once
            request = JobRequest(**{**vars_of(REQUEST), "draw": (number,)})
            write = timed(lambda: journal.claim([request]), time.perf_counter)  # noqa: B023
            keeping = timed(lambda: journal.answered({request.key: answer}), time.perf_counter)  # noqa: B023
            for what, (seconds, _) in zip(costs, (encode, write, keeping), strict=True):
                costs[what].append(1e3 * seconds)
    return {what: float(np.median(each)) for what, each in costs.items()}


class AtOnce:
    """A solver that answers at once, always the same reads."""

    def __init__(self, num_qubits):
        self.solver = SolverDefinition(solver="full chip", properties=OURS.properties)
        self.spins = RNG.choice(np.array([-1, 1], np.int8), (NUM_READS, num_qubits))

    def run(self, requests):
        timing, energies = {"qpu_access_time": 1.0}, np.zeros(NUM_READS)
        return [JobAnswer(self.spins[: r.num_reads], energies, timing, r.key, r.solver) for r in requests]


def step_costs(repeats, num_qubits=600):
    """Return, in milliseconds, the medians of what a learner's step costs beyond its jobs: {what: ms}."""
    # a ball: dense with couplers, as embedded machines are
    ball = [v for layer in nx.bfs_layers(GRAPH, len(GRAPH) // 2) for v in layer][:num_qubits]
    structure = Structure.from_edges(ball, GRAPH.subgraph(ball).edges)
    costs = {}
    for num_gauges in (1, 10):
        compiled = QPUSampler(AtOnce(num_qubits)).compile(structure, want="moments", num_gauges=num_gauges)
        state, seconds = compiled.init(NUM_READS, num_gauges), []
        for _ in range(repeats):
            parameters = Parameters(*(RNG.uniform(-1, 1, n) for n in (num_qubits, structure.num_edges)))
            spent, step = timed(lambda: compiled.step(parameters, state))  # noqa: B023 - called at once
            seconds.append(spent)
            state = step.state
        what = f"a step, {num_qubits} qubits, {structure.num_edges} couplers, {NUM_READS} reads, {num_gauges} jobs"
        costs[what] = 1e3 * float(np.median(seconds))
    return costs


def vars_of(request):
    return {name: getattr(request, name) for name in request.__dataclass_fields__}


def main():
    parser = argparse.ArgumentParser(description="Time the reading of answers, ours and the client's in turn.")
    parser.add_argument("--quick", action="store_true", help="few pairs; nothing is stored")
    arguments = parser.parse_args()
    pairs = 3 if arguments.quick else 21
    rows = {}
    for name in ROWS:
        print(f"{name} ...", flush=True)
        rows[name] = ROWS[name](pairs)
    print("\n".join(["", *table(rows.values())]))
    costs, steps = other_costs(3 if arguments.quick else 11), step_costs(3 if arguments.quick else 21)
    for title, lines in (("of a job on the full chip", costs), ("of a learner, beyond its jobs", steps)):
        print(f"\n| {title} | ms |\n| --- | --- |")
        for what, milliseconds in lines.items():
            print(f"| {what} | {milliseconds:.3g} |")
    # no exit status: on a shared machine a miss is a reason to look, not a failure
    if missed := [name for name, r in rows.items() if r.missed]:
        print(f"\nmissed: {', '.join(missed)}")
    if not arguments.quick:
        keep(
            HERE / "qpu.json", rows, PACKAGES, {"pairs": pairs, "reads": NUM_READS, "other_ms": costs, "step_ms": steps}
        )


if __name__ == "__main__":
    main()

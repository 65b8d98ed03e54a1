"""How good an embedded machine is, judged by fresh decoded reads; and what it must reach."""

from typing import Any, NamedTuple

import numpy as np

from annealnn.embeddings import EmbeddedStructure
from annealnn.estimators import EmbeddedBoltzmannMachine
from annealnn.estimators._units import Units
from annealnn.learning import Bounds, Estimate, mean_absolute
from annealnn.models import Moments, Parameters, Structure, bits_to_spins
from annealnn.samplers import CompiledSampler
from annealnn.typing import AnyArray, Bits, Spins

NUM_READS = 2000
_RESAMPLES = 50

HEBBIAN_SCALES = (0.02, 0.035, 0.05, 0.07, 0.1, 0.14, 0.2, 0.28, 0.4, 0.56, 0.8)
HEBBIAN_CHAIN_COUPLINGS = (0.5, 1.0, 2.0)

# what the embedded machine must reach within 200 iterations on the 46 variables of OptDigits
ACCURACY_AT_LEAST = 0.89
FIELD_ERROR_UNDER = 0.06
BROKEN_CHAINS_UNDER = 0.35


class DecodedQuality(NamedTuple):
    """One machine on one device."""

    accuracy: Estimate  #: of the class of lowest energy under the collapsed parameters, on the test file
    field_error: Estimate  #: mean absolute difference of `<s_i>`, decoded reads and training data
    coupling_error: Estimate  #: the same for `<s_i s_j>` over all pairs of units
    broken_chains: Estimate  #: fraction of (chain, read) pairs


def measure_embedded(
    machine: EmbeddedBoltzmannMachine, X: Bits, y: AnyArray, X_test: Bits, y_test: AnyArray, *, seed: int = 0
) -> DecodedQuality:
    """Measure a fitted machine: decoded reads against the data (X, y), classes on the test rows."""
    reads = machine.draw_qubits(NUM_READS, random_state=seed)
    units = Units.of(X.shape[1], y)
    data = Structure.complete(units.num_units).moments_of(units.join(X, y).spins)
    return _quality(machine.embedded_, reads, data, machine.predict(X_test) == y_test)


def embedded_misses(quality: DecodedQuality, hebbian: DecodedQuality) -> list[str]:
    """Return the targets that a machine misses, as sentences; none if it meets all."""
    q = quality
    rules = [
        (q.accuracy.value >= ACCURACY_AT_LEAST, f"accuracy {q.accuracy.value:.3f} is under {ACCURACY_AT_LEAST}"),
        (
            q.field_error.value < FIELD_ERROR_UNDER,
            f"field error {q.field_error.value:.4f} is not under {FIELD_ERROR_UNDER}",
        ),
        (
            q.broken_chains.value < BROKEN_CHAINS_UNDER,
            f"broken chains {q.broken_chains.value:.3f} are not under {BROKEN_CHAINS_UNDER}",
        ),
        (
            q.coupling_error.value < hebbian.coupling_error.value,
            f"coupling error {q.coupling_error.value:.4f} is not under "
            f"the untrained machine's {hebbian.coupling_error.value:.4f}",
        ),
    ]
    return [sentence for met, sentence in rules if not met]


class HebbianMachine(NamedTuple):
    """An untrained machine at its best scale."""

    quality: DecodedQuality
    scale: float
    form: str


def best_hebbian(
    embedded: EmbeddedStructure,
    device: CompiledSampler,
    bounds: Bounds,
    data: Moments,
    units: Units,
    X_test: Bits,
    y_test: AnyArray,
    *,
    scales: tuple[float, ...] = HEBBIAN_SCALES,
    chain_couplings: tuple[float, ...] = HEBBIAN_CHAIN_COUPLINGS,
    seed: int = 0,
) -> HebbianMachine:
    """Measure machines that learn nothing from the device: J = scale * data correlations, h = scale * data means.

    Two ways to bring them onto the chains are tried over all scales: the data's moments on every qubit and coupler
    (1 inside chains), which is the first gradient step; and the logical parameters shared evenly over couplers with
    one coupling inside all chains. The best in coupling error is returned.
    """
    encoded = embedded.encode_moments(data)
    candidates: list[tuple[float, str, Parameters]] = []
    for scale in scales:
        candidates.append((scale, "first gradient step", Parameters(scale * encoded.spins, scale * encoded.pairs)))
        shared = Parameters(scale * data.spins, scale * data.pairs)
        candidates += [
            (scale, f"shared evenly, chain coupling {c:g}", embedded.spread(shared, chain_coupling=c))
            for c in chain_couplings
        ]

    def reads_of(raw: Parameters) -> Spins:
        return device.reads(device.step(bounds.project(raw)[0], device.init(NUM_READS, seed)).state)

    def coupling_error(reads: Spins) -> float:
        return mean_absolute(embedded.source.moments_of(embedded.decode(reads).spins).pairs, data.pairs)

    scale, form, raw = min(candidates, key=lambda candidate: coupling_error(reads_of(candidate[2])))
    energies = units.class_energies(embedded.source, embedded.collapse(raw), X_test, units.one_hot())
    assert units.classes is not None  # noqa: S101 - one_hot came from them
    right = units.classes[energies.argmin(axis=1)] == y_test
    return HebbianMachine(_quality(embedded, reads_of(raw), data, right), scale, form)


def noise_floor(bits: Bits, seed: int) -> Estimate:
    """Return the coupling error of `NUM_READS` rows drawn from the data: what a perfect sampler would show."""
    rng = np.random.default_rng(seed)
    spins = bits_to_spins(bits)
    source = Structure.complete(spins.shape[1])
    data = source.moments_of(spins)
    draws = [source.moments_of(spins[rng.integers(len(spins), size=NUM_READS)]) for _ in range(_RESAMPLES)]
    errors = [mean_absolute(draw.pairs, data.pairs) for draw in draws]
    return Estimate(float(np.mean(errors)), float(np.std(errors)), f"{_RESAMPLES} draws of {NUM_READS} rows")


def proportion(hits: Any, method: str) -> Estimate:
    """Return the fraction of True and its binomial standard error."""
    p, n = float(np.mean(hits)), int(np.size(hits))
    return Estimate(p, float(np.sqrt(p * (1 - p) / n)), method)


def _quality(embedded: EmbeddedStructure, reads: Spins, data: Moments, right: AnyArray) -> DecodedQuality:
    decoded = embedded.decode(reads)
    source = Structure.complete(embedded.source.num_variables)

    def errors(rows: AnyArray) -> tuple[float, float, float]:
        moments = source.moments_of(decoded.spins[rows])
        return (
            mean_absolute(moments.spins, data.spins),
            mean_absolute(moments.pairs, data.pairs),
            float(decoded.broken[rows].mean()),
        )

    everything = errors(np.arange(len(reads)))
    rng = np.random.default_rng(0)
    resampled = np.array([errors(rng.integers(len(reads), size=len(reads))) for _ in range(_RESAMPLES)])
    method = f"{len(reads)} fresh reads, bootstrap over reads"
    field, coupling, broken = (
        Estimate(value, float(spread), method) for value, spread in zip(everything, resampled.std(axis=0), strict=True)
    )
    return DecodedQuality(proportion(right, f"{len(right)} test rows, binomial"), field, coupling, broken)

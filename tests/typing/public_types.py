"""What a type checker knows of the public names. Nothing runs here: `make lint` and `make test-wheel` check it."""

from typing import assert_type

import numpy as np

import annealnn
from annealnn import (
    BetaSchedule,
    BoltzmannMachine,
    EmbeddedBoltzmannMachine,
    ExactSampler,
    GibbsSampler,
    IsingModel,
    SamplerSpec,
    TransverseIsing,
)
from annealnn.datasets import load_optdigits, make_bars_and_stripes, make_bernoulli_mixture
from annealnn.diagnostics import (
    EnergyHistogram,
    Thermalisation,
    ValueWithError,
    effective_beta,
    effective_beta_by_log_ratio,
    effective_beta_by_moment,
    energy_histogram,
    integrated_autocorrelation_time,
    split_r_hat,
    thermalisation,
)
from annealnn.embeddings import MinorEmbedding, find_minor_embedding, load_embedding
from annealnn.learning import Estimate
from annealnn.models import ExactStatistics, Moments, Structure, TransverseStatistics, bits_to_spins
from annealnn.samplers import CompiledSampler, SamplerState, Step
from annealnn.typing import AnyArray, Bits, Floats, Spins


def models(spins: Spins, bits: Bits) -> None:
    model = IsingModel({"a": 0.7, "b": -0.3}, {("a", "b"): 0.9})
    assert_type(model.h, Floats)
    assert_type(model.energy(spins), Floats)
    assert_type(model.exact(beta=0.8), ExactStatistics)
    assert_type(model.exact().moments, Moments)
    assert_type(model.exact().log_z, float)
    assert_type(bits_to_spins(bits), Spins)
    assert_type(TransverseIsing(model.h, model.J, gamma=1.0).exact(beta=1.0), TransverseStatistics)

    model.h = np.zeros(2)  # type: ignore[misc]
    model.energies(spins)  # type: ignore[attr-defined]
    TransverseIsing(model.h, model.J)  # type: ignore[call-arg]


def samplers(compiled: CompiledSampler, structure: Structure) -> None:
    assert_type(GibbsSampler().compile(structure), CompiledSampler)
    assert_type(compiled.init(10, seed=1), SamplerState)
    assert_type(compiled.step(structure.zeros(), compiled.init(10, seed=1)), Step)
    assert_type(BetaSchedule(stop=2.0).betas(), Floats)

    BetaSchedule(0.1, 2.0)  # type: ignore[call-arg]
    BetaSchedule(beta_schedule_type="cubic")  # type: ignore[arg-type]
    GibbsSampler().compile(structure, want="energies")  # type: ignore[arg-type]
    ExactSampler().sample()  # type: ignore[call-arg]


def diagnostics(structure: Structure, spins: Spins, energies: Floats) -> None:
    beta, standard_error = effective_beta(structure, structure.zeros(), spins)
    assert_type(beta, float)
    assert_type(standard_error, float)
    assert_type(effective_beta_by_moment(structure, structure.zeros(), spins), ValueWithError)
    assert_type(
        effective_beta_by_log_ratio(structure, structure.zeros(), (spins, spins), scales=(1.0, 1.5)), ValueWithError
    )
    assert_type(energy_histogram(energies), EnergyHistogram)
    assert_type(integrated_autocorrelation_time(energies).value, float)
    assert_type(split_r_hat(energies), float)
    assert_type(thermalisation(energies), Thermalisation)

    effective_beta_by_log_ratio(structure, structure.zeros(), (spins, spins))  # type: ignore[call-arg]


def registry(spec: SamplerSpec) -> None:
    assert_type(annealnn.sampler_names(), list[str])
    assert_type(spec.name, str)
    assert_type(SamplerSpec.qpu(num_gauges=2, annealing_time=5.0), SamplerSpec)

    spec.name = "gibbs"  # type: ignore[misc]
    SamplerSpec()  # type: ignore[call-arg]


def data(structure: Structure) -> None:
    assert_type(load_optdigits(return_X_y=True), tuple[Bits, AnyArray])
    assert_type(make_bars_and_stripes(3, 3), tuple[Bits, Bits])
    assert_type(make_bernoulli_mixture(5), tuple[Bits, Bits])
    assert_type(make_bernoulli_mixture(5, return_distribution=True), tuple[Bits, Bits, Floats])
    assert_type(load_embedding("zephyr-12"), MinorEmbedding)
    assert_type(load_embedding("zephyr-12").num_qubits, int)
    assert_type(find_minor_embedding(structure, "zephyr-12"), MinorEmbedding)

    load_optdigits("validation")  # type: ignore[call-overload]
    load_optdigits(crop="6x6")  # type: ignore[call-overload]


def estimators(X: Bits, y: AnyArray) -> None:
    machine = BoltzmannMachine(n_iter=2, random_state=0)
    assert_type(machine.fit(X, y), BoltzmannMachine)
    assert_type(machine.partial_fit(X), BoltzmannMachine)
    assert_type(machine.model_, IsingModel)
    assert_type(machine.sample(5), Bits)
    assert_type(machine.sample(5, return_y=True), tuple[Bits, AnyArray])
    assert_type(machine.log_partition_, Estimate)
    assert_type(machine.predict(X), AnyArray)
    assert_type(machine.score(X, y), float)
    assert_type(machine.score_samples(X), Floats)
    assert_type(machine.reconstruct(X, X), Bits)
    embedded = EmbeddedBoltzmannMachine("zephyr-12").fit(X, y)
    assert_type(embedded, EmbeddedBoltzmannMachine)
    assert_type(embedded.physical_model_, IsingModel)
    assert_type(embedded.effective_beta_, Estimate)

    BoltzmannMachine(n_iter="many")  # type: ignore[arg-type]
    BoltzmannMachine(num_reads=5)  # type: ignore[call-arg]
    machine.sample("five")  # type: ignore[call-overload]
    annealnn.RestrictedMachine  # type: ignore[attr-defined]  # noqa: B018

"""Names, specifications, and what they open."""

from importlib.metadata import EntryPoint

import dimod
import pytest

from annealnn import registry
from annealnn.registry import SamplerSpec, resolve_sampler, sampler_names


def test_registry_names_and_specs():
    assert sampler_names() == sorted(sampler_names())
    assert {"anneal", "exact", "gibbs", "neal", "population-annealing", "tempering"} <= set(sampler_names())
    sampler, parameters = resolve_sampler(SamplerSpec("dimod:RandomSampler"), default=SamplerSpec("gibbs"))
    assert isinstance(sampler, dimod.RandomSampler)
    assert parameters == {}


def test_an_entry_point_gives_a_sampler_a_name(monkeypatch):
    point = EntryPoint(name="mine", value="dimod:RandomSampler", group=registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == point.group else [])
    assert "mine" in sampler_names()
    assert isinstance(SamplerSpec("mine").open(), dimod.RandomSampler)


@pytest.mark.parametrize("name", ["gibs", "no.such.module:Thing", "dimod:NoSuchSampler"])
def test_unknown_names_say_what_is_known(name):
    with pytest.raises(registry.UnknownSamplerError, match=name):
        SamplerSpec(name).open()
    with pytest.raises(registry.UnknownSamplerError, match="anneal, dephasing, exact, gibbs, master-equation, neal"):
        SamplerSpec("gibs").open()


def test_specs_hold_no_credentials_and_are_frozen():
    with pytest.raises(ValueError, match=r"no credentials.*'token'"):
        SamplerSpec("gibbs", {"token": "x"})
    keywords = {"num_sweeps": 3}
    spec = SamplerSpec("gibbs", keywords)
    keywords["num_sweeps"] = 4
    assert spec.parameters == {"num_sweeps": 3}
    assert hash(spec) == hash(SamplerSpec("gibbs"))
    assert spec != SamplerSpec("gibbs")

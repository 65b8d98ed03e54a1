"""What pages say is there: links, modules, names, reasons for dependencies, fragments."""

import pkgutil
import re
import shlex
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
import typer

import annealnn
from annealnn.cli._app import app

ROOT = Path(__file__).parents[2]
PAGES = [
    page
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if not {"build", "generated"} & set(page.relative_to(ROOT).parts)
]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
REFERENCE = (ROOT / "docs" / "api.md").read_text()


def is_public(name):
    return not any(part.startswith("_") for part in name.split("."))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)[)#]", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_are_there_with_their_options(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = page.read_text()
    shown = "\n".join(re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    for line in re.findall(r"^\$ (?:[A-Z_]+=\S+ )?annealnn (.*)$", shown, re.MULTILINE):
        command, words = typer.main.get_command(app), shlex.split(line, comments=True)
        while hasattr(command, "resolve_command"):
            context = command.make_context("annealnn", [], resilient_parsing=True)
            _, command, words = command.resolve_command(context, words)
        command.make_context(line, words)
    assert set(re.findall(r"(?:^\$ |`)make ([a-z-]+)", text, re.MULTILINE)) <= targets


def test_every_picture_has_a_text_and_is_small():
    for page in PAGES:
        for text, target in re.findall(r"!\[(.*?)\]\((.*?)\)", page.read_text(), re.DOTALL):
            assert len(text) > 40
            assert (page.parent / target).stat().st_size < 120_000


def test_every_module_says_what_it_is():
    for info in pkgutil.walk_packages(annealnn.__path__, "annealnn."):
        if not info.name.startswith("annealnn._files") and info.name != "annealnn.__main__":
            assert import_module(info.name).__doc__, info.name


def test_the_reference_lists_every_public_module():
    public = {info.name for info in pkgutil.iter_modules(annealnn.__path__, "annealnn.") if is_public(info.name)}
    assert set(re.findall(r"^   (annealnn\.\w+)$", REFERENCE, re.MULTILINE)) == public - {"annealnn.cli"}


def test_the_reference_lists_every_name_of_the_package():
    listed = {path.rpartition(".")[2] for path in re.findall(r"^   ~(annealnn\.[\w.]+)$", REFERENCE, re.MULTILINE)}
    assert listed == set(annealnn.__all__) - {"__version__"}


def test_every_dependency_has_its_reason_in_the_readme():
    table = "\n".join(line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("|"))
    extras = PROJECT["project"]["optional-dependencies"].values()
    for requirement in [*PROJECT["project"]["dependencies"], *(r for extra in extras for r in extra)]:
        name = re.match(r"[A-Za-z0-9-]+", requirement)[0]
        assert name in table or name.startswith("annealnn"), requirement


def test_fragments_are_of_a_known_type():
    kinds = {kind["directory"] for kind in PROJECT["tool"]["towncrier"]["type"]}
    for fragment in (ROOT / "changelog.d").glob("[!.]*"):
        slug, kind, suffix = fragment.name.split(".")
        assert slug.startswith("+"), fragment.name
        assert kind in kinds, fragment.name
        assert suffix == "md", fragment.name
        assert fragment.read_text().strip(), fragment.name

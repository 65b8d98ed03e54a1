"""All ten digits: every machine and two rivals, tuned alike on a validation split, scored once on the test file."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, final

import numpy as np
from sklearn.model_selection import train_test_split

from annealnn._files_io import write_text
from annealnn._log import logger
from annealnn._validation import check_count
from annealnn._version import __version__
from annealnn.datasets import load_optdigits
from annealnn.experiments._baselines import independent_spins
from annealnn.experiments._contestants import Contestant, Digits, contestants
from annealnn.experiments._measure import proportion
from annealnn.learning import Estimate
from annealnn.typing import Bits

ALL_PROTOCOL = "all ten classes, 8x8 pixels, on if grey >= 8, 10 class units: 74 visible units"
VALIDATION_SHARE = 0.2
_NUM_DRAWN = 40


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AllDigitsJob:
    """What to run.

    Parameters
    ----------
    out : path
        Folder of the report, and of what is finished so far.
    rbms_python : str, optional
        An interpreter with the package rbms; None takes this one if it has it.
    quick : bool
        A hundredth of the steps on a tenth of the rows: to see that all of it runs.
    seed : int
    resume : bool
        Whether to keep what an interrupted run has finished.
    """

    out: Path = Path("optdigits-all-report")
    rbms_python: str | None = None
    quick: bool = False
    seed: int = 0
    resume: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "out", Path(self.out))
        check_count("seed", self.seed, minimum=0)


class Scored(NamedTuple):
    """What a fitted contestant is worth on rows that it did not see."""

    settings: dict[str, Any]
    log_likelihood: Estimate | None
    accuracy: Estimate
    fit_s: float
    drawn: list[list[int]]  #: rows of pixels that it draws

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "settings": self.settings,
            "log_likelihood": self.log_likelihood,
            "accuracy": self.accuracy,
            "fit_s": self.fit_s,
            "drawn": self.drawn,
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Scored":
        """Return what `as_json` gave."""
        likelihood = kept["log_likelihood"]
        return cls(
            kept["settings"],
            None if likelihood is None else Estimate(*likelihood),
            Estimate(*kept["accuracy"]),
            kept["fit_s"],
            kept["drawn"],
        )


@final
@dataclass(slots=True, kw_only=True)
class AllDigitsResult:
    """What the job found."""

    job: AllDigitsJob
    trials: dict[str, list[Scored]]  #: on the validation rows, in the order of the grid
    chosen: dict[str, Scored]  #: the best settings, fitted to all training rows, on the test rows
    shuffled: Scored  #: the semi-restricted machine's settings, on shuffled labels
    independent: Estimate  #: log-likelihood of independent units on the test rows
    ours: set[str]
    real: Bits = field(repr=False)
    wall_s: float = 0.0

    @property
    def misses(self) -> list[str]:
        """Say which rival is not behind our best machine, in log-likelihood or in accuracy; none if all are."""
        best = {
            "log-likelihood": max(
                s.log_likelihood.value for n, s in self.chosen.items() if n in self.ours and s.log_likelihood
            ),
            "accuracy": max(s.accuracy.value for n, s in self.chosen.items() if n in self.ours),
        }
        out = []
        for name in sorted(set(self.chosen) - self.ours):
            rival = self.chosen[name]
            assert rival.log_likelihood is not None  # noqa: S101 - rivals are restricted machines
            for what, value in (
                ("log-likelihood", rival.log_likelihood.value),
                ("accuracy", rival.accuracy.value),
            ):
                if value >= best[what]:
                    out.append(f"{name} has {what} {value:.3f}, our best machine {best[what]:.3f}")
        return out


def run_all_digits(job: AllDigitsJob, *, say: Callable[[str], None] = logger.info) -> AllDigitsResult:
    """Tune, fit and score every contestant, and write the report.

    What is finished is kept below `job.out`; an interrupted run goes on from there with `job.resume`.

    Parameters
    ----------
    job : AllDigitsJob
    say : callable
        Called with a line for every fit.

    Returns
    -------
    AllDigitsResult
        `job.out` then holds `index.html`, `figures/*.png`, `results.json` and `finished/`.

    Raises
    ------
    ValueError
        If `job.out` holds other things.
    """
    from annealnn.reports import write_all_digits_report

    started = time.monotonic()
    _claim(job)
    entrants = contestants(rbms_python=job.rbms_python, quick=job.quick)
    train, test = _load("train", job), _load("test", job)
    number = np.arange(len(train.y))
    fitted, held = train_test_split(number, test_size=VALIDATION_SHARE, random_state=0, stratify=train.y)
    part, validation = (Digits(train.X[at], train.y[at]) for at in (fitted, held))
    say(f"OptDigits: {ALL_PROTOCOL}; {len(part.y)} + {len(validation.y)} training rows, {len(test.y)} test rows")
    if not any(c.name.startswith("rbms") for c in entrants):
        say("the package rbms is not here: left out (make optdigits-all brings it)")
    trials: dict[str, list[Scored]] = {}
    chosen: dict[str, Scored] = {}
    for entrant in entrants:
        trials[entrant.name] = [
            _kept(job, f"{entrant.name} {k}", say, partial(_score, entrant, settings, part, validation, job.seed))
            for k, settings in enumerate(entrant.grid)
        ]
        best = max(trials[entrant.name], key=lambda s: (s.log_likelihood or s.accuracy).value)
        final = partial(_score, entrant, best.settings, train, test, job.seed)
        chosen[entrant.name] = _kept(job, f"{entrant.name} test", say, final)
    semi = next(c for c in entrants if c.name.startswith("semi-restricted"))
    wrong = Digits(train.X, np.random.default_rng(job.seed).permutation(train.y))
    untaught = partial(_score, semi, chosen[semi.name].settings, wrong, test, job.seed)
    shuffled = _kept(job, "shuffled labels", say, untaught)
    joined = [np.hstack([d.X, d.y[:, None] == np.arange(10)]).astype(np.int8) for d in (train, test)]
    result = AllDigitsResult(
        job=job,
        trials=trials,
        chosen=chosen,
        shuffled=shuffled,
        independent=Estimate(independent_spins(*joined)[1], 0.0, "closed form"),
        ours={c.name for c in entrants if c.ours},
        real=test.X[:: max(1, len(test.X) // _NUM_DRAWN)][:_NUM_DRAWN],
        wall_s=time.monotonic() - started,
    )
    write_text(job.out / "results.json", json.dumps(_summary(result), indent=2) + "\n")
    write_all_digits_report(result)
    return result


def _load(subset: Literal["train", "test"], job: AllDigitsJob) -> Digits:
    digits = Digits(*load_optdigits(subset, return_X_y=True))
    return Digits(digits.X[::10], digits.y[::10]) if job.quick else digits


def _score(entrant: Contestant, settings: Any, train: Digits, judged: Digits, seed: int) -> Scored:
    started = time.monotonic()
    machine = entrant.fit(settings, train, seed)
    fit_s = time.monotonic() - started
    return Scored(
        dict(settings),
        machine.log_likelihood(judged.X, judged.y) if entrant.has_likelihood else None,
        proportion(machine.predict(judged.X) == judged.y, f"{len(judged.y)} rows, binomial"),
        fit_s,
        machine.sample(_NUM_DRAWN, random_state=seed).tolist(),
    )


def _kept(job: AllDigitsJob, name: str, say: Callable[[str], None], make: Callable[[], Scored]) -> Scored:
    """Return what a run before this one has finished, or make it and keep it."""
    path = job.out / "finished" / f"{name.replace(' ', '-').replace(',', '')}.json"
    if path.exists():
        return Scored.from_json(json.loads(path.read_text()))
    found = make()
    write_text(path, json.dumps(found.as_json()) + "\n")
    likelihood = found.log_likelihood
    shown = "" if likelihood is None else f"{likelihood.value:.2f} +- {likelihood.standard_error:.2f} nats, "
    say(f"{name}: {found.settings}: {shown}accuracy {found.accuracy.value:.3f}, fitted in {found.fit_s:.0f} s")
    return found


def _claim(job: AllDigitsJob) -> None:
    mark = job.out / "job.json"
    ours = json.dumps({"quick": job.quick, "seed": job.seed, "annealnn": __version__}) + "\n"
    if job.out.exists() and (not job.out.is_dir() or (any(job.out.iterdir()) and not mark.exists())):
        msg = f"a report is written to a folder, new or empty or an earlier report's; got {job.out}. Name another"
        raise ValueError(msg)
    finished = job.out / "finished"
    if finished.exists() and not (job.resume and mark.read_text() == ours):
        for old in finished.glob("*.json"):
            old.unlink()
    write_text(mark, ours)


def _summary(result: AllDigitsResult) -> dict[str, Any]:
    def plain(scored: Scored) -> dict[str, Any]:
        named = scored.as_json()
        del named["drawn"]
        for name in ("log_likelihood", "accuracy"):
            named[name] = None if named[name] is None else named[name]._asdict()
        return named

    return {
        "annealnn": __version__,
        "protocol": ALL_PROTOCOL,
        "seed": result.job.seed,
        "validation": {name: [plain(s) for s in tried] for name, tried in result.trials.items()},
        "test": {name: plain(s) for name, s in result.chosen.items()},
        "shuffled_labels": plain(result.shuffled),
        "independent_units": result.independent._asdict(),
        "misses": result.misses,
        "wall_s": result.wall_s,
    }

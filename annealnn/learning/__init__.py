"""Learning: phases, descent, likelihoods, checkpoints; pure steps, state in, state out. Knows no estimator."""

from annealnn.learning import checkpoint
from annealnn.learning._descent import SCHEDULES, Bounds, Descent, Held, centred, difference, mean_absolute
from annealnn.learning._gaussian import GaussianLearner, GaussianParameters
from annealnn.learning._learner import Learner, LearnerState, Progress, Rows
from annealnn.learning._loop import (
    CheckpointPolicy,
    EarlyStopping,
    EpochLearner,
    History,
    Recover,
    descend,
    effective_particles,
)
from annealnn.learning._phases import (
    FactorisedPhase,
    HiddenFields,
    MeanFieldPhase,
    Positive,
    PositivePhase,
    SampledPhase,
    VisiblePhase,
    mean_field,
)
from annealnn.learning.likelihood import Estimate, log_partition, pseudo_log_likelihood

__all__ = [
    "SCHEDULES",
    "Bounds",
    "CheckpointPolicy",
    "Descent",
    "EarlyStopping",
    "EpochLearner",
    "Estimate",
    "FactorisedPhase",
    "GaussianLearner",
    "GaussianParameters",
    "Held",
    "HiddenFields",
    "History",
    "Learner",
    "LearnerState",
    "MeanFieldPhase",
    "Positive",
    "PositivePhase",
    "Progress",
    "Recover",
    "Rows",
    "SampledPhase",
    "VisiblePhase",
    "centred",
    "checkpoint",
    "descend",
    "difference",
    "effective_particles",
    "log_partition",
    "mean_absolute",
    "mean_field",
    "pseudo_log_likelihood",
]

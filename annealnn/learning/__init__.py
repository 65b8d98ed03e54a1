"""Learning by matching moments: pure steps (state in, state out), likelihoods, checkpoints. Knows no estimator."""

from annealnn.learning._checkpoint import load_checkpoint, read_record, save_checkpoint
from annealnn.learning._loop import CheckpointPolicy, History, descend
from annealnn.learning._moment_matching import Bounds, LearnerState, MomentMatching, Progress, mean_absolute
from annealnn.learning.likelihood import Estimate, log_partition, pseudo_log_likelihood

__all__ = [
    "Bounds",
    "CheckpointPolicy",
    "Estimate",
    "History",
    "LearnerState",
    "MomentMatching",
    "Progress",
    "descend",
    "load_checkpoint",
    "log_partition",
    "mean_absolute",
    "pseudo_log_likelihood",
    "read_record",
    "save_checkpoint",
]

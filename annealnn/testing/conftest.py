"""pytest's settings for `pytest --pyargs annealnn.testing`."""

import os

# scikit-learn's suite skips its array-API check without this, and it counts only before scipy is imported
os.environ.setdefault("SCIPY_ARRAY_API", "1")

_NAMED = [kind for kind in ("SAMPLERS", "ESTIMATORS") if os.environ.get(f"ANNEALNN_TEST_{kind}")]
# where something is named, that and nothing else is tested
collect_ignore = (
    [f"test_{kind}.py" for kind in ("samplers", "estimators", "data") if kind.upper() not in _NAMED] if _NAMED else []
)

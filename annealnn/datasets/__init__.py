"""Data sets: shipped ones are loaded, synthetic ones are made. Their X holds bits unless it says otherwise."""

from annealnn.datasets._optdigits import load_optdigits
from annealnn.datasets._synthetic import make_bars_and_stripes, make_bernoulli_mixture

__all__ = ["load_optdigits", "make_bars_and_stripes", "make_bernoulli_mixture"]

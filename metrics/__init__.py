"""What is measured: a metric per file, functions of arrays. Knows NumPy and SciPy, no model.

To add one: a file with a function under `@register("name", of="codes")` that takes codes [n, z]
and factors [n, f] and gives numbers by name, and its line in the list below.
"""

from .active_units import active_units
from .elbo import kl, reconstruction
from .metric import METRICS, Metric, Representation, compute, register
from .mig import mig

__all__ = [
    "METRICS",
    "Metric",
    "Representation",
    "active_units",
    "compute",
    "kl",
    "mig",
    "reconstruction",
    "register",
]

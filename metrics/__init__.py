"""What is measured: a metric per file, functions of arrays. Knows NumPy, SciPy and scikit-learn, no
model.

To add one: a file with a function under `@register("name", of="codes")` that takes codes [n, z]
and factors [n, f] and gives numbers by name, and its line in the list below.
"""

from .active_units import active_units
from .beta_vae_score import beta_vae_score
from .dci import dci
from .elbo import kl, reconstruction
from .explicitness import explicitness
from .factor_vae_score import factor_vae_score
from .metric import METRICS, Metric, Representation, compute, register
from .mig import mig
from .modularity import modularity
from .sap import sap
from .unsupervised import unsupervised

__all__ = [
    "METRICS",
    "Metric",
    "Representation",
    "active_units",
    "beta_vae_score",
    "compute",
    "dci",
    "explicitness",
    "factor_vae_score",
    "kl",
    "mig",
    "modularity",
    "reconstruction",
    "register",
    "sap",
    "unsupervised",
]

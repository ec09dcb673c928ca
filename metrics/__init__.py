"""What is measured: a metric per file, functions of arrays. Knows NumPy, SciPy and scikit-learn, no
model.

To add one: a file with a function under `@register("name", of="codes")` that takes codes [n, z]
and factors [n, f] and gives numbers by name, and its line in the list below.
"""

from .abstract_reasoning import abstract_reasoning
from .active_units import active_units
from .aggregate_posterior import aggregate_posterior
from .beta_vae_score import beta_vae_score
from .choice import choice
from .class_geometry import class_geometry
from .clustering import clustering
from .collapse import collapse
from .compute import compute
from .content import content
from .dci import dci
from .dci_es import dci_es
from .dci_forest import dci_forest
from .dci_lasso import dci_lasso
from .dci_logistic import dci_logistic
from .dcimig import dcimig
from .decoded_information import decoded_information
from .distances import distances
from .downstream import downstream_gbt, downstream_lr
from .elbo import kl, reconstruction
from .explicitness import explicitness
from .factor_vae_score import factor_vae_score
from .frechet import frechet
from .generalization import strong_generalization
from .identifiability import block_r2, linear_r2, mcc, nonlinear_r2
from .infomec import infomec, infomec_distinct, infomec_training, infomec_tripod
from .interpolation import interpolation
from .interpretability import interpretability
from .irs import irs
from .iwae import iwae
from .jemmig import jemmig
from .knn_error import knn_error
from .latent_predictability import latent_predictability
from .linear_probe import linear_probe
from .live_latents import live_latents
from .med import med
from .metric import METRICS, Metric, Representation, Trained, register
from .mig import mig
from .mig_sup import mig_sup
from .modularity import modularity
from .perturbation import perturbation
from .reduced_downstream import reduced_downstream
from .sap import sap
from .sap_continuous import sap_continuous
from .scc import scc
from .score import USUAL, Scores, score
from .squared_error import squared_error
from .swap import swap
from .total_correlation import total_correlation
from .udr import udr
from .unfairness import unfairness
from .unsupervised import unsupervised

__all__ = [
    "METRICS",
    "Metric",
    "Representation",
    "Trained",
    "USUAL",
    "abstract_reasoning",
    "active_units",
    "aggregate_posterior",
    "beta_vae_score",
    "block_r2",
    "choice",
    "class_geometry",
    "clustering",
    "collapse",
    "compute",
    "content",
    "dci",
    "dci_es",
    "dci_forest",
    "dci_lasso",
    "dci_logistic",
    "dcimig",
    "decoded_information",
    "distances",
    "downstream_gbt",
    "downstream_lr",
    "explicitness",
    "factor_vae_score",
    "frechet",
    "infomec",
    "infomec_distinct",
    "infomec_training",
    "infomec_tripod",
    "interpolation",
    "interpretability",
    "irs",
    "iwae",
    "jemmig",
    "kl",
    "knn_error",
    "latent_predictability",
    "linear_probe",
    "linear_r2",
    "live_latents",
    "mcc",
    "med",
    "mig",
    "mig_sup",
    "modularity",
    "nonlinear_r2",
    "perturbation",
    "reconstruction",
    "reduced_downstream",
    "register",
    "sap",
    "sap_continuous",
    "strong_generalization",
    "squared_error",
    "swap",
    "total_correlation",
    "udr",
    "unfairness",
    "scc",
    "score",
    "Scores",
    "unsupervised",
]

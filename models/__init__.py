"""What is trained: a method per file. Knows JAX, Flax and Optax.

To add one: a file with a class under `@register("name")`, and its line in the list below (or no
line at all, and `soberlook run --plugin FILE.py`).
"""

from .ada_gvae import AdaGVAE, AdaMLVAE
from .annealed_vae import AnnealedVAE
from .ar_elbo import ARELBO
from .ar_vae import ARVAE, AttriVAE
from .attention import attention_maps, overlay
from .beta_tcvae import BetaTCVAE
from .beta_vae import BetaVAE
from .blur_vae import BlurVAE
from .control_vae import ControlVAE
from .critic_vae import CriticVAE
from .dip_vae import DIPVAEI, DIPVAEII
from .dir_vae import DirVAE
from .dir_vae_semi import SemiDirVAE
from .e_vae import EVAE
from .factor_vae import FactorVAE
from .gaussian_vae import GaussianVAE
from .gcvae import GCVAE
from .leaves import filled, named, restored
from .logistic_normal_vae import LogisticNormalVAE
from .ml_vae import GVAE, MLVAE
from .model import MODELS, Model, State, hyperparameter, make, register, strength_name, sweep
from .nash_ae import NashAE
from .s2_independent_vae import S2IndependentVAE
from .s_vq_vae import SVQVAE
from .sb_vae import StickBreakingVAE
from .semi_supervised import S2DIPVAE, S2VAE, S2BetaTCVAE, S2FactorVAE, S2Supervised
from .sigma_vae import SigmaVAE
from .supervised import SupervisedEncoder
from .vae import VAE, Terms
from .vae_gan import VAEGAN
from .vmi_vae import VMIVAE
from .vmi_vae_joint import JointVMIVAE
from .vq_vae import VQVAE

__all__ = [
    "ARVAE",
    "MODELS",
    "ARELBO",
    "AdaGVAE",
    "AdaMLVAE",
    "AnnealedVAE",
    "AttriVAE",
    "BetaTCVAE",
    "BetaVAE",
    "BlurVAE",
    "ControlVAE",
    "CriticVAE",
    "DIPVAEI",
    "DIPVAEII",
    "DirVAE",
    "EVAE",
    "FactorVAE",
    "GCVAE",
    "GVAE",
    "GaussianVAE",
    "JointVMIVAE",
    "LogisticNormalVAE",
    "MLVAE",
    "Model",
    "NashAE",
    "SemiDirVAE",
    "StickBreakingVAE",
    "SVQVAE",
    "SigmaVAE",
    "S2BetaTCVAE",
    "S2DIPVAE",
    "S2FactorVAE",
    "S2IndependentVAE",
    "S2Supervised",
    "S2VAE",
    "State",
    "SupervisedEncoder",
    "Terms",
    "VAE",
    "VAEGAN",
    "VMIVAE",
    "VQVAE",
    "attention_maps",
    "filled",
    "hyperparameter",
    "make",
    "named",
    "overlay",
    "register",
    "restored",
    "strength_name",
    "sweep",
]

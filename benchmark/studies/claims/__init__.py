"""The claims of papers that come with the suite: values, a file each.

Each is committed before its own seeds are trained; what its numbers were chosen by is in its
`about`.
"""

from .ada_gvae import ADA_GVAE
from .ar_elbo import AR_ELBO
from .attributes import ATTRIBUTES
from .beta_tcvae import BETA_TCVAE, TOTAL_CORRELATION
from .beta_vae import BETA_VAE
from .beta_vae_score import BETA_VAE_SCORE
from .blur import BLUR
from .control_vae import CONTROL_VAE
from .critic_vae import CRITIC_VAE
from .dir_vae import DIR_VAE, DIR_VAE_COLLAPSE
from .e_vae import E_VAE
from .factor_vae import FACTOR_VAE
from .factor_vae_score import FACTOR_VAE_SCORE
from .few_labels import FEW_LABELS
from .gcvae import GCVAE, GCVAE_RELEASED
from .ml_vae import ML_VAE
from .nash_ae import NASH_AE, NASH_AE_SCORE
from .s_vq_vae import S_VQ_VAE, S_VQ_VAE_LABELS
from .vae_gan import VAE_GAN, VAE_GAN_CODES
from .vmi_vae import VMI_VAE
from .vmi_vae_joint import VMI_VAE_JOINT

__all__ = [
    "ADA_GVAE",
    "AR_ELBO",
    "ATTRIBUTES",
    "BETA_TCVAE",
    "BETA_VAE",
    "BETA_VAE_SCORE",
    "BLUR",
    "CONTROL_VAE",
    "CRITIC_VAE",
    "DIR_VAE",
    "DIR_VAE_COLLAPSE",
    "E_VAE",
    "FACTOR_VAE",
    "FACTOR_VAE_SCORE",
    "FEW_LABELS",
    "GCVAE",
    "GCVAE_RELEASED",
    "ML_VAE",
    "NASH_AE",
    "NASH_AE_SCORE",
    "S_VQ_VAE",
    "S_VQ_VAE_LABELS",
    "TOTAL_CORRELATION",
    "VAE_GAN",
    "VAE_GAN_CODES",
    "VMI_VAE",
    "VMI_VAE_JOINT",
]

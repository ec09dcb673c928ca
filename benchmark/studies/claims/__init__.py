"""The claims of papers that come with the suite: values, a file each.

Each is committed before its own seeds are trained; what its numbers were chosen by is in its
`about`.
"""

from .attributes import ATTRIBUTES
from .beta_vae import BETA_VAE
from .few_labels import FEW_LABELS

__all__ = ["ATTRIBUTES", "BETA_VAE", "FEW_LABELS"]

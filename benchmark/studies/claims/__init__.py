"""The claims of papers that come with the suite: values, a file each.

Each is committed before its own seeds are trained; what its numbers were chosen by is in its
`about`.
"""

from .beta_vae import BETA_VAE

__all__ = ["BETA_VAE"]

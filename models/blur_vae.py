"""β-VAE with the reconstruction loss of Michlo, Klein & James, "Overlooked Implications of the
Reconstruction Loss for VAE Disentanglement", IJCAI 2023.

    loss = E_q(z|x)[½ w |x − x̂|² + ½ v |k∗x − k∗x̂|²] + β KL(q(z|x) ‖ p(z)) + constants

Of every VAE here the same loss is the setting likelihood="box_blur"; what is this model's own is
that w, v and β are numbers to sweep. w, v and the kernels k are those of `blur.py`.

The paper's β weighs means, over D pixels and d latents, of squared errors of standardised pixels.
`beta_in_nats` is what that is here: on xysquares, 64×64×3 with pixels of deviation 0.124, the
paper's 0.0316 and 0.0001 with 25 latents are 0.12 and 0.0004.
"""

from soberlook.registry import setting

from .beta_vae import BetaVAE
from .likelihoods import BLURS, LIKELIHOODS
from .model import hyperparameter, register


@register("blur_vae")
class BlurVAE(BetaVAE):
    """β-VAE whose errors count blurred, too (Michlo, Klein & James, IJCAI 2023)."""

    paper = "Michlo, Klein & James, IJCAI 2023"

    likelihood: str = setting("box_blur", choices=BLURS)
    beta: float = hyperparameter(1.0, low=0)
    pixel_weight: float = hyperparameter(1.0, low=1e-6)  # w; without it pixels cannot be learnt
    # v in units of the kernel's; the paper compares 0 and 1.
    blur_weight: float = hyperparameter(1.0, sweep=(0, 0.01, 0.1, 1, 10), low=0)

    def likelihood_of(self, state, outputs):
        return LIKELIHOODS[self.likelihood](outputs, self.pixel_weight, self.blur_weight)


def beta_in_nats(beta: float, pixels: int, latents: int, deviation: float = 1.0) -> float:
    """β of E[½ |x − x̂|²] + β KL, which has the minima of mean squared error + `beta` · mean KL.

    The means are over `pixels` (with channels) and `latents`, and squared errors those of pixels
    divided by their `deviation`: β = beta · D / 2d · deviation².
    """
    return beta * pixels / (2 * latents) * deviation**2

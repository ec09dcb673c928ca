"""VMI-VAE with a choice among its codes: Serdega & Kim, 2020 (arXiv 2005.13953).

    z = (s, c),  q(s, c|x) = N(s; μ, σ²) Categorical(c; π),  p(s, c) = N(s; 0, I) / K
    loss = E_q(z|x)[−log p(x|z)] + β KL(q(z|x) ‖ p(z))
           + λ E[−log Q(c|x̂)] + λ_s E[−log Q(s_1, …, s_m|x̂)]                   x̂ of q's z alone

In training c is relaxed, softmax((log π + g) / T) with Gumbel noise g (Jang et al., ICLR 2017), and
−log Q(c|x̂) = −Σ_k c_k log Q_k(x̂). A sample of the posterior is a true one-hot.

T = max(T_min, T_0 exp(−rate · step)). The authors mean rate = 1.5e-5 and T_min = .3 to .5, but
their code computes T in one step of a thousand and takes T_0 in the others: as published T is 1
throughout, which is rate = 0. Their T changes once in 1,000 steps, this one in each.

The bound I(c; x̂) ≥ H(c) − E[−log Q(c|x̂)] loses its H(c) here, as it does in theirs: that of the
prior is a constant. But it is q's choice that is read, and one that is the same for all images is
read without error: it saves λ log K and costs its KL, β log K, so that with λ > β it may be the
best there is. −log Q, which falls to 0, is no sign of it; a KL of log K is.

The authors' weights .005, .01 and .0005 are β = .49, λ = .98 and λ_s = .049 nats, as in vmi_vae.py:
λ is twice β, and on small data the choice is then the same for all. The defaults are λ = β = 1, the
largest λ that cannot gain by it.
"""

import jax
import jax.numpy as jnp

from soberlook.registry import BadInput, setting

from .choice import GaussianAndChoice
from .model import hyperparameter, register
from .posteriors import Gaussian
from .vmi_vae import VMIVAE


@register("vmi_vae_joint")
class JointVMIVAE(VMIVAE):
    """VMI-VAE with a categorical code (Serdega & Kim, 2020): a choice read from what is decoded.

    With more `information` than `beta` it may become the same choice for all images.
    """

    version = 2

    choices: int = setting(10, low=2)  # K
    beta: float = hyperparameter(1.0, low=0)
    information: float = hyperparameter(1.0, sweep=(0, 1, 4, 16), low=0)  # λ, of the choice
    information_continuous: float = hyperparameter(0.2, low=0)  # λ_s
    temperature: float = hyperparameter(1.0, low=1e-3)  # T_0
    temperature_rate: float = hyperparameter(0.0, low=0)
    temperature_min: float = hyperparameter(0.5, low=1e-3)

    def resolved(self, image_shape):
        if self.temperature < self.temperature_min:
            raise BadInput(
                f"{self.name}: temperature must be ≥ temperature_min, {self.temperature_min}, "
                f"found {self.temperature}"
            )
        return super().resolved(image_shape)

    @property
    def heads(self):
        return super().heads | {"logits": self.choices}

    @property
    def codes(self):
        return self.latents + self.choices

    @property
    def read(self):
        return super().read | {"logits": self.choices}

    @property
    def weights(self):
        return {"unread": self.information_continuous, "unread_choice": self.information}

    def encode(self, state, x):
        mean, log_var, logits = self.heads_of(state, x)
        return GaussianAndChoice(Gaussian(mean, log_var), logits)

    def infer(self, state, x, key):
        posterior = self.encode(state, x)
        annealed = self.temperature * jnp.exp(-self.temperature_rate * state.step)
        temperature = jnp.maximum(self.temperature_min, annealed)
        return posterior, posterior.relaxed(jax.random.fold_in(key, 0), temperature)

    def decoded(self, state, z, key):
        return z, self.decode(state, z).mean

    def unread(self, reader, z, decoded):
        mean, log_std, logits = self.read_from(reader, decoded)
        choice = z[:, self.latents :]
        return {
            "unread": self.unread_continuous(mean, log_std, z),
            "unread_choice": -(choice * jax.nn.log_softmax(logits)).sum(axis=1),
        }

"""Critics against posterior collapse: Menon, Blei & Vondrick, "Forget-me-not! Contrastive Critics
for Mitigating Posterior Collapse", UAI 2022.

    loss = E_q(z|x)[−log p(x|z)] + KL(q(z|x) ‖ p(z)) + λ L
    L = −E_i log softmax_j f(x_j, z_i) at j = i,    log B − L ≤ I(x; z)

A critic f must tell from which of a batch's B images a code z_i is:

    "self"    f = log q(z_i|x_j), the encoder's own density
    "neural"  f = τ ⟨g(z_i), h(x_j)⟩ of two networks, both of length 1; L is the mean of this and of
              the same with images and codes exchanged
    "hybrid"  the same, h a further output of the encoder

τ is a parameter, kept as its logarithm. It is not bounded as CLIP's is, by 100: L ≥ 0 for every τ,
and one wrong guess that is too sure brings it down. "self" has no use for `critic_width` and
`temperature`. An image that is in a batch twice counts against itself.
"""

import math

import jax
import jax.numpy as jnp
from jax.nn import log_softmax

from soberlook.registry import setting

from . import networks
from .model import hyperparameter, register
from .posteriors import Gaussian
from .vae import VAE, Terms


@register("critic_vae")
class CriticVAE(VAE):
    """VAE with a critic (Menon et al., UAI 2022), which tells whose image a code is of."""

    paper = "Menon, Blei & Vondrick, UAI 2022"
    version = 2

    lambda_critic: float = hyperparameter(10.0, sweep=(0.1, 1, 5, 10, 20), low=0)
    critic: str = setting("self", choices=("self", "neural", "hybrid"))
    critic_width: int = setting(32, low=1)  # of g(z) and h(x)
    temperature: float = hyperparameter(0.07, low=1e-3)  # 1/τ to begin with

    @property
    def heads(self):
        return super().heads | ({"critic": self.critic_width} if self.critic == "hybrid" else {})

    def init(self, key, batch):
        state = super().init(key, batch)
        if self.critic == "self":
            return state
        # With a key of its own: encoder and decoder start as those of the VAE. Their two keys are
        # what fold_in gives of 0 and 1.
        key_z, key_x = jax.random.split(jax.random.fold_in(key, 2))
        of_z, of_x = self._critics(state.image_shape)
        params = {
            "of_z": of_z.init(key_z, jnp.zeros((1, self.codes))),
            "log_scale": -jnp.log(self.temperature),
        }
        if self.critic == "neural":
            params["of_x"] = of_x.init(key_x, jnp.zeros((1, *state.image_shape)))
        return self.with_params(state, **params)

    def encode(self, state, x):
        mean, log_var, *_ = self.heads_of(state, x)
        return Gaussian(mean, log_var)

    def regularizer(self, t: Terms):
        kl, critic = t.posterior.kl(), self.critic_loss(t)
        information = math.log(len(t.z)) - critic
        logs = {"kl": kl, "critic": critic, "information": information}
        return kl + self.lambda_critic * critic, logs

    def critic_loss(self, t: Terms):
        """L in nats, a scalar ≥ 0: log B where codes say nothing."""
        if self.critic == "self":
            return whose(densities(t.posterior, t.z))
        of_z, of_x = self._critics(t.state.image_shape)
        g = unit(of_z.apply(t.state.params["of_z"], t.z)[0])
        if self.critic == "hybrid":
            h = unit(self.heads_of(t.state, t.images)[-1])
        else:
            h = unit(of_x.apply(t.state.params["of_x"], t.images)[0])
        logits = jnp.exp(t.state.params["log_scale"]) * g @ h.T
        return (whose(logits) + whose(logits.T)) / 2

    def _critics(self, image_shape):
        def build(network, shape):
            heads = {"critic": self.critic_width}
            return networks.build(network, 0, shape, self.precision, self.gradients, heads=heads)[0]

        return build("mlp", (self.codes,)), build(self.network, image_shape)


def whose(logits):
    """−E_i log softmax_j logits_ij at j = i, of [b, b]."""
    return -jnp.mean(jnp.diag(log_softmax(logits, axis=1)))


def densities(q, z):
    """log q(z_i|x_j) [i, j], up to what is equal for all j: log p(z_i), which softmax ignores."""
    return jax.vmap(lambda z_i: -q.log_ratio(jnp.broadcast_to(z_i, z.shape)))(z)


def unit(v):
    """v [b, n] with rows of length 1; a row of zeros stays one, and has a derivative."""
    return v * jax.lax.rsqrt(jnp.sum(v**2, axis=1, keepdims=True) + 1e-12)

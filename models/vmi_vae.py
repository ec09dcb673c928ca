"""VMI-VAE: Serdega & Kim, "VMI-VAE: Variational Mutual Information Maximization Framework for VAE
With Discrete and Continuous Priors", 2020 (arXiv 2005.13953).

    loss = E_q(z|x)[−log p(x|z)] + β KL(q(z|x) ‖ p(z)) + λ E[−log Q(c|x̂)]
    Q's loss = E[−log Q(c|x̂)]                    c the first m of z, x̂ the mean of p(x|z)

I(c; x̂) ≥ H(c) − E[−log Q(c|x̂)] for every Q, here a normal distribution from a network of images
(Barber & Agakov, 2003). z is half from q(z|x) and half from p(z), as in the authors' trainer. The
VAE is updated first; Q then sees what it decodes of other samples.

Q(c|x̂) = N(c; m(x̂), s(x̂)²),   log s = a + log(1 + exp(â − a)),   a = −6

The authors' log s is the network's output â as it is. Then −log Q has no lower bound: x̂ is a
function of z, without noise, from which c can be read as sharply as s likes, and the loss is best
where s is 0. This one is softly bounded from below.

The authors' pixels are in [−1, 1] and averaged, with weights .005 and .0005 of KL and −log Q: in
nats of a normal likelihood with unit variance, of 784 pixels in [0, 1], whose squared errors are a
quarter of theirs, β = .49 and λ = .049. The defaults are for another likelihood, Bernoulli's.
"""

import jax
import jax.numpy as jnp
import optax
from jax.nn import softplus

from soberlook.registry import BadInput, setting

from . import networks
from .adam import adam
from .model import hyperparameter, register
from .posteriors import Gaussian
from .vae import VAE, Terms

LEAST_LOG_STD = -6.0  # a


@register("vmi_vae")
class VMIVAE(VAE):
    """VMI-VAE (Serdega & Kim, 2020): some codes can be read from what is decoded."""

    paper = "Serdega & Kim, arXiv 2005.13953, 2020"
    version = 2

    beta: float = hyperparameter(2.0, low=0)
    information: float = hyperparameter(0.2, sweep=(0, 0.2, 1, 5), low=0)  # λ
    informative: int = setting(2, low=1)  # m
    reader_learning_rate: float = hyperparameter(1e-4, low=0)

    def resolved(self, image_shape):
        resolved = super().resolved(image_shape)
        if self.informative > self.latents:
            raise BadInput(
                f"{self.name}: informative must be ≤ latents, {self.latents}, "
                f"found {self.informative}"
            )
        if resolved.network in networks.AUTOREGRESSIVE:
            raise BadInput(
                f"{self.name}: network must decode all pixels at once, found {self.network!r}, "
                "which has no mean of images to read: use 'mlp'"
            )
        return resolved

    def init(self, key, batch):
        key_vae, key_reader = jax.random.split(key)
        state = super().init(key_vae, batch)
        reader = self._reader(state.image_shape)
        params = reader.init(key_reader, jnp.zeros((1, *state.image_shape)))
        opt = adam(self.reader_learning_rate).init(params)
        return state.replace(extra={"reader": params, "opt": opt})

    def regularizer(self, t: Terms):
        kl = t.posterior.kl().mean()
        z, decoded = self.decoded(t.state, t.z, t.key)
        unread = self.unread(t.state.extra["reader"], z, decoded)
        weighted = sum(self.weights[name] * value.mean() for name, value in unread.items())
        return self.beta * kl + weighted, {"kl": kl} | unread

    def update(self, state, batch, key):
        key_vae, key_infer, key_prior = jax.random.split(key, 3)
        after, logs = super().update(state, batch, key_vae)
        _, z = self.infer(after, self.observed(batch), key_infer)
        pairs = self.decoded(after, z, key_prior)
        loss, grads = jax.value_and_grad(self.reader_loss)(state.extra["reader"], *pairs)
        updates, opt = adam(self.reader_learning_rate).update(grads, state.extra["opt"])
        params = optax.apply_updates(state.extra["reader"], updates)
        return after.replace(extra={"reader": params, "opt": opt}), logs | {"reader_loss": loss}

    def reader_loss(self, reader, z, decoded):
        """E[−log Q(c|x̂)], of all codes that are to be read."""
        return sum(value.mean() for value in self.unread(reader, z, decoded).values())

    def decoded(self, state, z, key):
        """Codes [2b, z] and what is decoded of them: these of q(z|x), and as many of p(z)."""
        z_prior = jax.random.normal(key, z.shape)
        decoded = [self.decode(state, half).mean for half in (z, z_prior)]
        return jnp.concatenate([z, z_prior]), jnp.concatenate(decoded)

    @property
    def weights(self) -> dict:
        """λ of each kind of code."""
        return {"unread": self.information}

    @property
    def read(self) -> dict[str, int]:
        """The outputs of Q's network."""
        return {"mean": self.informative, "log_std": self.informative}

    def unread(self, reader, z, decoded) -> dict:
        """−log Q(c|x̂) in nats [n], of each kind of code."""
        mean, log_std = self.read_from(reader, decoded)
        return {"unread": self.unread_continuous(mean, log_std, z)}

    def unread_continuous(self, mean, log_std, z):
        """−log N(c; mean, s²), c the first m of z, by â."""
        c = z[:, : self.informative]
        log_std = LEAST_LOG_STD + softplus(log_std - LEAST_LOG_STD)
        return -Gaussian(mean, 2 * log_std).log_prob_per_latent(c).sum(axis=1)

    def read_from(self, reader, decoded):
        """What Q's network says of these images, in the order of `read`."""
        return self._reader(decoded.shape[1:]).apply(reader, decoded)

    def _reader(self, image_shape):
        """Q's network: an encoder of its own."""
        asked = self.network, self.informative, image_shape, self.precision, self.gradients
        return networks.build(*asked, heads=self.read)[0]

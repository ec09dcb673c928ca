"""Stick-Breaking VAE: Nalisnick & Smyth, "Stick-Breaking Variational Autoencoders", ICLR 2017.

loss = E_q(z|x)[−log p(x|z)] + Σ_k KL(Kumaraswamy(a_k(x), b_k(x)) ‖ Beta(1, α))
z_k = v_k Π_{j<k} (1 − v_j),   z_K = Π_{j<K} (1 − v_j)
v_k = (1 − u_k^(1/b_k))^(1/a_k),   u_k ~ U(0, 1),   k = 1..K − 1
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import betaln, digamma
from jaxtyping import Array, Float, PRNGKeyArray

from soberlook.registry import setting

from .model import hyperparameter, register
from .vae import VAE

TERMS = 10  # of the Taylor series in the KL, as in the authors' code
TINY = 1e-30  # of a stick: what is left of it then is 0 to the decoder
FAR = -30.0  # of log u / b: log v is −u^(1/b) / a from here on, and may be 0 by underflow


class Sticks(NamedTuple):
    """K − 1 sticks broken one after the other, v_k ~ Kumaraswamy(a_k, b_k), prior Beta(1, α)."""

    a: Float[Array, "b s"]
    b: Float[Array, "b s"]
    prior: Float[Array, "b s"]  # α

    @property
    def mean(self) -> Float[Array, "b z"]:
        """E[z], exact: sticks are independent."""
        log_v = jnp.log(self.b) + betaln(1 + 1 / self.a, self.b)
        return pieces(log_v, log_minus(jnp.minimum(log_v, -1e-6)))

    def sample(self, key: PRNGKeyArray) -> Float[Array, "b z"]:
        """z, differentiable in a and b."""
        u = jax.random.uniform(key, self.a.shape, minval=1e-6, maxval=1 - 1e-6)
        return pieces(*self.broken(u))

    def broken(self, u):
        """log v and log(1 − v) [b, s], either exact where the other is next to 0."""
        power = jnp.log(u) / self.b
        log_v, far = log_minus(power) / self.a, power < FAR
        rest = log_minus(jnp.where(far, -1, log_v))
        return log_v, jnp.where(far, power - jnp.log(self.a), rest)

    def sample_prior(self, key: PRNGKeyArray) -> Float[Array, "b z"]:
        """z of sticks v ~ Beta(1, α)."""
        u = jax.random.uniform(key, self.a.shape, minval=1e-6, maxval=1 - 1e-6)
        rest = jnp.log(u) / self.prior
        return pieces(log_minus(rest), rest)

    def log_ratio(self, z: Float[Array, "b z"]) -> Float[Array, " b"]:
        """log p(z) − log q(z|x), by the sticks: the Jacobian of z is that of both."""
        a, b, prior = self
        left = jnp.cumsum(z[:, ::-1], axis=1)[:, ::-1]  # Σ_{j≥k} z_j, what z_k is broken off
        before = jnp.where(left[:, :-1] > 0, left[:, :-1], 1)
        v, rest = (jnp.maximum(part / before, TINY) for part in (z[:, :-1], left[:, 1:]))
        log_v = jnp.where(v < 0.5, jnp.log(v), jnp.minimum(jnp.log1p(-rest), -TINY))
        log_p = jnp.log(prior) + (prior - 1) * jnp.log(rest)
        log_q = jnp.log(a * b) + (a - 1) * log_v + (b - 1) * log_minus(a * log_v)
        # At either end of a stick one event, of which the probability of v < t goes as b t^a, and
        # of 1 − v < t as (a t)^b. Where nothing is left to break, later sticks change no z.
        low, high = v <= TINY, rest <= TINY
        events = jnp.where(low, jnp.log(a), 0) + jnp.where(high, jnp.log(b) - jnp.log(prior), 0)
        return jnp.where(left[:, :-1] > 0, log_p - log_q + events, 0).sum(axis=1)

    def kl_per_latent(self) -> Float[Array, "b z"]:
        """KL(Kumaraswamy(a_k, b_k) ‖ Beta(1, α)) in nats, and 0 for z_K, which the others give.

        E[log(1 − v)] = −Σ_m b / (m + a b) B(m/a, b), of which the first terms are taken: what is
        left out is a penalty, and the KL too low, where α > 1.
        """
        a, b, prior = self

        def term(m):
            return b / (m + a * b) * jnp.exp(betaln(m / a, b))

        series = jax.vmap(term)(jnp.arange(1.0, TERMS + 1)).sum(axis=0)
        log_v = -(jnp.euler_gamma + digamma(b) + 1 / b) / a  # E[log v]
        kl = jnp.log(a * b) + (a - 1) * log_v - (b - 1) / b - jnp.log(prior) + (prior - 1) * series
        return jnp.pad(kl, ((0, 0), (0, 1)))

    def kl(self) -> Float[Array, " b"]:
        """The sum over sticks."""
        return self.kl_per_latent().sum(axis=1)


def log_minus(x):
    """log(1 − eˣ) of x < 0, without loss at either end, and with derivatives."""
    near = x > -math.log(2)
    small = jnp.log(-jnp.expm1(jnp.where(near, x, -1)))
    return jnp.where(near, small, jnp.log1p(-jnp.exp(jnp.where(near, -1, x))))


def pieces(log_v, log_rest):
    """z [b, K] of sticks [b, K − 1], by log v and log(1 − v)."""
    before = jnp.pad(jnp.cumsum(log_rest, axis=1), ((0, 0), (1, 0)))
    return jnp.exp(jnp.pad(log_v, ((0, 0), (0, 1))) + before)


@register("sb_vae")
class StickBreakingVAE(VAE):
    """Stick-Breaking VAE (Nalisnick & Smyth, ICLR 2017): codes are pieces of a stick."""

    version = 2
    paper = "Nalisnick & Smyth, ICLR 2017"
    span = (0.0, 1.0)

    latents: int = setting(10, low=2)
    concentration: float = hyperparameter(5.0, sweep=(1, 3, 5, 8), low=1e-2, high=100)  # α
    floor: float = hyperparameter(1e-3, low=1e-6, high=1)  # of a and b

    @property
    def heads(self):
        return {"a": self.latents - 1, "b": self.latents - 1}

    def encode(self, state, x):
        a, b = (jax.nn.softplus(h) + self.floor for h in self.heads_of(state, x))
        return Sticks(a, b, jnp.broadcast_to(self.concentration, a.shape))

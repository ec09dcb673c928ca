"""The semi-supervised β-VAE of Locatello et al., ICLR 2020, whose labels say what a code must not
know; information is estimated by MINE (Belghazi et al., ICML 2018).

    loss = E_q(z|x)[−log p(x|z)] + β KL(q(z|x) ‖ p(z)) + γ_sup(t) Σ_f Σ_{j≠f} Î(μ_j(x_l); y_f)²
    Î(μ; y) = max_T E[T(μ, y)] − log E[exp T(μ, y')]              y': labels of the batch, permuted

There is a network T for every code and factor. All take one step up, of all Î, while the model
takes its own. A permutation leaves one image its own label, on average. Labels that were not
observed are in neither expectation. As in the public code T reads labels as numbers 0, 1, …; its
hidden layer is rectified here, and an ELU there.
"""

import jax
import jax.numpy as jnp
import optax
from jax.nn import logsumexp

from . import networks
from .adam import adam
from .beta_vae import BetaVAE
from .label_losses import observed
from .model import hyperparameter, register
from .semi_supervised import FewLabels
from .vae import Terms


@register("s2_independent_vae")
class S2IndependentVAE(FewLabels, BetaVAE):
    """β-VAE with few labels (Locatello et al., ICLR 2020): a code knows nothing of other factors.

    Code f may know of factor f, and nothing asks it to.
    """

    mine_learning_rate: float = hyperparameter(0.01, low=0)

    def init(self, key, batch):
        key_method, key_mine = jax.random.split(key)
        state = super().init(key_method, batch)
        shape = batch["labels"]["labels"].shape[1], self.latents
        initialize = jax.vmap(jax.vmap(lambda key: self._mine.init(key, jnp.zeros((1, 2)))))
        params = initialize(jax.random.split(key_mine, shape))
        opt = adam(self.mine_learning_rate).init(params)
        return state.replace(extra={"mine": params, "opt": opt})

    def supervision(self, t: Terms):
        information = self.information(t.state.extra["mine"], t.state, t.batch, t.key)
        own = jnp.eye(*information.shape)
        logs = {"information": jnp.sum(own * information)}
        return jnp.sum((1 - own) * jnp.square(information)), logs

    def information(self, mine, state, batch, key):
        """Î [f, z] in nats, of every factor and code."""
        mu = self.encode(state, batch["labels"]["images"]).mean
        y, sizes = batch["labels"]["labels"], batch["labels"]["sizes"]
        seen = observed(y, sizes)
        order = jax.random.permutation(key, len(y))
        # Pairs in which both were observed: of images, and of images and others' labels.
        known, known_apart = seen.T, (seen & seen[order]).T

        def of_pair(params, code, label, label_apart, known, known_apart):
            t = self._mine.apply(params, jnp.stack([code, label], axis=1))[0][:, 0]
            apart = self._mine.apply(params, jnp.stack([code, label_apart], axis=1))[0][:, 0]
            found = _mean(t, known) - _log_mean_exp(apart, known_apart)
            return jnp.where(known.any() & known_apart.any(), found, 0)

        of_codes = jax.vmap(of_pair, (0, 0, None, None, None, None))
        of_all = jax.vmap(of_codes, (0, None, 0, 0, 0, 0))
        y = y.astype(jnp.float32)
        return of_all(mine, mu.T, y.T, y[order].T, known, known_apart)

    def update(self, state, batch, key):
        key_model, key_mine = jax.random.split(key)
        after, logs = super().update(state, batch, key_model)
        mine = state.extra["mine"]
        grads = jax.grad(lambda mine: -self.information(mine, state, batch, key_mine).sum())(mine)
        updates, opt = adam(self.mine_learning_rate).update(grads, state.extra["opt"])
        return after.replace(extra={"mine": optax.apply_updates(mine, updates), "opt": opt}), logs

    @property
    def _mine(self):
        return networks.classifier((20,), 1, self.precision)


def _mean(t, known):
    return jnp.where(known, t, 0).sum() / jnp.maximum(known.sum(), 1)


def _log_mean_exp(t, known):
    # Where none is known, of everything: a number without meaning, but with a gradient.
    t = jnp.where(known | ~known.any(), t, -jnp.inf)
    return logsumexp(t) - jnp.log(jnp.maximum(known.sum(), 1))

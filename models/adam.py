"""Adam as TensorFlow 1 has it, the optimizer of the study (Kingma & Ba, 2015).

    θ ← θ − η √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε)

This is the form of the paper's section 2, where ε is not divided by √(1 − β₂ᵗ); `optax.adam` is
Algorithm 1, where it is. With ε = 1e-8 they differ in the first updates and for tiny gradients.
"""

import jax
import jax.numpy as jnp
import optax


def adam(learning_rate, b1=0.9, b2=0.999, eps=1e-8) -> optax.GradientTransformation:
    """The transform; every argument may be traced."""

    def init(params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        return optax.ScaleByAdamState(jnp.zeros([], jnp.int32), zeros, zeros)

    def update(grads, state, params=None):
        del params
        count = state.count + 1
        # m + (1 − β)(g − m), as TensorFlow's kernel has it, and not β m + (1 − β) g: with one
        # product to fuse into the sum there is one way to round it, wherever a compiler puts it.
        mu = jax.tree.map(lambda m, g: m + (1 - b1) * (g - m), state.mu, grads)
        nu = jax.tree.map(lambda v, g: v + (1 - b2) * (g * g - v), state.nu, grads)
        rate = learning_rate * jnp.sqrt(1 - b2**count) / (1 - b1**count)
        updates = jax.tree.map(lambda m, v: -rate * m / (jnp.sqrt(v) + eps), mu, nu)
        return updates, optax.ScaleByAdamState(count, mu, nu)

    return optax.GradientTransformation(init, update)

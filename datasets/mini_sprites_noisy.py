"""mini_sprites on a noisy background, as Noisy-dSprites (Locatello et al., 2019)."""

import jax
import jax.numpy as jnp

from .dataset import image_keys, register
from .mini_sprites import MiniSprites


@register("mini_sprites_noisy")
class MiniSpritesNoisy(MiniSprites):
    """mini_sprites with noise in every pixel and channel: min(sprite + U(0, 1), 1)."""

    image_shape = (16, 16, 3)
    noisy = True

    def observe(self, data, cells, key):
        def noise(key):
            return jax.random.uniform(key, self.image_shape)

        noises = jax.vmap(noise)(image_keys(key, cells))
        return jnp.minimum(super().observe(data, cells, key) + noises, 1)

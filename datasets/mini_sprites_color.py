"""mini_sprites in colours that are no factor, as Color-dSprites (Locatello et al., 2019)."""

import jax

from .dataset import image_keys, register
from .mini_sprites import MiniSprites


@register("mini_sprites_color")
class MiniSpritesColor(MiniSprites):
    """mini_sprites, each image in a colour of its own: sprite · U(½, 1)³."""

    image_shape = (16, 16, 3)
    noisy = True

    def observe(self, data, cells, key):
        def colour(key):
            return jax.random.uniform(key, (1, 1, 3), minval=0.5)

        return super().observe(data, cells, key) * jax.vmap(colour)(image_keys(key, cells))

"""The study's variants of the sprites that are drawn: sprites (64×64) and mini_sprites (16×16)."""

import jax
import jax.numpy as jnp

from .dataset import image_keys, register
from .mini_sprites import MiniSprites
from .sprites import Sprites
from .variants import Abstract, Color, Noisy, NoShape, Scream


@register("sprites_color")
class SpritesColor(Color, of=Sprites):
    """sprites, each image in a colour of its own: sprite · U(½, 1)³."""


@register("sprites_noisy")
class SpritesNoisy(Noisy, of=Sprites):
    """sprites with noise in every pixel and channel: min(sprite + U(0, 1), 1)."""


@register("sprites_scream")
class SpritesScream(Scream, of=Sprites):
    """sprites that invert a patch of a picture, by default not The Scream but an astronaut."""


@register("sprites_noshape")
class SpritesNoShape(NoShape, of=Sprites):
    """sprites whose shape is no factor: drawn anew for every image."""


@register("sprites_abstract")
class SpritesAbstract(Abstract, of=Sprites):
    """sprites in 6 colours on 5 greys, factors both; the orientation is drawn for every image."""


@register("mini_sprites_color")
class MiniSpritesColor(Color, of=MiniSprites):
    """mini_sprites, each image in a colour of its own: sprite · U(½, 1)³."""


@register("mini_sprites_noisy")
class MiniSpritesNoisy(Noisy, of=MiniSprites):
    """mini_sprites with noise in every pixel and channel: min(sprite + U(0, 1), 1)."""


@register("mini_sprites_scream")
class MiniSpritesScream(Scream, of=MiniSprites):
    """mini_sprites that invert a patch of a picture, by default an astronaut."""


@register("mini_sprites_binary")
class MiniSpritesBinary(MiniSprites):
    """mini_sprites in black and white: a pixel is white as often as it is grey, drawn anew.

    As MNIST is made binary for likelihoods (Burda et al., ICLR 2016). With a threshold some steps
    of factors would move no pixel.
    """

    noisy = True

    def observe(self, data, cells, key):
        grey = super().observe(data, cells, key)
        keys = image_keys(key, cells)
        level = jax.vmap(lambda one: jax.random.uniform(one, self.image_shape))(keys)
        return (level < grey).astype(jnp.float32)

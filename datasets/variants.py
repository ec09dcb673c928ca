"""The study's variants of sprites: with other colours, backgrounds and factors.

Color-, Noisy- and Scream-dSprites are from Locatello et al. (2019, section 5 and appendix), as
their reference implementation has them, noshape from it too, and abstract dSprites from van
Steenkiste et al. (NeurIPS 2019). Each is a class over another dataset `of` white sprites on black:

    class SpritesColor(Color, of=Sprites)

What is no factor is drawn from the image's key: anew in every draw, and equal in every draw with
the same key. Sprites are s, [n, h, w, 1] in [0, 1]; antialiased ones are blended by s.
"""

import dataclasses
import hashlib
import math
import os
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from soberlook.registry import BadInput, setting

from .background import PICTURES, background
from .dataset import Dataset, image_keys

GREYS = (0.0, 0.25, 0.5, 0.75, 1.0)

# HUSL at six hues 60° apart (all but: 359 / 6) from 35.9° on, saturation and lightness 69.3 of 100,
# which is .7 of the 99 that seaborn's palettes allow: equally light, equally colourful.
COLOURS = (
    (0.909623, 0.588340, 0.365768),
    (0.635018, 0.692773, 0.362690),
    (0.376483, 0.728390, 0.596311),
    (0.395490, 0.707392, 0.787457),
    (0.696364, 0.622070, 0.899716),
    (0.908160, 0.551110, 0.749434),
)


class Variant(Dataset):
    """Sprites of the dataset `of`, with the same factors and in three channels."""

    of: ClassVar[type[Dataset]]
    noisy = True

    def __init_subclass__(cls, of=None, **settings):
        super().__init_subclass__(**settings)
        if of is not None:
            cls.of = of
            cls.image_shape = (*of.image_shape[:2], 3)
            cls.factor_names, cls.factor_sizes = cls._factors_over(of)

    @classmethod
    def _factors_over(cls, of):
        """The factors' names and sizes where these are the sprites."""
        return of.factor_names, of.factor_sizes

    def missing(self):
        return self.of().missing()

    @property
    def content(self):
        return self.of().content

    def load(self):
        return self.of().load()


def original(dataset: Dataset) -> Dataset:
    """What a variant is made from; any other dataset itself."""
    return dataset.of() if isinstance(dataset, Variant) else dataset


class Color(Variant):
    """Each image in a colour of its own: s · U(½, 1)³."""

    def observe(self, data, cells, key):
        def colour(key):
            return jax.random.uniform(key, (1, 1, 3), minval=0.5)

        return self.of().observe(data, cells, key) * jax.vmap(colour)(image_keys(key, cells))


class Noisy(Variant):
    """With noise in every pixel and channel: min(s + U(0, 1), 1)."""

    version = 2

    def observe(self, data, cells, key):
        values = math.prod(self.image_shape)

        def noise(key):
            # Of 256 levels, as pixels are: one random word is enough for four, and drawing them is
            # most of what a batch of these costs.
            words = jax.random.bits(key, (-(-values // 4),), jnp.uint32)
            levels = jax.lax.bitcast_convert_type(words, jnp.uint8).reshape(-1)[:values]
            return (levels.reshape(self.image_shape) + jnp.float32(0.5)) / 256

        noises = jax.vmap(noise)(image_keys(key, cells))
        return jnp.minimum(self.of().observe(data, cells, key) + noises, 1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scream(Variant):
    """Sprites that invert what is behind them: a patch of a picture, in a tint of its own.

    b = (patch + U(0, 1)³) / 2, and the image is b where s = 0 and 1 − b where s = 1. `background`
    is a picture in scikit-image or the path of a file. The study's painting, Munch's The Scream,
    is in neither: without a file of it these are scores on sprites over another picture.
    """

    background: str = setting("astronaut")

    def __post_init__(self):
        super().__post_init__()
        if self.background not in PICTURES:  # the same file, wherever a worker is started
            object.__setattr__(self, "background", os.path.abspath(self.background))

    @property
    def content(self):
        if self.background in PICTURES or not os.path.isfile(self.background):
            return super().content
        with open(self.background, "rb") as file:
            return super().content + hashlib.file_digest(file, "sha256").hexdigest()[:16]

    def missing(self):
        try:
            self._picture()
        except BadInput as error:
            return f"{self.name}: {error}"
        return super().missing()

    def load(self):
        return {"sprites": super().load(), "picture": jnp.asarray(self._picture())}

    def observe(self, data, cells, key):
        picture = data["picture"]

        def behind(key):
            key_place, key_tint = jax.random.split(key)
            # Up to the last row and column but one, as the reference draws them.
            places = np.subtract(picture.shape, self.image_shape)[:2]
            place = jax.random.randint(key_place, (2,), 0, places)
            patch = jax.lax.dynamic_slice(picture, (*place, 0), self.image_shape)
            return (patch / jnp.float32(255) + jax.random.uniform(key_tint, (1, 1, 3))) / 2

        s = self.of().observe(data["sprites"], cells, key)
        b = jax.vmap(behind)(image_keys(key, cells))
        return s * (1 - b) + (1 - s) * b

    def _picture(self):
        return background(self.background, *self.image_shape[:2])


class NoShape(Variant):
    """The shape is no factor: each image has one of its own, all equally likely."""

    def __init_subclass__(cls, of=None, **settings):
        super().__init_subclass__(of=of, **settings)
        if of is not None:
            cls.image_shape = of.image_shape

    @classmethod
    def _factors_over(cls, of):
        return of.factor_names[1:], of.factor_sizes[1:]

    def observe(self, data, cells, key):
        def draw(key):
            return jax.random.randint(key, (), 0, self.of.factor_sizes[0])

        shapes = jax.vmap(draw)(image_keys(key, cells))
        return self.of().observe(data, shapes * self.size + cells, key)


class Abstract(Variant):
    """Colours are factors, of sprite and background, and the orientation is drawn per image."""

    @classmethod
    def _factors_over(cls, of):
        shape, scale, _, x, y = of.factor_sizes
        names = ("background", "color", "shape", "scale", "x", "y")
        return names, (len(GREYS), len(COLOURS), shape, scale, x, y)

    def observe(self, data, cells, key):
        of = self.of()
        grey, colour, shape, scale, x, y = jnp.unravel_index(cells, self.grid)

        def draw(key):
            return jax.random.randint(key, (), 0, of.factor_sizes[2])

        orientation = jax.vmap(draw)(image_keys(key, cells))
        factors = (shape, scale, orientation, x, y)
        s = of.observe(data, jnp.ravel_multi_index(factors, of.grid, mode="clip"), key)
        behind = jnp.asarray(GREYS)[grey][:, None, None, None]
        return s * jnp.asarray(COLOURS)[colour][:, None, None] + (1 - s) * behind

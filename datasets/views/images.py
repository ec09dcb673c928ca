"""Images, a second draw of them, and the factors they were made from."""

import jax

from .view import View, register


@register("images")
class Images(View):
    """[b, h, w, c]: the images of the batch's cells."""

    needs_factors = False
    images = 1

    def draw(self, d):
        return d.dataset.observe(d.data, d.cells, d.key)


@register("second_images")
class SecondImages(View):
    """[b, h, w, c]: an independent draw of as many images."""

    needs_factors = False
    images = 1

    def draw(self, d):
        key_cells, key_noise = jax.random.split(d.key)
        cells = d.dataset.training.draw(d.dataset, key_cells, len(d.cells))
        return d.dataset.observe(d.data, cells, key_noise)


@register("factors")
class Factors(View):
    """[b, f]: the true factors of the batch's cells, with mean 0 and variance 1 over the grid."""

    def draw(self, d):
        return d.dataset.standardized(d.cells)

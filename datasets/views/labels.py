"""Images with labels: few, and perfect or not (Locatello et al., ICLR 2020, arXiv 1905.01258)."""

import zlib

import jax
import jax.numpy as jnp
import numpy as np

from soberlook.registry import BadInput, setting

from .view import View, register


@register("labels")
class Labels(View):
    """Images with labels of their factors, from a set that is fixed for a run.

    {"images": [b, …], "labels": int32 [b, f], "sizes": int32 [b, f]}: labelled images; their
    labels, −1 where a factor is not observed; and how many values a label of that factor can have.
    The run's key draws `count` labelled examples from the training cells with replacement, as the
    reference does; a batch draws from them, with replacement. Image, noise and label of an example
    are the same at all updates. With `count` = 0 every cell is labelled, once and for all, and the
    images are the batch's own. `kind` is what the labeller does:

        perfect    labels are the factors' values
        noisy      each label is replaced with probability `noise` by one drawn from all values of
                   its factor: of size s, a share noise · (1 − 1/s) is wrong
        binned     factors of more than `bins` values have `bins` labels: ⌊v · bins / s⌋
        permuted   the labels of a factor are a random permutation of its values: order is lost
        partial    only `observed` factors have labels, drawn uniformly; the same for all examples
    """

    count: int = setting(100, low=0)
    kind: str = setting("perfect", choices=("perfect", "noisy", "binned", "permuted", "partial"))
    noise: float = setting(0.1, low=0, high=1, real=True)
    bins: int = setting(5, low=2)
    observed: int = setting(2, low=1)
    images = 1

    def check(self, dataset):
        factors = len(dataset.factor_sizes)
        if self.kind == "partial" and self.observed > factors:
            raise BadInput(
                f"labels: observed must be ≤ {factors}, the number of factors of "
                f"{dataset.name!r}, found {self.observed}"
            )

    def draw(self, d):
        run_key = jax.random.fold_in(d.run_key, zlib.crc32(b"labels"))
        key_cells, key_images, key_labels = jax.random.split(run_key, 3)
        if self.count:
            # Examples are made anew from their numbers: a batch costs the same, however many.
            examples = jax.random.randint(d.key, (len(d.cells),), 0, self.count)

            def cell(key):
                return d.dataset.training.draw(d.dataset, key, 1)[0]

            cells = jax.vmap(cell)(_keys(key_cells, examples))
        else:
            examples, cells, key_images = d.cells, d.cells, d.images_key
        labels, sizes = self._label(d.dataset, cells, examples, key_labels)
        return {
            "images": d.dataset.observe(d.data, cells, key_images),
            "labels": labels.astype(jnp.int32),
            "sizes": jnp.broadcast_to(jnp.int32(sizes)[None], labels.shape),
        }

    def _label(self, dataset, cells, examples, key):
        """What the labeller says [b, f], and how many values it knows [f]."""
        values, sizes = dataset.factors(cells), np.asarray(dataset.factor_sizes)
        if self.kind == "noisy":

            def mistakes(key):
                key_where, key_what = jax.random.split(key)
                where = jax.random.bernoulli(key_where, self.noise, sizes.shape)
                return where, jax.random.randint(key_what, sizes.shape, 0, sizes)

            where, what = jax.vmap(mistakes)(_keys(key, examples))
            return jnp.where(where, what, values), sizes
        if self.kind == "binned":
            binned = values * self.bins // sizes[None]
            return jnp.where(sizes[None] > self.bins, binned, values), np.minimum(sizes, self.bins)
        if self.kind == "permuted":
            columns = [
                jax.random.permutation(jax.random.fold_in(key, axis), size)[values[:, axis]]
                for axis, size in enumerate(dataset.factor_sizes)
            ]
            return jnp.stack(columns, axis=1), sizes
        if self.kind == "partial":
            # The reference leaves the other columns out; here every factor keeps its place.
            observed = jax.random.permutation(key, len(sizes)) < self.observed
            return jnp.where(observed[None], values, -1), sizes
        return values, sizes


def _keys(key, numbers):
    """A key per example."""
    return jax.vmap(jax.random.fold_in, (None, 0))(key, numbers)

"""The leaves of a pytree by name, and a pytree from leaves of these names.

A tree's names are those of JAX: ".params['encoder']['kernel']". Keys for random numbers are kept as
their words.
"""

import jax
import numpy as np

from .model import Model, State


def named(tree) -> dict[str, np.ndarray]:
    """Every leaf of a tree, brought to this process' memory, by its name."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path): np.asarray(_words(leaf)) for path, leaf in leaves}


def filled(template, arrays: dict[str, np.ndarray]):
    """A tree like `template`, whose leaves are arrays or their shapes, with these leaves.

    Raises ValueError where a leaf is missing, is of another shape or type, or is not wanted.
    """
    paths, structure = jax.tree_util.tree_flatten_with_path(template)
    names = [jax.tree_util.keystr(path) for path, _ in paths]
    if others := set(names) ^ set(arrays):
        raise ValueError(f"its arrays are others: {', '.join(sorted(others)[:3])}")
    leaves = []
    for name, (_, leaf) in zip(names, paths, strict=True):
        words, array = jax.eval_shape(_words, leaf), arrays[name]
        if (array.shape, array.dtype) != (words.shape, words.dtype):
            raise ValueError(
                f"{name} must be {words.dtype}{list(words.shape)}, "
                f"found {array.dtype}{list(array.shape)}"
            )
        is_key = jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        leaves.append(jax.random.wrap_key_data(array) if is_key else array)
    return jax.tree.unflatten(structure, leaves)


def restored(model: Model, batch: dict, arrays: dict[str, np.ndarray]) -> State:
    """The state of a model that was fed batches of these shapes ({view: [shape, type]}, some of
    them {part: [shape, type]}), without its optimizer's part. Raises ValueError as `filled` does.
    """

    def is_leaf(value):
        return isinstance(value, list)

    batch = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(*leaf), batch, is_leaf=is_leaf)
    blank = jax.eval_shape(model.init, jax.random.key(0), batch).replace(opt=None)
    return jax.tree.map(jax.numpy.asarray, filled(blank, arrays))


def _words(leaf):
    """A leaf as an array of numbers."""
    if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return jax.random.key_data(leaf)
    return leaf

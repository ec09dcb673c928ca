import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial

from soberlook.metrics.asking import in_batches


def test_rows_come_back_in_order_whatever_the_batch():
    rows, others = np.arange(10.0)[:, None], np.arange(10.0)
    for size in (1, 3, 5, 10, 16):
        double, both = in_batches(lambda a, b: (2 * a, a[:, 0] + b), rows, others, size=size)
        np.testing.assert_array_equal(double, 2 * rows)
        np.testing.assert_array_equal(both, 2 * others)


def test_what_comes_after_the_rows_is_the_same_for_all_batches():
    noise = in_batches(
        lambda cells, key: jax.vmap(lambda c: jax.random.uniform(jax.random.fold_in(key, c)))(
            cells
        ),
        np.array([3, 1, 3, 2, 3]),
        after=(jax.random.key(0),),
        size=2,
    )
    assert noise[0] == noise[2] == noise[4] != noise[1]


def test_runs_whose_parameters_are_arguments_share_one_program():
    traced = []

    def decode(scale, codes):
        traced.append(codes.shape)
        return scale * codes

    for scale in (1.0, 2.0, 3.0):
        for rows in (5, 8, 20):
            codes = np.ones((rows, 2), np.float32)
            found = in_batches(Partial(decode, jnp.float32(scale)), codes, size=8)
            np.testing.assert_array_equal(found, scale * codes)
    assert traced == [(8, 2)]


@pytest.mark.parametrize("rows", [1, 7])
def test_fewer_rows_than_a_batch(rows):
    codes = np.random.default_rng(0).standard_normal((rows, 3)).astype(np.float32)
    np.testing.assert_array_equal(in_batches(lambda z: -z, codes), -codes)

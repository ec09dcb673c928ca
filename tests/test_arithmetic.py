"""Compilers make mistakes, too: what is compiled for many rows must be what is compiled for few.

jaxlib 0.10.2 for CPUs gives wrong numbers for the sums below from some 10,000 rows on, without a
word (https://github.com/jax-ml/jax/issues/39103). The package refuses that version.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

AS_SHIPPED = True


def drawn(cells):
    """Rows [n, 3] of vmapped keys, a product and sums, from cells [n]."""

    def row(key):
        first, second = jax.random.split(key)
        z = jax.random.normal(first, (2,))
        return (jnp.array([[1.0, 2], [3, 4], [5, 6]]) * z[None]).sum(axis=1) + jax.random.normal(
            second, (3,)
        )

    return jax.vmap(row)(jax.vmap(jax.random.fold_in, (None, 0))(jax.random.key(0), cells))


def squared(cells):
    """‖M x‖² [n] of x = (cell, 0, 0) and the unit matrix: cell²."""
    x = jnp.stack([cells, jnp.zeros_like(cells), jnp.zeros_like(cells)], axis=1).astype(float)
    return jax.vmap(lambda row: jnp.sum((jnp.eye(3) @ row) ** 2))(x)


@pytest.mark.parametrize("rows", [12_000, 16_384, 20_000, 32_769])
@pytest.mark.parametrize("function", [drawn, squared])
def test_many_rows_are_compiled_to_what_few_are(function, rows):
    compiled = jax.jit(function)
    parts = np.array_split(np.arange(rows), -(-rows // 500))
    few = np.concatenate([compiled(jnp.asarray(part)) for part in parts])
    np.testing.assert_allclose(compiled(jnp.arange(rows)), few, rtol=1e-4, atol=1e-4)

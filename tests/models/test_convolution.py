"""Convolutions as matrix products are XLA's convolutions, in values and in gradients."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from soberlook.models.convolution import convolve, convolve_transposed

LAYOUT = {"dimension_numbers": ("NHWC", "HWIO", "NHWC")}


def reference(x, kernel):
    return lax.conv_general_dilated(x, kernel, (2, 2), "SAME", **LAYOUT)


def reference_transposed(x, kernel):
    return lax.conv_transpose(x, kernel, (2, 2), "SAME", transpose_kernel=True, **LAYOUT)


def arrays(*shapes):
    rng = np.random.default_rng(0)
    return [jnp.float32(rng.standard_normal(shape)) for shape in shapes]


def assert_equal_with_gradients(ours, theirs, x, kernel):
    (cotangent,) = arrays(theirs(x, kernel).shape)

    @partial(jax.jit, static_argnums=0)
    def evaluate(function, x, kernel):
        value, derivative = jax.vjp(function, x, kernel)
        return value, *derivative(cotangent)

    found, expected = evaluate(ours, x, kernel), evaluate(theirs, x, kernel)
    for f, e in zip(found, expected, strict=True):
        assert f.dtype == jnp.float32
        np.testing.assert_allclose(f, e, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [2, 4])
@pytest.mark.parametrize("channels", [1, 3, 7, 8])  # gathered up to 5 of 21, then added up
def test_a_convolution_is_xlas(size, channels):
    x, kernel = arrays((3, 8, 6, channels), (size, size, channels, 21))
    assert_equal_with_gradients(convolve, reference, x, kernel)


@pytest.mark.parametrize("features", [1, 3, 7, 8])  # added up to 5 of 21, then spread
def test_a_transposed_convolution_is_xlas(features):
    x, kernel = arrays((3, 4, 6, 21), (4, 4, features, 21))
    assert_equal_with_gradients(convolve_transposed, reference_transposed, x, kernel)


@pytest.mark.parametrize(("m", "n"), [(1, 5), (5, 1), (3, 3)])
def test_one_is_the_transpose_of_the_other(m, n):
    x, kernel, y = arrays((2, 6, 8, m), (4, 4, m, n), (2, 3, 4, n))
    transpose = jax.jit(jax.linear_transpose(lambda x: convolve(x, kernel), x))
    found = jax.jit(convolve_transposed)(y, kernel)
    np.testing.assert_allclose(found, transpose(y)[0], atol=1e-5)


def test_they_may_be_batched_over_kernels():
    x, kernels = arrays((4, 3, 8, 8, 2), (4, 4, 4, 2, 9))
    together = jax.jit(jax.vmap(convolve))(x, kernels)
    alone = jnp.stack(list(map(reference, x, kernels)))
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_no_convolution_is_left_to_xla():
    x, kernel = arrays((1, 8, 8, 3), (4, 4, 3, 3))

    def both(x, kernel):
        return convolve_transposed(convolve(x, kernel), kernel).sum()

    program = jax.jit(jax.grad(both, (0, 1))).lower(x, kernel).as_text()
    assert "dot_general" in program and "convolution" not in program

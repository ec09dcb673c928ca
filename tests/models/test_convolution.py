"""Convolutions as matrix products are XLA's convolutions, in values and in gradients."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from soberlook.benchmark import train
from soberlook.datasets import Sprites
from soberlook.models import BetaVAE
from soberlook.models.convolution import convolve, convolve_transposed

LAYOUT = {"dimension_numbers": ("NHWC", "HWIO", "NHWC")}


def reference(x, kernel):
    return lax.conv_general_dilated(x, kernel, (2, 2), "SAME", **LAYOUT)


def reference_transposed(x, kernel):
    return lax.conv_transpose(x, kernel, (2, 2), "SAME", transpose_kernel=True, **LAYOUT)


def arrays(*shapes, dtype=jnp.float32):
    rng = np.random.default_rng(0)
    return [jnp.asarray(rng.standard_normal(shape), dtype) for shape in shapes]


def assert_equal_with_gradients(ours, theirs, x, kernel):
    (cotangent,) = arrays(theirs(x, kernel).shape, dtype=x.dtype)

    @partial(jax.jit, static_argnums=0)
    def evaluate(function, x, kernel):
        value, derivative = jax.vjp(function, x, kernel)
        return value, *derivative(cotangent)

    found, expected = evaluate(ours, x, kernel), evaluate(theirs, x, kernel)
    for f, e in zip(found, expected, strict=True):
        assert f.dtype == x.dtype
        # bfloat16 has 8 bits: a few of its steps at the size of the sums.
        tolerance = {"float32": 1e-4, "bfloat16": 0.03 * float(jnp.abs(e).max())}[f.dtype.name]
        f, e = np.float32(f), np.float32(e)
        np.testing.assert_allclose(f, e, rtol=1e-4, atol=tolerance)


FORMS = pytest.mark.parametrize(
    ("gradients", "dtype"),
    [("written", jnp.float32), ("plain", jnp.float32), ("written", jnp.bfloat16)],
)


@FORMS
@pytest.mark.parametrize("size", [2, 4])
@pytest.mark.parametrize("channels", [1, 3, 7, 8])  # gathered up to 5 of 21, then added up
def test_a_convolution_is_xlas(size, channels, dtype, gradients):
    x, kernel = arrays((3, 8, 6, channels), (size, size, channels, 21), dtype=dtype)
    ours = partial(convolve, gradients=gradients)
    assert_equal_with_gradients(ours, reference, x, kernel)


@FORMS
@pytest.mark.parametrize("size", [2, 4])
@pytest.mark.parametrize("features", [1, 3, 7, 8])  # added up to 5 of 21, then spread
def test_a_transposed_convolution_is_xlas(size, features, dtype, gradients):
    x, kernel = arrays((3, 4, 6, 21), (size, size, features, 21), dtype=dtype)
    ours = partial(convolve_transposed, gradients=gradients)
    assert_equal_with_gradients(ours, reference_transposed, x, kernel)


@pytest.mark.parametrize(("m", "n"), [(1, 5), (5, 1), (3, 3)])
def test_one_is_the_transpose_of_the_other(m, n):
    x, kernel, y = arrays((2, 6, 8, m), (4, 4, m, n), (2, 3, 4, n))
    transpose = jax.jit(jax.linear_transpose(lambda x: convolve(x, kernel, "plain"), x))
    found = jax.jit(convolve_transposed)(y, kernel)
    np.testing.assert_allclose(found, transpose(y)[0], atol=1e-5)


def there_and_back(x, kernel, gradients, down=convolve, up=convolve_transposed):
    """A number that both functions, and curvature, go into."""
    h = jnp.tanh(down(x, kernel, gradients))
    return jnp.sum(jnp.sin(up(h, kernel, gradients)))


def reference_there_and_back(x, kernel):
    there = lambda x, kernel, _: reference(x, kernel)  # noqa: E731
    back = lambda y, kernel, _: reference_transposed(y, kernel)  # noqa: E731
    return there_and_back(x, kernel, None, there, back)


@pytest.mark.parametrize("gradients", ["written", "plain"])
def test_they_may_be_batched_looped_and_differentiated(gradients):
    xs, kernels = arrays((3, 2, 8, 8, 2), (3, 4, 4, 2, 9))
    kernels = kernels / 8
    gradient = jax.grad(partial(there_and_back, gradients=gradients), 1)
    expected = jnp.stack(list(map(jax.jit(jax.grad(reference_there_and_back, 1)), xs, kernels)))
    together = jax.jit(jax.vmap(gradient))(xs, kernels)
    in_order = jax.jit(lambda *a: jax.lax.map(lambda one: gradient(*one), a))(xs, kernels)
    np.testing.assert_allclose(together, expected, atol=1e-4)
    np.testing.assert_allclose(in_order, expected, atol=1e-4)


@pytest.mark.parametrize("gradients", ["written", "plain"])
def test_a_gradient_may_be_differentiated_forward_and_in_reverse(gradients):
    x, kernel, tangent = arrays((2, 8, 8, 2), (4, 4, 2, 9), (4, 4, 2, 9))
    kernel = kernel / 8

    def products(function):
        gradient = jax.grad(function, 1)
        forward = jax.jvp(lambda k: gradient(x, k), (kernel,), (tangent,))[1]
        reverse = jax.grad(lambda k: jnp.sum(gradient(x, k) * tangent))(kernel)
        return forward, reverse

    found = jax.jit(partial(products, partial(there_and_back, gradients=gradients)))()
    expected = jax.jit(partial(products, reference_there_and_back))()
    for f, e in zip(found, expected, strict=True):
        np.testing.assert_allclose(f, e, rtol=1e-3, atol=1e-3)


def test_plain_gradients_go_forward_where_written_ones_say_they_cannot():
    x, kernel = arrays((1, 4, 4, 1), (4, 4, 1, 3))
    for function, at in ((convolve, x), (convolve_transposed, jnp.zeros((1, 2, 2, 3)))):
        jacobian = jax.jacfwd(lambda k: function(at, k, "plain"))(kernel)  # noqa: B023
        reverse = jax.jacrev(lambda k: function(at, k))(kernel)  # noqa: B023
        np.testing.assert_allclose(jacobian, reverse, atol=1e-5)
        with pytest.raises(TypeError, match="forward-mode"):
            jax.jacfwd(lambda k: function(at, k))(kernel)  # noqa: B023


def test_no_convolution_is_left_to_xla():
    x, kernel = arrays((1, 8, 8, 3), (4, 4, 3, 3))

    def both(x, kernel):
        return convolve_transposed(convolve(x, kernel), kernel).sum()

    program = jax.jit(jax.grad(both, (0, 1))).lower(x, kernel).as_text()
    assert "dot_general" in program and "convolution" not in program


def test_written_and_plain_gradients_train_the_same_curve():
    dataset = Sprites()

    @partial(jax.jit, static_argnums=0)
    def losses(gradients):
        model = BetaVAE(network="conv", gradients=gradients, learning_rate=1e-3)

        def update(state, step):
            inputs = train.step_inputs(model, 0, step, dataset, (), batch_size=4)
            state, logs = model.update(state, *inputs)
            return state, logs["loss"]

        batch, key = train.step_inputs(model, 0, 0, dataset, (), batch_size=4)
        return jax.lax.scan(update, model.init(key, batch), jnp.arange(200))[1]

    written, plain = losses("written"), losses("plain")
    assert written[-20:].mean() < 0.5 * written[:5].mean()
    np.testing.assert_allclose(written, plain, rtol=1e-3)

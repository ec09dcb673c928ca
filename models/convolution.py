"""Stride-2 'same' convolutions as matrix products, on arrays [b, h, w, c] with h and w even.

XLA's own convolutions are slow where this project needs them: their gradients on a CPU, and the
grouped convolutions that `vmap` makes of them anywhere. A 4×4 convolution of stride 2 is a 2×2
convolution of stride 1 over blocks, the 2×2 patches of the padded input laid out as 4c channels;
and a 2×2 convolution of stride 1 is a product and four shifts. Either the blocks are gathered from
four places and multiplied once, or they are multiplied once and the results added up from four
places. The two are equal, and the one that writes the smaller array in between is chosen. The
transposed convolution is the mirror of this.

Derivatives are written out, because what autodiff makes of pads and shifts is mostly copies. Both
functions are bilinear, and come from one trilinear form: each one's derivative by its images is the
other one, and by the kernel it is, for both, a product of blocks and shifted images. A function
with derivatives of its own cannot be differentiated forward (`jax.jacfwd`, `jax.jvp`); with
gradients="plain" the same products are, at about nine tenths of the speed. Forward over reverse,
`jax.jvp` of a gradient, works for both.
"""

import jax
import jax.numpy as jnp

SHIFTS = ((0, 0), (0, 1), (1, 0), (1, 1))  # rows, columns; the order of a kernel's four parts


def convolve(x, kernel, gradients="written"):
    """x [b, h, w, i], kernel [k, k, i, o] with k = 4 or 2 → [b, h/2, w/2, o].

    As `lax.conv_general_dilated(x, kernel, (2, 2), "SAME")` and TensorFlow's `conv2d`.
    """
    return FORMS[gradients][0](x, kernel)


def convolve_transposed(x, kernel, gradients="written"):
    """x [b, h, w, i], kernel [k, k, o, i] with k = 4 or 2 → [b, 2h, 2w, o], `convolve`'s transpose.

    It is TensorFlow's `conv2d_transpose`, also in the axes of the kernel, and so
    `lax.conv_transpose(x, kernel, (2, 2), "SAME", transpose_kernel=True)`. Without that flag
    `lax.conv_transpose`, which Flax uses, wants the kernel turned by 180° and as [k, k, i, o].
    """
    return FORMS[gradients][1](x, kernel)


def _down(x, kernel):
    """`convolve`: [b, h, w, i] → [b, h/2, w/2, o]."""
    size, _, channels, features = kernel.shape
    if size == 2:  # patches do not overlap
        return _product(_to_blocks(x), kernel.reshape(4 * channels, features))
    _, height, width, _ = x.shape
    if 4 * channels < features:
        return _product(_gathered(x), _parts(kernel).reshape(16 * channels, features))
    matrix = _parts(kernel).transpose(1, 0, 2).reshape(4 * channels, 4 * features)
    results = jnp.split(_product(_padded_blocks(x), matrix), 4, axis=-1)
    return sum(
        _at(r, shift, height // 2, width // 2) for r, shift in zip(results, SHIFTS, strict=True)
    )


def _up(y, kernel):
    """`convolve_transposed`: [b, h, w, o] → [b, 2h, 2w, i], for a kernel [k, k, i, o]."""
    size, _, channels, features = kernel.shape
    if size == 2:
        return _from_blocks(_product(y, kernel.reshape(4 * channels, features).T))
    if 4 * channels < features:
        results = _product(y, _parts(kernel).reshape(16 * channels, features).T)
        blocks = sum(map(_put, jnp.split(results, 4, axis=-1), SHIFTS))
    else:
        matrix = _parts(kernel).transpose(0, 2, 1).reshape(4 * features, 4 * channels)
        blocks = _product(_spread(y), matrix)
    return _from_blocks(blocks)[:, 1:-1, 1:-1]


def _kernel_derivative(x, y, size):
    """The kernel [k, k, i, o] for which ⟨kernel', result⟩ = ⟨y, convolve(x, kernel')⟩, always."""
    channels, features = x.shape[-1], y.shape[-1]
    if size == 2:
        return _inner(_to_blocks(x), y).reshape(2, 2, channels, features)
    if 4 * channels < features:
        parts = _inner(_gathered(x), y).reshape(4, 4 * channels, features)
    else:
        parts = _inner(_padded_blocks(x), _spread(y)).reshape(4 * channels, 4, features)
        parts = parts.transpose(1, 0, 2)
    return _kernel(parts, channels)


# Inside their derivatives stand the plain forms, so that these can be differentiated once more.
_down_written = jax.custom_vjp(_down)
_down_written.defvjp(
    lambda x, kernel: (_down(x, kernel), (x, kernel)),
    lambda at, y: (_up(y, at[1]), _kernel_derivative(at[0], y, len(at[1]))),
)
_up_written = jax.custom_vjp(_up)
_up_written.defvjp(
    lambda y, kernel: (_up(y, kernel), (y, kernel)),
    lambda at, x: (_down(x, at[1]), _kernel_derivative(x, at[0], len(at[1]))),
)

FORMS = {"written": (_down_written, _up_written), "plain": (_down, _up)}


def _padded_blocks(x):
    """[b, h, w, c] → [b, h/2 + 1, w/2 + 1, 4c]."""
    return _to_blocks(_pad(x, (1, 1), (1, 1)))


def _gathered(x):
    """[b, h, w, c] → [b, h/2, w/2, 16c]: the four blocks that each pixel of the result sees."""
    _, height, width, _ = x.shape
    blocks = _padded_blocks(x)
    shifted = [_at(blocks, shift, height // 2, width // 2) for shift in SHIFTS]
    return jnp.concatenate(shifted, axis=-1)


def _spread(y):
    """[b, h, w, c] → [b, h + 1, w + 1, 4c]: each pixel at the four blocks that see it."""
    return jnp.concatenate([_put(y, shift) for shift in SHIFTS], axis=-1)


def _at(blocks, shift, height, width):
    row, column = shift
    return blocks[:, row : row + height, column : column + width]


def _put(images, shift):
    row, column = shift
    return _pad(images, (row, 1 - row), (column, 1 - column))


def _parts(kernel):
    """kernel [4, 4, m, n] → [4, 4m, n]: for every shift of blocks, what it does to a block."""
    _, _, m, n = kernel.shape
    return kernel.reshape(2, 2, 2, 2, m, n).transpose(0, 2, 1, 3, 4, 5).reshape(4, 4 * m, n)


def _kernel(parts, channels):
    """[4, 4m, n] → [4, 4, m, n], m channels: the inverse."""
    parts = parts.reshape(2, 2, 2, 2, channels, -1)
    return parts.transpose(0, 2, 1, 3, 4, 5).reshape(4, 4, channels, -1)


def _to_blocks(x):
    """[b, 2h, 2w, c] → [b, h, w, 4c]: every 2×2 patch as channels, rows first."""
    batch, height, width, channels = x.shape
    patches = x.reshape(batch, height // 2, 2, width // 2, 2, channels)
    return patches.transpose(0, 1, 3, 2, 4, 5).reshape(batch, height // 2, width // 2, 4 * channels)


def _from_blocks(blocks):
    """[b, h, w, 4c] → [b, 2h, 2w, c]: the inverse."""
    batch, height, width, channels = blocks.shape
    patches = blocks.reshape(batch, height, width, 2, 2, channels // 4)
    return patches.transpose(0, 1, 3, 2, 4, 5).reshape(batch, 2 * height, 2 * width, channels // 4)


def _product(x, matrix):
    """x [..., m], matrix [m, n] → [..., n]."""
    return (x.reshape(-1, x.shape[-1]) @ matrix).reshape(*x.shape[:-1], -1)


def _inner(x, y):
    """x [..., m], y [..., n] → [m, n], summed over everything else."""
    return x.reshape(-1, x.shape[-1]).T @ y.reshape(-1, y.shape[-1])


def _pad(x, rows, columns):
    return jnp.pad(x, ((0, 0), rows, columns, (0, 0)))

"""Stride-2 'same' convolutions as matrix products, on arrays [b, h, w, c] with h and w even.

XLA's own convolutions are slow where this project needs them: their gradients on a CPU, and the
grouped convolutions that `vmap` makes of them anywhere. A 4×4 convolution of stride 2 is a 2×2
convolution of stride 1 over blocks, the 2×2 patches of the padded input laid out as 4c channels;
and a 2×2 convolution of stride 1 is a product and four shifts. Either the blocks are gathered from
four places and multiplied once, or they are multiplied once and the results added up from four
places. The two are equal, and the one that writes the smaller array in between is chosen. The
transposed convolution is the mirror of this.

Products are written with two axes, and parts are taken by `split`: their derivatives are then
products and concatenations again, where those of `@` on images and of slices are copies.
"""

import jax.numpy as jnp

SHIFTS = ((0, 0), (0, 1), (1, 0), (1, 1))  # rows, columns; the order of a kernel's four parts


def convolve(x, kernel):
    """x [b, h, w, i], kernel [k, k, i, o] with k = 4 or 2 → [b, h/2, w/2, o].

    As `lax.conv_general_dilated(x, kernel, (2, 2), "SAME")` and TensorFlow's `conv2d`.
    """
    size, _, channels, features = kernel.shape
    if size == 2:  # patches do not overlap
        return _product(_to_blocks(x), kernel.reshape(4 * channels, features))
    _, height, width, _ = x.shape
    blocks = _to_blocks(_pad(x, (1, 1), (1, 1)))
    parts = _parts(kernel)

    def at(images, shift):
        row, column = shift
        return images[:, row : row + height // 2, column : column + width // 2]

    if 4 * channels < features:
        gathered = jnp.concatenate([at(blocks, shift) for shift in SHIFTS], axis=-1)
        return _product(gathered, parts.reshape(16 * channels, features))
    matrix = parts.transpose(1, 0, 2).reshape(4 * channels, 4 * features)
    results = jnp.split(_product(blocks, matrix), 4, axis=-1)
    return sum(map(at, results, SHIFTS))


def convolve_transposed(x, kernel):
    """x [b, h, w, i], kernel [4, 4, o, i] → [b, 2h, 2w, o]: the transpose of `convolve`.

    It is TensorFlow's `conv2d_transpose`, also in the axes of the kernel, and so
    `lax.conv_transpose(x, kernel, (2, 2), "SAME", transpose_kernel=True)`. Without that flag
    `lax.conv_transpose`, which Flax uses, wants the kernel turned by 180° and as [4, 4, i, o].
    """
    _, _, features, channels = kernel.shape
    parts = _parts(kernel)

    def put(images, shift):
        row, column = shift
        return _pad(images, (row, 1 - row), (column, 1 - column))

    if 4 * features < channels:
        results = _product(x, parts.reshape(16 * features, channels).T)
        blocks = sum(map(put, jnp.split(results, 4, axis=-1), SHIFTS))
    else:
        spread = jnp.concatenate([put(x, shift) for shift in SHIFTS], axis=-1)
        matrix = parts.transpose(0, 2, 1).reshape(4 * channels, 4 * features)
        blocks = _product(spread, matrix)
    return _from_blocks(blocks)[:, 1:-1, 1:-1]


def _parts(kernel):
    """kernel [4, 4, m, n] → [4, 4m, n]: for every shift of blocks, what it does to a block."""
    _, _, m, n = kernel.shape
    return kernel.reshape(2, 2, 2, 2, m, n).transpose(0, 2, 1, 3, 4, 5).reshape(4, 4 * m, n)


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


def _pad(x, rows, columns):
    return jnp.pad(x, ((0, 0), rows, columns, (0, 0)))

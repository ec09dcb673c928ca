"""Where in an image a latent looks: Grad-CAM (Selvaraju et al., ICCV 2017) on a latent, as of
Attri-VAE (Cetin et al., Computerized Medical Imaging and Graphics 2023).

    A  the maps of the encoder's last convolution,   G_j = ∂μ_j / ∂A / rms(∂μ_j / ∂A)
    M_j = relu(upsampled(Σ_c w_jc A_c)),   w_jc = the mean of G_j's channel c over the map

Attri-VAE derives a sample of z_j, of which the mean's derivative is the part without noise.
"""

import jax
import jax.numpy as jnp

from soberlook.registry import BadInput

from . import networks


def attention_maps(model, state, x):
    """x [b, h, w, c] → the attention of every latent to every pixel, [b, z, h, w].

    Each map is scaled to [0, 1]; it is 0 everywhere where no feature raises the latent. Only of
    convolutional encoders, whose features have a place. To look at it, lay it over the images:

        import matplotlib.pyplot as plt
        maps = attention_maps(model, state, x)
        plt.imshow(overlay(x, maps)[0, 3])  # latent 3 of the first image
    """
    network = networks.resolve(model.network, x.shape[1:])
    if network not in networks.CONVOLUTIONAL:
        expected = " or ".join(map(repr, networks.CONVOLUTIONAL))
        raise BadInput(f"attention_maps: needs an encoder of network {expected}, found {network!r}")
    if "mean" not in model.heads:
        heads = ", ".join(map(repr, model.heads))
        raise BadInput(f"attention_maps: needs an encoder with a head 'mean', found {heads}")
    _, seen = model.heads_of(state, x, mutable="intermediates")
    (maps,) = seen["intermediates"]["maps"]

    def latents(maps, image):
        """μ [z] of one image, if these were its maps."""
        heads = model.heads_of(state, image[None], maps=maps[None])
        return heads[list(model.heads).index("mean")][0]

    gradients = jax.vmap(jax.jacrev(latents))(maps, x)
    return upsampled(grad_cam(maps, gradients), x.shape[1:3])


def grad_cam(maps, gradients):
    """Σ_c w_c A_c [b, z, h, w] of maps A [b, h, w, c] and the latents' derivatives by them
    [b, z, h, w, c]."""
    square = jnp.square(gradients).mean(axis=(2, 3, 4), keepdims=True)
    weights = (gradients / (jnp.sqrt(square) + 1e-5)).mean(axis=(2, 3))  # [b, z, c]
    return jnp.einsum("bzc,bhwc->bzhw", weights, maps)


def upsampled(m, shape):
    """What is above 0 of m [b, z, h, w] at the size of the image, each scaled to [0, 1]."""
    m = jax.nn.relu(jax.image.resize(m, (*m.shape[:2], *shape), "linear"))
    low, high = m.min(axis=(2, 3), keepdims=True), m.max(axis=(2, 3), keepdims=True)
    return (m - low) / jnp.where(high > low, high - low, 1)


def overlay(x, m):
    """Pictures [b, z, h, w, 3] in [0, 1]: x [b, h, w, c] in grey at half brightness, and attention
    m [b, z, h, w] added in red."""
    grey = jnp.broadcast_to(x.mean(axis=-1)[:, None, ..., None] / 2, (*m.shape, 3))
    return grey.at[..., 0].add(m / 2)

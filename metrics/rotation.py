"""The impossibility theorem at work: Locatello et al., "Challenging Common Assumptions in the
Unsupervised Learning of Disentangled Representations", ICML 2019, theorem 1 and its proof.

    f(u) = g⁻¹(h⁻¹(A h(g(u)))),  g: the prior's cdf,  h: the normal quantile,  A orthogonal

of a normal prior is f(z) = A z. A model with the encoder N(A μ(x), A Σ(x) Aᵀ) and the decoder
p(x | Aᵀ z) has the same prior, the same likelihood of every image, the same divergence from the
prior and the same ELBO as the model that was trained; where no entry of A is 0 each of its latents
depends on every one of the other's. No likelihood tells the two apart. Scores under `…_rotated` are
those of the other one, so a score less its own `…_rotated` is not owed to the data's likelihood.
"""

import numpy as np
from jaxtyping import Float, Num


def rotate(codes: Num[np.ndarray, "n z"], seed: int = 0) -> Float[np.ndarray, "n z"]:
    """The mean codes [n, z] of the other model: A μ, in the codes' own type."""
    return (codes @ rotation(codes.shape[1], seed).T).astype(codes.dtype)


def rotation(size: int, seed: int = 0) -> Float[np.ndarray, "z z"]:
    """An orthogonal A [z, z] that mixes everything, from the uniform distribution of all rotations
    and reflections; one latent alone can only change its sign."""
    rng = np.random.default_rng([seed, size])
    q, r = np.linalg.qr(rng.standard_normal((size, size)))
    return q * np.sign(np.diag(r))

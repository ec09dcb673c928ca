"""Perturbation response: each latent is moved in turn, and what moves in the decoded image is
measured.

After the inspection of latents in "(β-)VAE and GAN" on dSprites (arXiv 2208.04549, 2022), which
looks at the pictures; here the centroid, the area, the orientation and the shape are read off the
moments of the image (Hu, "Visual Pattern Recognition by Moment Invariants", IRE Trans. Inf. Theory,
1962).

    z_d = μ(x) + d σ_k e_k,   d from −3 to 3,   σ_k: deviation of code k over the grid
    R_kf = E_x[deviation over d of property f of decode(z_d)] / (the same of the dataset's images)
    max_share = Σ_k max_f R_kf / Σ R,   completeness = Σ_f max_k R_kf / Σ R
"""

import numpy as np
from jaxtyping import Float

from . import asking
from .metric import Trained, check_codes, register

PROPERTIES = ("x", "y", "area", "orientation", "shape")


@register("perturbation", of="trained", version=2)  # 2: with shapes
def perturbation(
    trained: Trained,
    rng: np.random.Generator,
    *,
    cells: int = 256,
    steps: int = 9,
    reach: float = 3.0,
    threshold: float = 0.01,
) -> dict[str, float]:
    """Does each latent move one property of the image, and is each property moved by one latent?

    `perturbation_max_share`, the share of a latent's response that is in one property, and
    `perturbation_completeness`, the share of a property's response that is to one latent; both in
    [0, 1], higher is better, 1/5 and 1/z where all responds alike. Latents and properties count by
    their response, so dead latents and shapes change nothing; both are 0 where nothing responds.
    `perturbation_inactive` is the number of latents, from 0 to z, that change pixels by less than
    `threshold` of their deviation in the dataset. Settings and traps are those of `responses`.
    """
    response, change = responses(trained, rng, cells=cells, steps=steps, reach=reach)
    active = change >= threshold
    response = response * active[:, None]
    total = response.sum()
    return {
        "perturbation_max_share": float(response.max(axis=1).sum() / total) if total else 0.0,
        "perturbation_completeness": float(response.max(axis=0).sum() / total) if total else 0.0,
        "perturbation_inactive": float((~active).sum()),
    }


def responses(
    trained: Trained,
    rng: np.random.Generator,
    *,
    cells: int = 256,
    steps: int = 9,
    reach: float = 3.0,
) -> tuple[Float[np.ndarray, "z 5"], Float[np.ndarray, " z"]]:
    """R [z, 5], how much each latent moves each of `PROPERTIES`, and how much [z] any pixel.

    Both are shares of the deviation over the dataset: 1 moves as far as the data does. A property
    that hardly varies in the dataset (by less than 1 % of the image's side or of the mean area, or
    0.01 for orientation and shape) has response 0. From the images of `cells` drawn with
    replacement from the whole grid, `steps` codes each, `reach` deviations to either side. Only
    properties of one bright thing on a dark ground mean what they say: on light ground the ground
    is measured. Raises ValueError for images that do not vary, and for codes and images that are
    not finite.
    """
    # A classifier of shapes, whose logits move, would need labels: invariants of shape do not.
    drawn = asking.draw_cells(trained, rng, cells)
    images = asking.observe_pictures(trained, drawn, asking.draw_key(rng))
    pixels = np.sqrt(images.var(axis=0, dtype=np.float64).mean())
    if pixels < 1e-6:
        raise ValueError("images must vary, found one image only")
    measured = measure(images)
    height, width = images.shape[1:3]
    scale = deviation(measured)
    varies = scale > 0.01 * np.array([width, height, measured[:, 2].mean(), 1, 1])
    mean = asking.encode(trained, images).mean
    grid = check_codes(trained.representation.mean, "representation.mean")
    sigma = grid.std(axis=0, dtype=np.float64)
    response, change = np.zeros((mean.shape[1], len(PROPERTIES))), np.zeros(mean.shape[1])
    for k in range(mean.shape[1]):
        codes = np.repeat(mean[:, None], steps, axis=1).astype(np.float64)
        codes[..., k] += np.linspace(-reach, reach, steps) * sigma[k]
        decoded = asking.decode(trained, codes.reshape(-1, mean.shape[1]))
        decoded = decoded.reshape(cells, steps, *decoded.shape[1:])
        moved = deviation(measure(decoded)).mean(axis=0)
        response[k, varies] = moved[varies] / scale[varies]
        change[k] = np.sqrt(decoded.var(axis=1, dtype=np.float64).mean()) / pixels
    return response, change


def measure(images: Float[np.ndarray, "... h w c"]) -> Float[np.ndarray, "... 8"]:
    """Centroid x and y in pixels, area in white pixels, orientation as a vector, and the shape.

    The vector is (cos 2θ, sin 2θ) e of the main axis at angle θ, which repeats after π, and the
    elongation e = (λ₁ − λ₂) / (λ₁ + λ₂) of the second moments: from 0, which has no orientation,
    to 1, a line. The shape is e and two moments of third order, E[d |d|²] and E[d³] of distances d
    from the centroid as complex numbers: their sizes, in units of E[|d|²]^{3/2}. What moves, turns,
    grows or brightens keeps them; they are the roots of Hu's second to fourth invariant but for the
    unit, which is the area there and would see brightness. An image without light has its centroid
    in the middle, no orientation and shape 0.
    """
    grey = images.mean(axis=-1, dtype=np.float64)
    height, width = grey.shape[-2:]
    y, x = np.mgrid[:height, :width] + 0.5
    area = grey.sum(axis=(-2, -1))
    lit = area > 1e-6

    def moment(values, empty=0):
        weighted = (grey * values).sum(axis=(-2, -1))
        return np.where(lit, weighted / np.where(lit, area, 1), empty)

    mean_x, mean_y = moment(x, width / 2), moment(y, height / 2)
    d = (x - mean_x[..., None, None]) + 1j * (y - mean_y[..., None, None])
    squared = np.square(np.abs(d))
    spread = moment(squared)
    spread = np.where(spread > 0, spread, 1)
    vector = moment(np.square(d)) / spread
    third = [np.abs(moment(d * other)) / spread**1.5 for other in (squared, np.square(d))]
    places = mean_x, mean_y, area, vector.real, vector.imag
    return np.stack([*places, np.abs(vector), *third], axis=-1)


def deviation(measured: Float[np.ndarray, "... n 8"]) -> Float[np.ndarray, "... 5"]:
    """How far each of `PROPERTIES` strays over n images.

    The standard deviation, of a shape's three numbers the root of their summed variance. For the
    orientation √(½ (mean |u| − |mean u|)) of the vectors u: close to √e times the angle's deviation
    in radians, and 0 for a change of elongation alone.
    """
    vectors = measured[..., 3:5]
    lengths = np.linalg.norm(vectors, axis=-1).mean(axis=-1)
    together = np.linalg.norm(vectors.mean(axis=-2), axis=-1)
    turned = np.sqrt(np.maximum(lengths - together, 0) / 2)  # below 0 by rounding only
    turned = np.where(turned > 1e-6, turned, 0)  # and above, where nothing turns
    # From the first image, so that equal ones have deviation 0 and not 1e-16.
    strays = (measured - measured[..., :1, :]).std(axis=-2)
    shape = np.linalg.norm(strays[..., 5:], axis=-1)
    return np.concatenate([strays[..., :3], turned[..., None], shape[..., None]], axis=-1)

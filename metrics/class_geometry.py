"""Class geometry: are classes alike in their codes as they are in their data? (Xue, Ding & Lu,
"Supervised Vector Quantized Variational Autoencoder for Learning Interpretable Global
Representations", 2019, who read relations between drugs off the correlations of codes.)

    ρ over all pairs a < b of classes of   corr(e_a, e_b)   and   corr(mean of x in a, in b)

Correlations are Pearson's over latents and over pixels, ρ is Spearman's.
"""

import numpy as np

from .asking import draw_key, observe
from .correlation import pearson, spearman
from .metric import Trained, check_codes, register


@register("class_geometry", of="trained")
def class_geometry(
    trained: Trained, rng: np.random.Generator, *, factor: int = 0, cells: int = 10_000
) -> dict[str, float]:
    """Do correlations between the codes of classes follow those between the classes' mean images?

    A class is a value of the `factor`; its code the median, latent by latent, of the codes of its
    images: where most of them have one code of a codebook, this code. In [−1, 1], higher is
    better; 0 for codes that know nothing, and where all correlations are equal. All images of a
    grid are looked at, or so many `cells` of a larger one. Raises ValueError where the factor has
    fewer than three values, where no cell of one of them was drawn, and for codes and images that
    are not finite.
    """
    run = trained.representation
    if (classes := run.factor_sizes[factor]) < 3:
        raise ValueError(f"class_geometry needs three classes at least, found {classes}")
    whole = np.arange(len(run.mean))
    drawn = whole if len(whole) <= cells else rng.integers(len(whole), size=cells)
    of_class = run.factors(drawn)[:, factor]
    if len(missing := np.setdiff1d(np.arange(classes), of_class)):
        found = f"found none of class {missing[0]} among {len(drawn)}"
        raise ValueError(f"class_geometry needs a cell of every class, {found}")
    codes = check_codes(run.mean[drawn], "representation.mean")
    images = observe(trained, drawn, draw_key(rng)).reshape(len(drawn), -1)
    pairs = np.triu_indices(classes, 1)

    def correlations(table, centre):
        each = [centre(table[of_class == value], axis=0) for value in range(classes)]
        columns = np.stack(each, axis=1)
        return pearson(columns, columns)[pairs][:, None]

    of_codes = correlations(codes, np.median)
    of_images = correlations(images, np.mean)
    return {"class_geometry": float(spearman(of_codes, of_images)[0, 0])}

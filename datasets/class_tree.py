"""class_tree: classes whose likeness is a known tree, as a stand-in for gene expression data.

A method whose codes of classes should show how classes are related (S-VQ-VAE on the LINCS data,
978 landmark genes: Xue et al., npj Systems Biology and Applications 2020) can be held against the
tree. Classes are the leaves of a binary tree; every edge adds an increment of its own, and

    mean(class) = Σ of the increments on the way from the root
    row = mean(class) + noise · N(0, I)

Increments are random directions that are orthogonal to each other and to (1, …, 1), and of one
length, such that a mean's values have variance 1. So two classes' means correlate by exactly the
share of edges they have in common: 1 − distance / 2 depth, the distance in edges.
"""

import jax
import jax.numpy as jnp
import numpy as np

from soberlook.registry import BadInput, setting

from .dataset import Dataset, register


@register("class_tree")
class ClassTree(Dataset):
    """Rows of 2^depth classes whose means correlate as a binary tree says; unbounded, as z-scores.

    Values are real and not in [0, 1]: those of a row have mean 0 and variance 1 + noise² (over
    dimensions, expected over instances), which is for Gaussian likelihoods.
    """

    depth: int = setting(4, low=1, high=8)
    dimensions: int = setting(64, low=4, high=1024)
    noise: float = setting(1.0, low=0.0, high=100.0, real=True)  # standard deviation

    factor_names = ("class",)
    nuisance_names = ("instance",)
    nuisance_sizes = (256,)
    bounded = False

    def __post_init__(self):
        super().__post_init__()
        edges = 2 * self.classes - 2
        if self.dimensions <= edges:
            raise BadInput(
                f"class_tree: dimensions must be > {edges}, the edges of a tree of depth "
                f"{self.depth}, found {self.dimensions}"
            )

    @property
    def classes(self) -> int:
        return 2**self.depth

    @property
    def factor_sizes(self):
        return (self.classes,)

    @property
    def image_shape(self):
        return (self.dimensions,)

    def means(self) -> np.ndarray:
        """The classes' means [classes, dimensions], float64."""
        rng = np.random.default_rng(0x7EE)
        edges = 2 * self.classes - 2
        directions = rng.standard_normal((self.dimensions, 1 + edges))
        directions[:, 0] = 1
        q, r = np.linalg.qr(directions)
        q = q[:, 1:] * np.sign(np.diag(r))[1:]  # signs differ between libraries
        increments = q.T * np.sqrt(self.dimensions / self.depth)
        # Edges are numbered by level, and within a level as the nodes they lead to.
        leaves, means = np.arange(self.classes), 0
        for level in range(1, self.depth + 1):
            nodes = leaves >> (self.depth - level)
            means = means + increments[2**level - 2 + nodes]
        return means

    def distances(self) -> np.ndarray:
        """The number of edges between any two classes, [classes, classes]."""
        leaves = np.arange(self.classes)
        apart = leaves[:, None] ^ leaves[None]  # its highest bit: where the two ways part
        return 2 * np.ceil(np.log2(apart + 1)).astype(int)

    def load(self):
        means = jnp.asarray(self.means(), jnp.float32)[:, None]
        noise = jax.random.normal(jax.random.key(0), (*self.grid, self.dimensions))
        return (means + self.noise * noise).reshape(self.size, self.dimensions)

    def observe(self, data, cells, key):
        return data[cells]

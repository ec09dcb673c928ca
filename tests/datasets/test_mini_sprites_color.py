import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from soberlook.datasets import MiniSprites, make

COLORED = make("mini_sprites_color")


def test_a_sprite_has_one_colour_drawn_uniformly():
    data = COLORED.load()
    cells, key = jnp.arange(6144), jax.random.key(0)
    grey = np.asarray(MiniSprites().observe(data, cells, key))
    x = np.asarray(jax.jit(COLORED.observe)(data, cells, key))
    colour = x.max(axis=(1, 2)) / grey.max(axis=(1, 2))
    np.testing.assert_allclose(x, grey * colour[:, None, None], atol=1e-6)
    assert colour.min() >= 0.5 and colour.max() <= 1
    for channel in range(3):
        assert stats.kstest(colour[:, channel], stats.uniform(0.5, 0.5).cdf).pvalue > 0.001
    # Colours say nothing of each other or of the factors.
    factors = np.asarray(COLORED.factors(cells))
    correlation = np.corrcoef(np.hstack([colour, factors]).T) - np.eye(8)
    assert np.abs(correlation).max() < 0.05

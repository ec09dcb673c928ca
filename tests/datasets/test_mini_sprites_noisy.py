import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from soberlook.datasets import MiniSprites, make

NOISY = make("mini_sprites_noisy")


def test_noise_is_added_and_cut_off_at_white():
    data = NOISY.load()
    cells, key = jnp.arange(0, 6144, 12), jax.random.key(0)
    grey = np.asarray(MiniSprites().observe(data, cells, key))
    x = np.asarray(jax.jit(NOISY.observe)(data, cells, key))
    assert (x >= grey).all() and (x[np.broadcast_to(grey == 1, x.shape)] == 1).all()
    black = (grey == 0)[..., 0]
    noise = x[black]  # [pixels, channels]
    assert stats.kstest(noise[:3000].ravel(), "uniform").pvalue > 0.001
    np.testing.assert_allclose(noise.mean(axis=0), 1 / 2, atol=0.005)
    np.testing.assert_allclose(noise.var(axis=0), 1 / 12, atol=0.002)
    assert np.abs(np.corrcoef(noise.T) - np.eye(3)).max() < 0.02
    # Over a sprite of grey s the expected value is E[min(s + u, 1)] = 1 − (1 − s)² / 2.
    np.testing.assert_allclose((x - (1 - (1 - grey) ** 2 / 2)).mean(), 0, atol=0.003)
    # Images have noise of their own.
    first, second = x[:-1, 0, 0, 0], x[1:, 0, 0, 0]
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.2

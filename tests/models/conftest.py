"""Tests of models compile a program each and run it once or twice."""

import jax
import pytest


@pytest.fixture(scope="module", autouse=True)
def compiled_for_little():
    """Programs are compiled for less than the speed they could have, in half of the time, which is
    nearly all of it here. What ships is compiled as usual in all other tests."""
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)

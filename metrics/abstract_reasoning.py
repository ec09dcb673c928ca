"""Abstract reasoning: van Steenkiste, Locatello, Schmidhuber & Bachem, "Are Disentangled
Representations Helpful for Abstract Visual Reasoning?", NeurIPS 2019.

    accuracy_T = P(argmax_a s_T(a | context) is the right one of six answers), over fresh matrices
    s_T: a Wild Relation Network on frozen codes after T updates by Adam of −log softmax(s)_right

Matrices are in matrices.py, the network is in relation_network.py.
"""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Float

from . import relation_network
from .asking import draw_key
from .interventions import check_grid
from .matrices import draw_matrix, make_rules
from .metric import Representation, register


@register("abstract_reasoning", of="interventions", threaded=True)
def abstract_reasoning(
    representation: Representation,
    rng: np.random.Generator,
    *,
    steps: Sequence[int] = (300, 1_000, 3_000),
    relations: Sequence[int] = (1, 2, 3),
    alternatives: str = "hard",
    values: int | Sequence[int] = 4,
    edge_widths: Sequence[int] = (64, 64),
    graph_widths: Sequence[int] = (64,),
    learning_rate: float = 3e-3,
    dropout: float = 0.0,
    batch: int = 32,
    test_points: int = 3_200,
) -> dict[str, float]:
    """How soon does a network learn to solve Raven's matrices, where it sees codes, not images?

    Codes [n, z] of the whole grid. `abstract_reasoning_accuracy_T` for each T of `steps`, after
    `batch` · T matrices: the share of `test_points` fresh ones (rounded up to whole batches, the
    same for every T) that are solved. In [0, 1], higher is better; chance is 1/6.

    Matrices. In each row `relations` factors are constant, one number of these as likely as
    another; the paper's are 1, 2, 3, and all three mixed. At least one factor varies: numbers that
    leave none are left out. A wrong answer that is "hard" has another value in one constant factor,
    and any value in those that are not; one that is "easy" is any cell that does not fit. A factor
    is seen at `values` of its values at most (one number, or one a factor), evenly apart: the v-th
    of V is ⌊v · size / V⌋, as in the paper's code. The paper cuts positions, scales and
    orientations to 3 or 4 and leaves ten hues; here 4 are for all, because a grid does not say
    which is which.

    Sizes are ours, to take 10 s on one core, and 6 s once to compile. The paper searches e = 2 to 4
    × 256 or 512, g = 1 or 2 × 128 or 256, dropout from none to .75, and rates from 1e-2 to 1e-4, in
    100,000 steps of 32; one of those is steps=(100_000,), edge_widths=(512,) * 4,
    graph_widths=(256, 256), dropout=0.5, learning_rate=1e-4.

    Traps. Compare equal options and grids only. So short a training learns to compare an answer
    with its own row, where perfect codes of five factors end at .7; it seldom gets to ask the other
    rows which factors count, without which .77 can be had there. Codes that know nothing, but
    differ from cell to cell, can be learnt by heart: on few cells or in long training they rise
    above chance. Codes are centred and share one scale, which the paper's do not, so that units do
    not matter but collapsed codes stay small. Networks start elsewhere for codes in another order.
    Between generators the numbers of one run differ by some ± .03 after 300 steps, and ± .01 after
    1,000 and later.

    Raises ValueError for codes that are not finite, and where no matrix can be made: for a single
    factor, for too few values for six different answers.
    """
    if alternatives not in ("easy", "hard"):
        raise ValueError(f"alternatives must be easy or hard, found {alternatives}")
    if not steps or min(steps) < 0 or min(batch, test_points) < 1:
        raise ValueError("steps must be 0 or more, batch and test_points 1 or more")
    codes, levels = codes_of_levels(representation, values)
    rules = make_rules(tuple(k for k in levels if k > 1), tuple(relations), alternatives == "hard")
    batches = -(-test_points // batch)
    of_start, of_training, of_test = jax.random.split(draw_key(rng), 3)
    start = of_start, codes.shape[1], tuple(edge_widths), tuple(graph_widths)
    network = relation_network.init(*start)
    state = network, optax.adam(learning_rate).init(network)
    found, done = {}, 0
    for step in sorted(steps):
        state, solved = _train(
            state,
            codes,
            (of_training, of_test),
            (done, step),
            (learning_rate, dropout),
            rules=rules,
            batch=batch,
            test_batches=batches,
        )
        found[f"abstract_reasoning_accuracy_{step}"] = int(solved) / (batches * batch)
        done = step
    if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state[0])):
        raise ValueError(f"training must not diverge, found NaN after {done} steps")
    return found


def codes_of_levels(
    representation: Representation, values: int | Sequence[int]
) -> tuple[Float[np.ndarray, "m z"], tuple[int, ...]]:
    """The codes of the cells that matrices are made of, in C order, and each factor's levels.

    Codes are centred, and divided by the largest deviation of one.
    """
    sizes = representation.factor_sizes
    most = np.broadcast_to(values, len(sizes))
    if most.min() < 2:
        raise ValueError(f"values must be 2 at least, found {values}")
    levels = tuple(min(size, int(most)) for size, most in zip(sizes, most, strict=True))
    seen = [np.arange(k) * size // k for k, size in zip(levels, sizes, strict=True)]
    codes = check_grid(representation)
    grid = codes.reshape(*sizes, -1, codes.shape[1])[..., 0, :]  # nuisances at their first values
    codes = grid[np.ix_(*seen)].reshape(-1, grid.shape[-1]).astype(np.float64)
    # The mean of equal numbers may be another one by rounding: not a code to be scaled up.
    codes = np.where(np.ptp(codes, axis=0) > 0, codes - codes.mean(axis=0), 0)
    scale = codes.std(axis=0).max()
    return (codes / (scale if scale > 0 else 1)).astype(np.float32), levels


@partial(jax.jit, static_argnames=("rules", "batch", "test_batches"))
def _train(state, codes, keys, updates, settings, *, rules, batch, test_batches):
    """The state after these updates, and how many of the test's matrices it solves."""
    key, test_key = keys
    learning_rate, dropout = settings
    optimizer = optax.adam(learning_rate)
    strides = np.append(np.cumprod(rules.levels[:0:-1])[::-1], 1)
    scores = jax.vmap(relation_network.scores, (None, 0, 0, None))

    def draw(key):
        keys = jax.random.split(key, batch)
        drawn = jax.vmap(partial(draw_matrix, rules=rules))(keys)
        return codes[drawn.context @ strides], codes[drawn.answers @ strides], drawn.right

    def update(step, state):
        network, moments = state
        of_matrices, of_dropout = jax.random.split(jax.random.fold_in(key, step))
        context, answers, right = draw(of_matrices)
        # One mask for all matrices of a batch, as in the paper's code.
        features = len(network.score.weights)
        kept = jax.random.bernoulli(of_dropout, 1 - dropout, (features,)) / (1 - dropout)

        def loss(network):
            logits = scores(network, context, answers, kept)
            return optax.softmax_cross_entropy_with_integer_labels(logits, right).mean()

        updates, moments = optimizer.update(jax.grad(loss)(network), moments)
        return optax.apply_updates(network, updates), moments

    def solved(network, key):
        context, answers, right = draw(key)
        return jnp.sum(jnp.argmax(scores(network, context, answers, 1.0), axis=-1) == right)

    network, moments = jax.lax.fori_loop(*updates, update, state)
    keys = jax.random.split(test_key, test_batches)
    return (network, moments), jax.lax.map(partial(solved, network), keys).sum()

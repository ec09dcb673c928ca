import jax, time
from functools import partial
import jax.numpy as jnp
import numpy as np
import optax

from .asking import draw_key
from .interventions import check_grid
from .matrices import Rules, draw_matrices, make_rules
from .metric import Representation, register
from . import relation_network


def abstract_reasoning(representation, rng, *, steps=(300, 1000, 3000), values=4, relations=(1,2,3), hard=True, edge=(64,64), graph=(64,), dropout=.5, lr=1e-3, batch=32, test_batches=100, center=True):
    grid = check_grid(representation).astype(np.float64)
    sizes = representation.factor_sizes
    levels = tuple(min(s, values) for s in sizes)
    kept = [np.arange(l) * s // l for s, l in zip(sizes, levels)]
    codes = grid.reshape(*sizes, -1)[np.ix_(*kept)].reshape(-1, grid.shape[1])
    codes = codes - codes.mean(0)
    scale = codes.std(0).max()
    codes = jnp.asarray(codes / (scale if scale > 0 else 1), jnp.float32)
    rules = make_rules(tuple(l for l in levels if l > 1), relations, hard)
    a, b, c = jax.random.split(draw_key(rng), 3)
    net = relation_network.init(a, codes.shape[1], edge, graph)
    state = net, optax.adam(lr).init(net)
    done = 0
    out = {}
    for s in steps:
        t = time.time()
        state, acc = stage(state, codes, b, c, done, s, rules, dropout, lr, batch, test_batches)
        out[s] = (round(float(acc), 4), round(time.time() - t, 2))
        done = s
    return out

@partial(jax.jit, static_argnums=(6, 7, 8, 9, 10))
def stage(state, codes, key, test_key, first, last, rules, dropout, lr, batch, test_batches):
    strides = np.append(np.cumprod(rules.levels[:0:-1])[::-1], 1)
    opt = optax.adam(lr)
    def batch_of(key):
        m = draw_matrices(key, rules, batch)
        return codes[m.context @ strides], codes[m.answers @ strides], m.right
    def update(i, state):
        net, os = state
        k1, k2 = jax.random.split(jax.random.fold_in(key, i))
        x, y, r = batch_of(k1)
        h = net.score.weights.shape[0]
        keep = jax.random.bernoulli(k2, 1 - dropout, (h,)) / (1 - dropout)
        def loss(net):
            return optax.softmax_cross_entropy_with_integer_labels(relation_network.scores(net, x, y, keep), r).mean()
        g = jax.grad(loss)(net)
        u, os = opt.update(g, os)
        return optax.apply_updates(net, u), os
    state = jax.lax.fori_loop(first, last, update, state)
    def right(i):
        x, y, r = batch_of(jax.random.fold_in(test_key, i))
        return (relation_network.scores(state[0], x, y).argmax(-1) == r).mean()
    return state, jax.lax.map(right, jnp.arange(test_batches)).mean()

"""Evaluating trained members: encode the whole grid once, then every metric from that.

The programs here are for one member at a time: memory does not grow with the width of a cohort, and
a member's numbers cannot depend on it. Metrics then see the same cells of all members.
"""

import itertools
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from threadpoolctl import threadpool_limits

from soberlook import metrics

from .train import EVALUATION, pick, purpose_key

BLOCK = 512  # cells encoded at a time
NOISY_DRAWS = 3  # at least, of a dataset whose images are drawn anew
MEMORY = 2**30  # bytes of representations that are measured together


def represent(models, seeds, states, member, data, dataset, draw=0) -> metrics.Representation:
    """The representation that one member has learnt, over every cell of the dataset.

    Draws differ in the noise of the images, where there is any, and in the samples of q(z|x).
    """
    encoded = encode(models, seeds, states, member, data, draw, dataset=dataset)
    mean, kl, reconstruction, sampled = map(np.asarray, encoded)
    sizes = dataset.factor_sizes, sampled, dataset.nuisance_sizes
    others = held_out_of(dataset), measured_of(dataset, data)
    return metrics.Representation(mean, kl, reconstruction, *sizes, *others)


def held_out_of(dataset):
    """The cells that models are not trained on; None where there are none."""
    cells = dataset.training.held_out(dataset)
    return cells if len(cells) else None


def measured_of(dataset, data):
    """What a dataset measures in the images of all its cells; None where it does not."""
    if dataset.attribute_names == dataset.factor_names:
        return None
    return np.asarray(dataset.attributes(data, jnp.arange(dataset.size)))


def interrogable(models, seeds, states, member, data, dataset, representation) -> metrics.Trained:
    """The member as metrics may ask it. Its functions are pytrees: one program serves all runs."""
    model, _, state = jax.jit(pick)(member, models, seeds, states)
    return metrics.Trained(
        representation,
        Partial(partial(_observe, dataset), data),
        Partial(_encode, model, state),
        Partial(_decode, model, state),
        Partial(_log_likelihood, model, state),
        parts_of(model, dataset),
    )


def parts_of(model, dataset) -> dict[int, slice]:
    """The parts of the model's code that are to hold a factor, by the factor's axis."""
    ends = list(itertools.accumulate(model.parts.values(), initial=0))
    slices = map(slice, ends, ends[1:])
    axes = [dataset.axis(name) if name else 0 for name in model.parts]
    return dict(zip(axes, slices, strict=True))


def measure(name, representations, settings=(), *, draw=0, trained=()):
    """For each of these runs the (name, value, version) of every number of one metric, and what
    could not be computed.

    Draws differ in the cells that metrics see, which are the same for all runs. A metric that
    raises ValueError, or gives a number that is not finite, gives no number, and its reason. Runs
    with equal `settings` are those that a metric of settings compares.
    """
    metric = metrics.METRICS.find(name)
    runs = np.arange(len(representations))
    groups = [runs]
    if metric.of == "setting":
        groups = [runs[np.equal(settings, one)] for one in dict.fromkeys(settings)]
    outcomes = [None] * len(runs)
    for group in groups:
        own = [[every[i] for i in group] if every else () for every in (representations, trained)]
        # The pools of NumPy's and SciPy's BLAS wait for each other on few cores: on two, a
        # logistic regression takes eight times as long with them.
        with threadpool_limits(1, "blas"):
            found = metrics.compute(metric, own[0], seed=draw, trained=own[1])
        for i, outcome in zip(group, found, strict=True):
            outcomes[i] = outcome
    return [_numbers(metric, outcome) for outcome in outcomes]


def score(names, learnt: dict, draws: range, on_scored: Callable[[int], None] = lambda _: None):
    """(run, draw, numbers, problems) of every run, draw and metric, as `measure` gives them.

    `learnt` has of every run its representations, one a draw, and where metrics may ask it
    (`interrogable`), or nothing where none does. `on_scored` hears how many runs that comes to.
    """
    runs, steps = list(learnt), len(draws) * len(names)
    settings = [run.setting for run in runs]
    for draw in draws:
        representations = [own[draw] for own, _ in learnt.values()]
        asked = [interrogable(*where, own[draw]) for own, where in learnt.values() if where]
        for i, name in enumerate(names):
            found = measure(name, representations, settings, draw=draw, trained=asked)
            for run, (numbers, problems) in zip(runs, found, strict=True):
                yield run, draw, numbers, problems
            on_scored(int(len(runs) * (draw * len(names) + i + 1) / steps))


def asks(names) -> bool:
    """Whether any of these metrics asks the model itself."""
    return any(metrics.METRICS.find(name).of == "trained" for name in names)


def rows_of(run, step, draw, numbers) -> list[dict]:
    """These (name, value, version) as rows."""
    about = {"run_id": run.id, "step": step, "draw": draw}
    return [about | {"metric": n, "value": value, "version": v} for n, value, v in numbers]


def draws_of(dataset, draws: int) -> range:
    """The draws of an evaluation: several, where images have noise that must not be frozen."""
    return range(max(draws, NOISY_DRAWS if dataset.noisy else 1))


def size_of(representations) -> int:
    """The bytes that these take."""
    arrays = [(r.mean, r.kl, r.reconstruction, r.sampled) for r in representations]
    return sum(array.nbytes for one in arrays for array in one)


def illustrate(models, seeds, states, member: int, data, dataset, *, columns=9):
    """What one member makes of images, in [0, 1]: latent traversals [z, columns, h, w, c] and
    reconstructions [2, columns, h, w, c].

    A traversal moves each code over the model's `span`, the others as encoded for the cell in the
    middle of the grid. Above the means of reconstructions are their images, of cells that are the
    same for all runs on a dataset.
    """
    middle = np.ravel_multi_index([size // 2 for size in dataset.grid], dataset.grid)
    cells = np.random.default_rng(0).integers(dataset.size, size=columns)
    asked = models, seeds, states, member, data, int(middle), cells
    return tuple(map(np.asarray, decode(*asked, dataset=dataset)))


def _observe(dataset, data, cells, key):
    return dataset.observe(data, cells, key)


def _encode(model, state, x):
    return model.encode(state, x)


def _decode(model, state, z):
    return model.decode(state, z).mean


def _log_likelihood(model, state, x, z):
    return model.decode(state, z).log_prob(x)


def _numbers(metric, outcome):
    """(numbers, reasons) of what a metric gave, or raised."""
    if isinstance(outcome, ValueError):
        return [], [f"{metric.name}: {outcome}"]
    finite = {key: float(value) for key, value in outcome.items() if np.isfinite(value)}
    numbers = [(key, value, metric.version) for key, value in finite.items()]
    wrong = [key for key in outcome if key not in finite]
    return numbers, [f"{metric.name}: {key} is {outcome[key]}" for key in wrong]


@partial(jax.jit, static_argnames=("dataset",))
def encode(models, seeds, states, member, data, draw, *, dataset):
    """Posterior means [n, z], KL per latent [n, z], −log p(x|z) [n] and z [n, z] of one member."""
    model, seed, state = pick(member, models, seeds, states)

    def encode_block(cells, key):
        key_noise, key_sample = jax.random.split(key)
        x = dataset.observe(data, cells, key_noise)
        posterior = model.encode(state, x)
        z = posterior.sample(key_sample)
        reconstruction = -model.decode(state, z).log_prob(x)
        return posterior.mean, posterior.kl_per_latent(), reconstruction, z

    return _over_grid(encode_block, dataset, seed, draw)


@partial(jax.jit, static_argnames=("dataset",))
def predict(models, seeds, states, member, data, *, dataset):
    """What one member says the factors are, [n, f], where it is one that was told them."""
    model, seed, state = pick(member, models, seeds, states)

    def predict_block(cells, key):
        return model.predict(state, dataset.observe(data, cells, key))

    return _over_grid(predict_block, dataset, seed, draw=0)


def _over_grid(function, dataset, seed, draw):
    """`function` of all cells, a block of them and a key of its own at a time."""
    key = jax.random.fold_in(purpose_key(seed, EVALUATION), draw)

    def of_block(block):
        # The last block ends with cells from the start again, which are cut off below.
        cells = (block * BLOCK + jnp.arange(BLOCK)) % dataset.size
        return function(cells, jax.random.fold_in(key, block))

    found = jax.lax.map(of_block, jnp.arange(-(-dataset.size // BLOCK)))
    return jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:])[: dataset.size], found)


@partial(jax.jit, static_argnames=("dataset",))
def decode(models, seeds, states, member, data, middle, cells, *, dataset):
    """The images of `illustrate`."""
    model, seed, state = pick(member, models, seeds, states)
    key = purpose_key(seed, EVALUATION)
    code = model.encode(state, dataset.observe(data, jnp.asarray([middle]), key)).mean[0]
    latents, columns = code.shape[0], len(cells)
    values = jnp.linspace(*model.span, columns)
    codes = jnp.broadcast_to(code, (latents, columns, latents))
    here = jnp.eye(latents, dtype=bool)[:, None, :]
    codes = jnp.where(here, values[None, :, None], codes)
    lines = model.decode(state, codes.reshape(-1, latents)).mean
    images = dataset.observe(data, cells, key)
    reconstructions = model.decode(state, model.encode(state, images).mean).mean
    shown = jnp.stack([images, reconstructions])
    return lines.reshape(latents, columns, *lines.shape[1:]), shown

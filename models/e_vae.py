"""eVAE: a reconstruction from the description of Wu, Cao & Qi, "eVAE: Evolutionary Variational
Autoencoder", IEEE TNNLS 2025 (arXiv 2301.00011). Not a replication: their code was not to be had,
and what follows is the plain form of what their abstract says.

    loss of member p = E_q(z|x)[−log p(x|z)] + β_p KL(q(z|x) ‖ p(z)),   p = 1 … P
    fitness = gain in ELBO_1 over a segment − κ |KL − C|        at the end of every segment

P copies of everything train on the same batches with the same noise, each with a β of its own.
Every `segment` updates their fitness is judged on other images, with one key for all. The fittest
keeps its β; the others get children's: two parents, each the fitter of two members drawn, are
crossed (SBX: Deb & Agrawal, 1995) and mutated by Cauchy noise,

    c = ½ [(1 ± g) b_1 + (1 ∓ g) b_2],   g = (2u)^(1/(η+1)) for u ≤ ½, else (2 − 2u)^(−1/(η+1))
    b' = b + s tan(π (u − ½)), reflected into [β_min, β_max]

ELBO_1 has no β in it: whoever is judged by its own weighted loss, wins with the smallest β.
"joint": the fittest's parameters and moments are copied to all; "beta_only": each keeps its own.
In "joint" all have gained from one ELBO, so that the gain ranks as the ELBO itself does; what it
was before decides in "beta_only" alone.

Fitness is computed at every update, where a branch would be mapped into computing both sides: a
forward pass of every copy, on top of the P updates.

Children are tried while they train, in the next segment, so that a step of every copy is a step
towards the result and none is thrown away; then survivors cannot be chosen among parents and
children both, and one elite survives. Baselines: "random" draws all β but the elite's uniformly on
a logarithmic scale; "drift" mutates each and selects none, all from the middle of this scale, since
the first is what is reported; the third is the model `control_vae`.
"""

import jax
import jax.numpy as jnp

from soberlook.registry import BadInput, setting

from .model import State, hyperparameter, register
from .vae import VAE, Terms


@register("e_vae")
class EVAE(VAE):
    """eVAE, reconstructed from its description (Wu, Cao & Qi, 2025): weights of KL that evolve."""

    paper = "Wu, Cao & Qi, IEEE TNNLS, 2025"
    version = 2
    needs = ("images", "second_images")
    trial = {"population": 2, "segment": 10}

    target: float = hyperparameter(10.0, sweep=(5, 10, 25), low=0)  # C
    kappa: float = hyperparameter(0.1, low=0)
    segment: float = hyperparameter(50.0, low=1)  # a whole number of updates
    crossover: float = hyperparameter(0.9, low=0, high=1)  # probabilities, of a pair
    mutation: float = hyperparameter(0.3, low=0, high=1)  # and of a child
    eta: float = hyperparameter(2.0, low=0)
    scale: float = hyperparameter(0.1, low=0)  # s
    beta_min: float = hyperparameter(1e-3, low=1e-6)
    beta_max: float = hyperparameter(10.0, low=1e-6)
    population: int = setting(4, low=1)
    inherited: str = setting("joint", choices=("joint", "beta_only"))
    evolution: str = setting("evolved", choices=("evolved", "random", "drift"))

    @property
    def copies(self):
        return self.population

    def check(self, dataset):
        super().check(dataset)
        if self.beta_min > self.beta_max:
            expected = f"beta_min must be ≤ beta_max, {self.beta_max}"
            raise BadInput(f"e_vae: {expected}, found {self.beta_min}")
        if self.segment % 1:
            raise BadInput(f"e_vae: segment must be a whole number, found {self.segment}")

    def init(self, key, batch):
        one = super().init(key, batch)
        members = jax.tree.map(lambda leaf: jnp.stack([leaf] * self.population), one)
        quantiles = (jnp.arange(self.population) + 0.5) / self.population
        if self.evolution == "drift":  # no selection puts the first where it belongs
            quantiles = jnp.full(self.population, 0.5)
        betas = self.beta_min * (self.beta_max / self.beta_min) ** quantiles
        before = jnp.zeros(self.population)  # equal for all: it decides nothing
        extra = {"members": members.replace(extra=betas), "before": before}
        return State(one.step, one.params, (), extra, one.image_shape)

    def regularizer(self, t: Terms):
        kl = t.posterior.kl()
        return t.state.extra * kl, {"kl": kl}  # a member's own β

    def update(self, state, batch, key):
        key_fitness, key_evolution = (jax.random.fold_in(key, i) for i in (2, 3))
        train = jax.vmap(super().update, in_axes=(0, None, None))
        members, logs = train(state.extra["members"], batch, key)
        judge = jax.vmap(self.judge, in_axes=(0, None, None))
        elbo, kl = judge(members, batch["second_images"], key_fitness)
        fitness = elbo - state.extra["before"] - self.kappa * jnp.abs(kl - self.target)
        fitness = jnp.where(jnp.isnan(fitness), -jnp.inf, fitness)  # the diverged never win

        betas, source = self.next_generation(key_evolution, members.extra, fitness)
        ends = (state.step + 1) % self.segment == 0
        source = jnp.where(ends, source, jnp.arange(self.population))
        step, betas = state.step + 1, jnp.where(ends, betas, members.extra)
        members = jax.tree.map(lambda leaf: leaf[source], members).replace(extra=betas)
        before = jnp.where(ends, elbo[source], state.extra["before"])
        extra = {"members": members, "before": before}
        logs = {name: values[0] for name, values in logs.items()}
        logs |= {"beta": state.extra["members"].extra[0], "fitness": fitness[0], "rate": kl[0]}
        # The first is the elite of the last selection.
        params = jax.tree.map(lambda leaf: leaf[0], members.params)
        return state.replace(step=step, params=params, extra=extra), logs

    def judge(self, member, x, key):
        """ELBO_1 and KL of one member, means over the images, in nats."""
        posterior, z = self.infer(member, x, key)
        kl = posterior.kl().mean()
        return self.decode(member, z).log_prob(x).mean() - kl, kl

    def next_generation(self, key, betas, fitness):
        """The β [P] of the next segment, the elite's first, and whose parameters each inherits."""
        key_random, key_parents, key_cross, key_mutate = jax.random.split(key, 4)
        everyone = jnp.arange(self.population)
        if self.evolution == "drift":
            return self.mutated(key_mutate, betas), everyone
        best_first = jnp.argsort(-fitness)
        if self.evolution == "random":
            share = jax.random.uniform(key_random, betas.shape)
            children = self.beta_min * (self.beta_max / self.beta_min) ** share
        else:
            pairs = -(-self.population // 2)
            drawn = jax.random.randint(key_parents, (2, pairs, 2), 0, self.population)
            fitter = jnp.argmax(fitness[drawn], axis=-1)[..., None]
            parents = betas[jnp.take_along_axis(drawn, fitter, axis=-1)[..., 0]]
            children = self.crossed(key_cross, *parents).reshape(-1)[: self.population]
            children = self.mutated(key_mutate, children)
        betas = jnp.where(everyone == 0, betas[best_first[0]], children)
        if self.inherited == "joint":
            return betas, jnp.full(betas.shape, best_first[0])
        return betas, best_first

    def crossed(self, key, first, second):
        """Two children [2, n] of these parents [n], whose mean is the parents'."""
        key_whether, key_spread = jax.random.split(key)
        u = jax.random.uniform(key_spread, first.shape)
        spread = jnp.where(u <= 0.5, 2 * u, 1 / (2 - 2 * u)) ** (1 / (self.eta + 1))
        whether = jax.random.bernoulli(key_whether, self.crossover, first.shape)
        middle, half = (first + second) / 2, spread * (first - second) / 2
        children = jnp.stack([middle + half, middle - half])
        return jnp.where(whether, children, jnp.stack([first, second]))

    def mutated(self, key, betas):
        """Some of these with Cauchy noise, and all within the bounds."""
        key_whether, key_noise = jax.random.split(key)
        whether = jax.random.bernoulli(key_whether, self.mutation, betas.shape)
        noise = self.scale * jax.random.cauchy(key_noise, betas.shape)
        return self.reflected(jnp.where(whether, betas + noise, betas))

    def reflected(self, betas):
        """β folded at the bounds, as often as it takes."""
        low, high, width = self.beta_min, self.beta_max, self.beta_max - self.beta_min
        folded = low + width - jnp.abs((betas - low) % (2 * width) - width)
        # Without width all are on the bound; with it, rounding may leave the bounds by one bit.
        folded = jnp.clip(jnp.where(width > 0, folded, low), low, high)
        return jnp.where((betas >= low) & (betas <= high), betas, folded)

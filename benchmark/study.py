"""Studies: a grid of runs under a name, as data, and what it means: which runs, exactly.

Everything here is checked when the study is expanded, before anything is trained or written.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

from soberlook.registry import BadInput, Registry, check_settings, setting

STUDIES = Registry("study")

Named = str | tuple[str, dict]  # a name, or a name and the settings that differ


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How long and how a run trains. Part of its id."""

    updates: int = setting(2_000, low=1)
    batch_size: int = setting(64, low=1)
    evaluate_at: tuple[float, ...] = setting((1.0,))  # shares of the updates

    def __post_init__(self):
        check_settings(self)
        shares = self.evaluate_at
        if (
            not shares
            or sorted(set(shares)) != list(shares)
            or not 0 < shares[0] <= shares[-1] == 1
        ):
            raise BadInput(f"Budget: evaluate_at must be rising shares up to 1, found {shares}")

    @property
    def evaluation_steps(self) -> tuple[int, ...]:
        """The updates after which a run is evaluated; the last one ends the run."""
        return tuple(sorted({max(1, round(share * self.updates)) for share in self.evaluate_at}))


@dataclass(frozen=True, eq=False)
class Run:
    """model × dataset × seed × budget: what a run's id is made from, and nothing else."""

    dataset: "Dataset"
    model: "Model"
    seed: int
    budget: Budget

    @cached_property
    def id(self) -> str:
        """16 hexadecimal characters; other settings, seeds, budgets or versions give another id."""
        return digest([self.setting, self.seed])

    @cached_property
    def setting(self) -> str:
        """The id of everything but the seed: what runs that differ in luck alone have in common."""
        return digest(
            {
                "dataset": [
                    self.dataset.name,
                    self.dataset.version,
                    self.dataset.settings(),
                    *filter(None, [self.dataset.content]),
                ],
                "model": [self.model.name, self.model.version, self.model.settings()],
                "budget": dataclasses.asdict(self.budget),
            }
        )


@dataclass(frozen=True, kw_only=True)
class Study:
    """A grid: every dataset × model × strength × seed, with one budget.

    `models` and `datasets` are names, or pairs of a name and the settings that differ from the
    class's own. A list of values for a model's strength replaces its sweep. `fields` are settings
    for every model, `budgets` those of the models that train for another time than the rest.
    """

    name: str
    about: str  # what it reproduces, what it costs, what to expect; the first line is its title
    datasets: tuple[Named, ...]
    models: tuple[Named, ...]
    seeds: tuple[int, ...]
    budget: Budget
    metrics: tuple[str, ...]
    draws: int = 1  # evaluations of each run, on cells (and noise) of their own
    fields: dict = dataclasses.field(default_factory=dict)
    budgets: dict[str, Budget] = dataclasses.field(default_factory=dict)

    @property
    def size(self) -> int:
        """The number of runs, without asking whether its datasets are here."""
        from soberlook import models

        settings = [self._instances(models, *_pair(named)) for named in self.models]
        return len(self.datasets) * sum(map(len, settings)) * len(self.seeds)

    def narrowed(
        self,
        *,
        models=None,
        datasets=None,
        seeds=None,
        metrics=None,
        draws=None,
        updates=None,
        evaluate_at=None,
        fields=None,
    ):
        """This study with other models, datasets, seeds, metrics, draws, budget or fields.

        Names the study has keep its settings for them; other registered names come with their own.
        `fields` win over everything the study says.
        """
        changes = {}
        if models is not None:
            changes["models"] = _pick(self.models, models)
        if datasets is not None:
            changes["datasets"] = _pick(self.datasets, datasets)
        if fields:
            pairs = map(_pair, changes.get("models", self.models))
            changes["models"] = tuple((name, own | fields) for name, own in pairs)
        if seeds is not None:
            changes["seeds"] = tuple(seeds)
        if metrics is not None:
            changes["metrics"] = tuple(metrics)
        if draws is not None:
            changes["draws"] = draws
        if evaluate_at is not None:
            shares = {"evaluate_at": tuple(evaluate_at)}
            changes["budget"] = dataclasses.replace(self.budget, **shares)
            changes["budgets"] = {
                name: dataclasses.replace(budget, **shares) for name, budget in self.budgets.items()
            }
        if updates is not None:
            changes["budget"] = dataclasses.replace(
                changes.get("budget", self.budget), updates=updates
            )
            changes["budgets"] = {}
        return dataclasses.replace(self, **changes)

    def expand(self) -> list[Run]:
        """Every run once: datasets outermost, then models, strengths and seeds."""
        from soberlook import datasets, metrics, models

        for kind in ("models", "datasets", "seeds", "metrics"):
            if not getattr(self, kind):
                raise BadInput(f"study {self.name!r}: {kind} must be at least one, found none")
        for seed in self.seeds:
            if not 0 <= seed < 2**32:
                raise BadInput(f"seeds must be from 0 to 2³² − 1, found {seed}")
        for metric in self.metrics:
            metrics.METRICS.find(metric)
        runs = {}
        for dataset in (datasets.make(name, **own) for name, own in map(_pair, self.datasets)):
            if reason := dataset.missing():
                raise BadInput(reason)
            asking = [name for name in self.metrics if metrics.METRICS[name].needs_factors]
            if asking and not dataset.has_factors:
                raise BadInput(
                    f"dataset {dataset.name!r} has no factors, which {', '.join(asking)} ask for: "
                    "choose other metrics"
                )
            for name, own in map(_pair, self.models):
                budget = self.budgets.get(name, self.budget)
                for model in self._instances(models, name, own):
                    _check_views(model, dataset)
                    _check_values(model, dataset)
                    model.check(dataset)
                    model = model.resolved(dataset.image_shape)
                    for seed in self.seeds:
                        run = Run(dataset, model, seed, budget)
                        runs.setdefault(run.id, run)
        return list(runs.values())

    def _instances(self, models, name, own):
        """The instances of one model: one per strength, or one where the class has none."""
        strength, fields = models.strength_name(models.MODELS.find(name)), self.fields | own
        if strength is None:
            return [models.make(name, **fields)]
        strengths = fields.get(strength, models.sweep(models.MODELS[name]))
        if not isinstance(strengths, (list, tuple)):
            strengths = (strengths,)
        if not strengths:
            raise BadInput(f"study {self.name!r}: the sweep of {name}.{strength} must not be empty")
        return [models.make(name, **fields | {strength: value}) for value in strengths]


def register(study: Study) -> Study:
    """Enter a study under its name."""
    return STUDIES.add(study.name, study)


def digest(value) -> str:
    """16 hexadecimal characters that any other JSON value would change."""
    text = json.dumps(value, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _pair(named: Named) -> tuple[str, dict]:
    return (named, {}) if isinstance(named, str) else named


def _pick(known, names):
    known = list(map(_pair, known))
    return tuple(
        pair
        for name in names
        for pair in [pair for pair in known if pair[0] == name] or [(name, {})]
    )


def _check_values(model, dataset):
    if not dataset.bounded and getattr(model, "likelihood", "") == "bernoulli":
        raise BadInput(
            f"model {model.name!r} on {dataset.name!r}: likelihood must be gaussian, found "
            "bernoulli, and values are not in [0, 1]"
        )


def _check_views(model, dataset):
    from soberlook.datasets import make_view

    names = []
    for need in model.needs:
        try:
            view = make_view(need)
            names.append(view.name)
            if names.count(view.name) > 1:
                raise BadInput(f"view {view.name!r} is needed twice")
            if view.needs_factors and not dataset.has_factors:
                raise BadInput(f"view {view.name!r} is of factors, and it has none")
            view.check(dataset)
        except BadInput as error:
            raise BadInput(f"model {model.name!r} on {dataset.name!r}: {error}") from None

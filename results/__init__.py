"""What is learnt: the Parquet store, the DataFrame, the questions, the report. Never trains.

A question is a function from a frame with a row per run (`load` gives it) to a frame with the
answers: key columns, then `value` with the interval `low` to `high`, and `why` where there is no
number or no interval. A file per question; each says what it asks, how, and after whom.
"""

from .aggregate import aggregate
from .best_of_sweep import best_of_sweep, chosen_strengths
from .carry_over import carry_over
from .checkpoint import checkpoint
from .compare import compare
from .compare_methods import compare_methods
from .distributions import by_method, by_setting, overlap
from .downstream import by_thirds, with_efficiencies
from .frame import bounds, load, pictures, rows
from .frontier import frontiers, hypervolumes
from .grid import floored
from .how_many_seeds import how_many_seeds
from .impossibility import impossibility
from .league import league
from .multiplicity import false_discovery_rate, holm
from .power import power_of, seeds_needed, smallest_difference
from .profiles import profiles
from .query import query
from .rank_correlations import rank_correlations
from .selection import selection
from .strength import seed_spread, trends
from .survivors import failure_rates, survivors
from .total_correlation import higher_for_means
from .transfer import transfer
from .variance import variance_components, variance_explained

__all__ = [
    "aggregate",
    "best_of_sweep",
    "bounds",
    "by_method",
    "by_setting",
    "by_thirds",
    "carry_over",
    "checkpoint",
    "chosen_strengths",
    "compare",
    "compare_methods",
    "failure_rates",
    "false_discovery_rate",
    "floored",
    "frontiers",
    "higher_for_means",
    "holm",
    "how_many_seeds",
    "hypervolumes",
    "impossibility",
    "league",
    "load",
    "overlap",
    "pictures",
    "power_of",
    "profiles",
    "query",
    "rank_correlations",
    "rows",
    "seed_spread",
    "seeds_needed",
    "selection",
    "smallest_difference",
    "survivors",
    "transfer",
    "trends",
    "variance_components",
    "variance_explained",
    "with_efficiencies",
]

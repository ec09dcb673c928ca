"""What runs make of images: reconstructions and latent traversals."""

import pandas as pd

from ..showcase import showcase
from ..summary import SCORES, leading
from .section import Image, Section, Study

ABOUT = (
    "Under each image of the data (upper row) is its reconstruction (lower row). Below, each row "
    "moves one latent from −2 to 2 and keeps the others; the latent with the highest KL is on top, "
    "and rows in which nothing moves are latents that the model does not use."
)
SHOWN = {"reconstruction": "Reconstructions", "traversal": "Traversals"}  # the store's names


def section(study: Study, pictures: pd.DataFrame) -> Section:
    """The pictures [run_id, name, png] of the runs that `showcase` chooses."""
    question = Section("images", "What do the latents do?", [], about=ABOUT)
    if not study.scores:
        return question._replace(why="no run has a score to choose what to show by")
    score = leading(study.scores)
    chosen = showcase(study.survivors, score)
    known = {(row.run_id, row.name): row.png for row in pictures.itertuples(index=False)}
    images, findings = [], []
    for run in chosen.itertuples(index=False):
        value = f"{SCORES.get(score, score)} {getattr(run, score):.2f}"
        caption = f"{run.which}: {run.model}, {run.label}, seed {run.seed}, {value}"
        pngs = {
            f"{what} on {run.dataset}, {caption}": known[run.run_id, name]
            for name, what in SHOWN.items()
            if (run.run_id, name) in known
        }
        if pngs:
            images.append(Image(pngs, f"{run.dataset}, {caption}", run.dataset))
    for dataset, some in chosen.groupby("dataset"):
        ends = some.set_index("which")[score]
        if {"best", "worst"} <= {*ends.index}:
            said = f"On {dataset} runs score from {ends['worst']:.2f} to **{ends['best']:.2f}**"
            findings.append(f"{said}; these are the two, the median, and every method's best.")
    if not images:
        return question._replace(why="there are no pictures of these runs")
    return question._replace(findings=findings, images=images)

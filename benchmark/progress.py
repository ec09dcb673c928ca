"""Signs of life of a long run: a live bar on a terminal, a plain line now and then elsewhere."""

import time

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from .plan import Plan

SILENCE = 10.0  # seconds between two plain lines


class Progress:
    """Cohorts and updates done, images per second, and the time left. A context manager."""

    def __init__(self, plan: Plan, console: Console):
        self.plan, self.console = plan, console
        self.images_before = self.runs_done = 0  # of finished cohorts
        self.number = 0
        self.started = self.spoke = time.monotonic()
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[now]}"))
        self.bar = Bar(*columns, console=console, transient=True)

    def __enter__(self):
        if self.console.is_terminal:
            self.bar.start()
        self.task = self.bar.add_task("starting", total=self.plan.images, now="")
        return self

    def __exit__(self, *_):
        if self.console.is_terminal:
            self.bar.stop()

    def begin(self, cohort):
        """The next cohort starts."""
        self.cohort, self.number = cohort, self.number + 1
        self.cohort_started = time.monotonic()
        self.update(0)

    def update(self, step: int):
        """All members of the cohort have done `step` updates."""
        cohort, now = self.cohort, time.monotonic()
        images = len(cohort.runs) * step * cohort.budget.batch_size
        done = self.images_before + images
        text = f"update {step:,} of {cohort.budget.updates:,}"
        if images:
            rate = images / max(now - self.cohort_started, 1e-9)
            left = (now - self.started) * (self.plan.images - done) / done
            text += f" · {rate:,.0f} images/s · {clock(left)} left"
        self.bar.update(self.task, description=self.title, completed=done, now=text)
        if step == 0 or now - self.spoke > SILENCE:
            self._speak(text)

    def end(self, cohort):
        """The cohort's results are kept."""
        self.runs_done += len(cohort.runs)
        self.images_before += len(cohort.runs) * cohort.budget.updates * cohort.budget.batch_size
        self._speak(f"kept after {clock(time.monotonic() - self.cohort_started)}")

    @property
    def title(self):
        number = f"cohort {self.number} of {len(self.plan.cohorts)}"
        return f"{number}: {self.cohort.title}, {len(self.cohort.runs)} runs"

    def _speak(self, text):
        """A line, where there is no terminal to draw a bar on."""
        self.spoke = time.monotonic()
        if not self.console.is_terminal:
            self.console.print(f"{self.title} · {text}", soft_wrap=True)


def clock(seconds: float) -> str:
    """90 → "1:30", 7200 → "2:00:00"."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"

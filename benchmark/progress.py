"""Signs of life of a long run: a live bar on a terminal, a plain line now and then elsewhere."""

import time

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from .plan import Plan

SILENCE = 10.0  # seconds between two plain lines
COLUMNS = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[now]}"))


class Progress:
    """Cohorts and updates done, images per second, and the time left. A context manager."""

    def __init__(self, plan: Plan, console: Console):
        self.plan, self.console = plan, console
        self.images_before = self.runs_done = 0  # of finished cohorts
        self.started = self.spoke = time.monotonic()
        self.bar = Bar(*COLUMNS, console=console, transient=True)

    def __enter__(self):
        if self.console.is_terminal:
            self.bar.start()
        self.task = self.bar.add_task("starting", total=self.plan.images, now="")
        return self

    def __exit__(self, *_):
        if self.console.is_terminal:
            self.bar.stop()

    def begin(self, cohort):
        """Work on a cohort starts here."""
        self.cohort_started = time.monotonic()
        self.update(cohort, 0)

    def update(self, cohort, updates: int, scored: int = 0):
        """The runs of a cohort have done so many updates together, and so many are scored since."""
        now = time.monotonic()
        images = updates * cohort.budget.batch_size
        text = f"update {updates // len(cohort.runs):,} of {cohort.budget.updates:,}"
        if scored:
            text += f" · scored {scored} of {len(cohort.runs)}"
        elif images:
            text += f" · {images / max(now - self.cohort_started, 1e-9):,.0f} images/s"
        text += self._show(cohort, self.images_before + images, text)
        if updates == 0 or now - self.spoke > SILENCE:
            self._speak(cohort, text)

    def end(self, cohort, compiling: float):
        """A cohort is kept, wherever it was trained; so many seconds of it went on compiling."""
        self.runs_done += len(cohort.runs)
        self.images_before += len(cohort.runs) * cohort.budget.updates * cohort.budget.batch_size
        text = f"kept after {clock(time.monotonic() - self.started)}"
        if compiling:
            text += f", {compiling:.1f} s of it compiling"
        self._speak(cohort, text + self._show(cohort, self.images_before, text))

    def _show(self, cohort, images, text) -> str:
        """Move the bar; give the time left as text."""
        left = ""
        if 0 < images < self.plan.images:
            seconds = (time.monotonic() - self.started) * (self.plan.images - images) / images
            left = f" · {clock(seconds)} left"
        title = self._title(cohort)
        self.bar.update(self.task, description=title, completed=images, now=text + left)
        return left

    def _title(self, cohort):
        number = self.plan.cohorts.index(cohort) + 1
        return (
            f"cohort {number} of {len(self.plan.cohorts)}: {cohort.title}, {len(cohort.runs)} runs"
        )

    def _speak(self, cohort, text):
        """A line, where there is no terminal to draw a bar on."""
        self.spoke = time.monotonic()
        if not self.console.is_terminal:
            self.console.print(f"{self._title(cohort)} · {text}", soft_wrap=True)


class Counting:
    """Something counted up to a total, with signs of life. A context manager."""

    def __init__(self, console: Console, title: str, total: int, say=lambda count: f"{count:,}"):
        self.console, self.title, self.total, self.say = console, title, total, say
        self.started = self.spoke = time.monotonic()
        self.bar = Bar(*COLUMNS, console=console, transient=True)

    def __enter__(self):
        if self.console.is_terminal:
            self.bar.start()
        self.task = self.bar.add_task(self.title, total=self.total, now="")
        return self

    def __exit__(self, *_):
        if self.console.is_terminal:
            self.bar.stop()

    def update(self, count: int):
        """So much of it is there."""
        now = time.monotonic()
        text = f"{self.say(count)} of {self.say(self.total)}"
        if 0 < count < self.total:
            text += f" · {clock((now - self.started) * (self.total - count) / count)} left"
        self.bar.update(self.task, completed=count, now=text)
        if not self.console.is_terminal and now - self.spoke > SILENCE:
            self.spoke = now
            self.console.print(f"{self.title}: {text}", soft_wrap=True)


def clock(seconds: float) -> str:
    """90 → "1:30", 7200 → "2:00:00"."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"

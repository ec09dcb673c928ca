"""adult: people of the 1994 census of the United States, and whether they earn more than $50,000.

UCI's Adult (Becker & Kohavi, 1996), 32,561 rows to train on and 16,281 to test with, for methods
that ask what their sex does to people's income. The columns are the eleven of DCEVAE (Kim et al.,
AAAI 2021), grouped as in its code: what sex has an effect on, and what it has none on. Left out as
there: the sampling weight `fnlwgt`, `education-num`, which numbers the educations, and the two
columns of capital gains and losses.
"""

import gzip
import zlib
from pathlib import Path

import jax
import numpy as np

from soberlook.registry import BadInput, setting

from . import cache
from .columns import columns, width
from .dataset import register
from .source import File, Source
from .stored import StoredDataset

UCI = "https://archive.ics.uci.edu/ml/machine-learning-databases/adult/"
ROWS = {"adult.data": 32_561, "adult.test": 16_281}
FIELDS = 15  # of a line
LINE = 1000  # characters that no line has

# The fields that are used: the place in a line, and the numbers' bounds or the categories. A "?",
# which some workclasses, occupations and countries have, is a category of its own: no row is
# dropped. Ages above 90 are 90 in the files, hours above 99 are 99.
USED = {
    "age": (0, (17, 90)),
    "workclass": (
        1,
        "Private Self-emp-not-inc Self-emp-inc Federal-gov Local-gov State-gov Without-pay "
        "Never-worked ?",
    ),
    "education": (
        3,
        "Preschool 1st-4th 5th-6th 7th-8th 9th 10th 11th 12th HS-grad Some-college Assoc-voc "
        "Assoc-acdm Bachelors Masters Prof-school Doctorate",
    ),
    "marital_status": (
        5,
        "Married-civ-spouse Divorced Never-married Separated Widowed Married-spouse-absent "
        "Married-AF-spouse",
    ),
    "occupation": (
        6,
        "Tech-support Craft-repair Other-service Sales Exec-managerial Prof-specialty "
        "Handlers-cleaners Machine-op-inspct Adm-clerical Farming-fishing Transport-moving "
        "Priv-house-serv Protective-serv Armed-Forces ?",
    ),
    "relationship": (7, "Wife Own-child Husband Not-in-family Other-relative Unmarried"),
    "race": (8, "White Asian-Pac-Islander Amer-Indian-Eskimo Other Black"),
    "sex": (9, "Female Male"),
    "hours_per_week": (12, (1, 99)),
    "native_country": (
        13,
        "United-States Cambodia England Puerto-Rico Canada Germany Outlying-US(Guam-USVI-etc) "
        "India Japan Greece South China Cuba Iran Honduras Philippines Italy Poland Jamaica "
        "Vietnam Mexico Portugal Ireland France Dominican-Republic Laos Ecuador Taiwan Haiti "
        "Columbia Hungary Guatemala Nicaragua Scotland Thailand Yugoslavia El-Salvador "
        "Trinadad&Tobago Peru Hong Holand-Netherlands ?",
    ),
    "income": (14, "<=50K >50K"),
}
CATEGORIES = {
    name: tuple(values.split()) for name, (_, values) in USED.items() if isinstance(values, str)
}


def _kind(name):
    """As `columns` takes it: a column of two categories is binary, 1 the second."""
    classes = len(CATEGORIES.get(name, ()))
    return {0: "real", 2: "binary"}.get(classes, classes)


@register("adult")
class Adult(StoredDataset):
    """UCI Adult: age, work, family and income of 48,842 people, one-hot; sex is the sensitive one.

    `rows` are those of the file to train on, of that to test with, or both, the former first. Age
    is (age − 17) / 73 and hours are (hours − 1) / 98, to the nearest 1/255.
    """

    rows: str = setting("train", choices=("train", "test", "all"))

    columns = columns(**{name: _kind(name) for name in USED})
    sensitive, label = "sex", "income"
    descendants = (
        "workclass",
        "education",
        "marital_status",
        "occupation",
        "relationship",
        "hours_per_week",
    )
    non_descendants = ("age", "race", "native_country")
    strata = ("race", "native_country")  # in which DCEVAE reports effects, as it binarises them
    factor_names = ("row",)
    has_factors = False
    image_shape = (width(columns),)

    # SHA-256 of the files with the MD5 that is generally given for them.
    source = Source(
        licence="CC BY 4.0",
        homepage="https://archive.ics.uci.edu/dataset/2/adult",
        files=(
            File(
                "adult.data",
                UCI + "adult.data",
                3_974_305,
                "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
                "5d7c39d7b8804f071cdd1f2a7c460872",
            ),
            File(
                "adult.test",
                UCI + "adult.test",
                2_003_153,
                "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05",
                "35238206dfdf7f1fe215bbb874adecdc",
            ),
        ),
    )

    @property
    def factor_sizes(self):
        return (len(range(*self._span())),)

    @classmethod
    def stored(cls):
        return Adult(rows="all")

    def read(self, files):
        start = 0
        for name, count in ROWS.items():
            rows = np.stack([_encode(fields) for fields in _lines(files[name], count)])
            yield np.arange(start, start + count)[:, None], rows
            start += count

    def load(self):
        return jax.device_put(cache.images_of(self.stored())[slice(*self._span())])

    def _span(self):
        """The first of these rows, and the first behind them."""
        train, test = ROWS.values()
        return {"train": (0, train), "test": (train, train + test), "all": (0, train + test)}[
            self.rows
        ]


def _lines(path: Path, count: int):
    """The used fields, checked, of the `count` rows of a published file, plain or gzipped.

    Numbers are whole, categories their places. Skipped are a first line that is a header (of
    adult.test a remark) and empty lines; labels may end in a full stop, as those of adult.test do.
    """
    with open(path, "rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    found = 0
    try:
        with (gzip.open if zipped else open)(path, "rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(LINE), b""), 1):
                text = line.decode("ascii", "replace").strip()
                if not text or (number == 1 and text.startswith(("|", "age,"))):
                    continue
                found += 1
                if found > count:
                    break
                yield _fields(text, f"{path}, line {number}")
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"{path} cannot be read: {error}") from None
    if found != count:
        more = "more" if found > count else f"{found:,}"
        raise BadInput(f"{path} must have {count:,} rows, found {more}")


def _fields(text, where):
    """One line → the used fields' numbers or places among the categories."""
    fields = [field.strip() for field in text.split(",")]
    if len(fields) != FIELDS:
        raise BadInput(f"{where}: expected {FIELDS} fields, found {len(fields)}: {text[:40]!r}")
    values = []
    for name, (place, allowed) in USED.items():
        field = fields[place]
        if name in CATEGORIES:
            field = field.removesuffix(".")
            if field not in CATEGORIES[name]:
                raise BadInput(f"{where}: {name} must be a known category, found {field!r}")
            values.append(CATEGORIES[name].index(field))
        else:
            low, high = allowed
            if not (field.isascii() and field.isdigit() and low <= int(field) <= high):
                raise BadInput(f"{where}: {name} must be from {low} to {high}, found {field!r}")
            values.append((int(field) - low) / (high - low))
    return values


def _encode(values) -> np.ndarray:
    """One row's values → uint8 [width]: 255 times the vector that models see."""
    row = np.zeros(width(Adult.columns))
    for column, value in zip(Adult.columns, values, strict=True):
        if column.kind == "categorical":
            row[column.slice.start + value] = 1
        else:
            row[column.slice] = value
    return np.round(255 * row).astype(np.uint8)

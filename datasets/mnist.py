"""MNIST and Fashion-MNIST: what is in an image is its factor, which example it is a nuisance.

Of the 60,000 training images as many of each label are taken as the rarest label has, in the order
of the file: then every cell of label × instance is there, and all are equally likely, as on every
grid. Of MNIST's these are 54,210, of Fashion-MNIST's all.

TensorFlow Datasets' builder needs TensorFlow to write the images it has read; the files are its
catalogue's, whose URLs, sizes and hashes stand here. They are often packed anew by those who pass
them on, so that the hash of what is unpacked counts as well.
"""

import numpy as np

from soberlook.registry import BadInput

from .dataset import register
from .idx import idx_array
from .layout import expect_as_many, expect_rows
from .source import File, Source
from .stored import StoredDataset

IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
BLOCK = 4096


class Labelled(StoredDataset):
    """What the two have in common."""

    factor_names = ("label",)
    factor_sizes = (10,)
    nuisance_names = ("instance",)
    image_shape = (28, 28, 1)

    def read(self, files):
        labels = idx_array(files[LABELS], 1)
        images = idx_array(files[IMAGES], 3)[..., None]
        found = images.shape, images.dtype
        expect_rows(files[IMAGES], "the array", found, np.uint8, self.image_shape)
        expect_as_many(files[IMAGES], images=len(images), labels=len(labels))
        ((names,), (size,)) = self.factor_sizes, self.nuisance_sizes
        if labels.max(initial=0) >= names:
            raise BadInput(
                f"{files[LABELS]}: expected labels from 0 to {names - 1}, found {labels.max()}"
            )
        counts = np.bincount(labels, minlength=names)
        if counts.min() != size:
            raise BadInput(
                f"{files[LABELS]}: expected {size:,} images of the rarest label, "
                f"found {counts.min():,}"
            )
        # Stable: a label's images stay in the order of the file.
        order = np.argsort(labels, kind="stable")
        instance = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
        order, instance = order[instance < size], instance[instance < size]
        values = np.stack([labels[order], instance], axis=1)
        for start in range(0, len(order), BLOCK):
            some = slice(start, start + BLOCK)
            yield values[some], images[order[some]]


@register("mnist")
class MNIST(Labelled):
    """MNIST (LeCun, Cortes & Burges, 1998): digits written by hand, 28×28, grey."""

    nuisance_sizes = (5421,)
    source = Source(
        "CC BY-SA 3.0 (as Keras states it)",
        "http://yann.lecun.com/exdb/mnist/",
        (
            File(
                IMAGES,
                f"https://storage.googleapis.com/cvdf-datasets/mnist/{IMAGES}",
                9_912_422,
                sha256="440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                unpacked_md5="6bbc9ace898e44ae57da46a324031adb",
            ),
            File(
                LABELS,
                f"https://storage.googleapis.com/cvdf-datasets/mnist/{LABELS}",
                28_881,
                sha256="3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                unpacked_md5="a25bea736e30d166cdddb491f175f624",
            ),
        ),
    )


@register("fashion_mnist")
class FashionMNIST(Labelled):
    """Fashion-MNIST (Xiao et al., 2017): pictures of clothes in MNIST's form, 28×28, grey."""

    nuisance_sizes = (6000,)
    source = Source(
        "MIT",
        "https://github.com/zalandoresearch/fashion-mnist",
        (
            File(
                IMAGES,
                f"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/{IMAGES}",
                26_421_880,
                sha256="3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                unpacked_md5="f4a8712d7a061bf5bd6d2ca38dc4d50a",
            ),
            File(
                LABELS,
                f"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/{LABELS}",
                29_515,
                sha256="a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                unpacked_md5="9018921c3c673c538a1fc5bad174d6f9",
            ),
        ),
    )

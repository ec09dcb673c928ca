"""How the members of a cohort are mapped: side by side, in order, and over the devices there are.

Decided here and only here.
"""

from collections.abc import Callable
from typing import Literal

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

Mapping = Literal["vmap", "map"]
MEMBERS, ALL = PartitionSpec("members"), PartitionSpec()
# On a CPU so many members are side by side, and groups of them in order: their parameters and
# moments stay in its caches. Of 60 members in groups of 4 each trains half as fast again as of 60
# side by side.
GROUPS = (4, 3, 2)


def choose(states) -> Mapping:
    """What is fastest for these stacked states (shapes suffice) where they will run.

    On an accelerator members run side by side, "vmap". On a CPU small dense networks do too, but
    a convolution runs faster one member after another, "map", because products batched over
    members lose more than they gain there.
    """
    # A dense kernel has two axes and the members' own; a convolution's has more.
    has_convolutions = any(leaf.ndim > 3 for leaf in jax.tree.leaves(states.params))
    return "map" if jax.default_backend() == "cpu" and has_convolutions else "vmap"


def padded_width(mapping: Mapping, members: int) -> int:
    """How many members the program is made for: equally many on each device of this process.

    Side by side there are two at least on each. A batched product of one is compiled as a plain
    one, whose rounding is another; from two on a member's numbers do not depend on the width, as
    was measured on a CPU for dense networks, and for convolutions in order. Convolutions side by
    side, which there are on accelerators only, differed there between groups of three and of four
    (5e-5 after ten updates).
    """
    devices = jax.local_device_count()
    each = -(-members // devices)
    if mapping == "vmap":
        each = _group(max(each, 2))[1]
    return devices * each


def map_members(function: Callable, mapping: Mapping) -> Callable:
    """`function` of one member's arguments as a function of all members', stacked.

    The result takes two tuples: the arguments that members have of their own, and those that they
    share. Each device has an equal part of the members.
    """

    def mapped(own, shared):
        def one(*arguments):
            return function(*arguments, *shared)

        width = len(jax.tree.leaves(own)[0])
        size = _group(width)[0] if mapping == "vmap" else None
        if size == width:
            return jax.vmap(one)(*own)
        return jax.lax.map(lambda arguments: one(*arguments), own, batch_size=size)

    if jax.local_device_count() == 1:
        return mapped
    return jax.shard_map(
        mapped, mesh=_mesh(), in_specs=(MEMBERS, ALL), out_specs=MEMBERS, check_vma=False
    )


def _group(members):
    """The size of a group, and the fewest members in whole groups that these fit into."""
    if jax.default_backend() != "cpu" or members <= GROUPS[0]:
        return members, members
    padded = {size: -(-members // size) * size for size in GROUPS}
    size = min(GROUPS, key=padded.get)
    return size, padded[size]


def everywhere(data):
    """`data`, on every device of this process."""
    if jax.local_device_count() == 1:
        return data
    return jax.device_put(data, NamedSharding(_mesh(), ALL))


def distributed(stacked):
    """What is stacked over members, an equal part of them on each device of this process."""
    if jax.local_device_count() == 1:
        return jax.device_put(stacked)
    return jax.device_put(stacked, NamedSharding(_mesh(), MEMBERS))


def on_first_device(tree):
    """What the first device has of `tree`: all of what is everywhere."""
    if jax.local_device_count() == 1:
        return tree
    return jax.tree.map(lambda leaf: leaf.addressable_shards[0].data, tree)


def share_of(member: int, stacked):
    """(member, stacked): one device's share of what is stacked, and a member's place in it.

    It is on the first device, whichever had it: a program for one member is then a program for one
    device, whose numbers do not depend on how many there are.
    """
    devices = jax.local_devices()
    if len(devices) == 1:
        return member, stacked

    def take(leaf):
        if isinstance(leaf, np.ndarray):
            return np.split(leaf, len(devices))[device]
        shards = sorted(leaf.addressable_shards, key=lambda shard: shard.index[0].start or 0)
        return jax.device_put(shards[device].data, devices[0])

    width = len(jax.tree.leaves(stacked)[0])
    device, place = divmod(member, width // len(devices))
    return place, jax.tree.map(take, stacked)


def _mesh():
    return jax.sharding.Mesh(np.asarray(jax.local_devices()), ("members",))

"""A small ray caster: where a ray meets four solids and the planes of a room, and how bright it is.

A surface is a function of one ray, its origin [3] and direction [3] (of any length). It gives the
distance t ≥ 0, in units of the direction, to where they meet first, at origin + t · direction, and
the unit normal [3] there; t is ∞ where they never meet, and then the normal means nothing. Rays
start outside of solids. z points up; solids stand on the floor, z = 0, in the middle.
"""

import jax
import jax.numpy as jnp


def plane(origin, direction, normal, offset):
    """The plane n · p = offset, seen from the side that n, a unit vector, points to."""
    facing = dot(direction, normal)
    t = (offset - dot(origin, normal)) / jnp.where(facing < 0, facing, 1)
    return jnp.where((facing < 0) & (t >= 0), t, jnp.inf), normal


def ball(origin, direction, radius, height):
    """Around (0, 0, height)."""
    centre = height * up()
    to = origin - centre
    t = enter(quadric(dot(direction, direction), dot(to, direction), dot(to, to) - radius**2))
    return t, (point(origin, direction, t) - centre) / radius


def cylinder(origin, direction, radius, low, high):
    """Upright and closed, from z = low to z = high."""
    o, d = origin[:2], direction[:2]
    side = quadric(dot(d, d), dot(o, d), dot(o, o) - radius**2)
    ends = slab(origin[2], direction[2], low, high)
    t = enter(side, ends)
    around = point(origin, direction, t) * (1 - up()) / radius
    return t, jnp.where(side[0] > ends[0], around, -jnp.sign(direction[2]) * up())


def cube(origin, direction, side):
    """Its faces across the axes."""
    low = jnp.array([-side / 2, -side / 2, 0])
    first, last = slab(origin, direction, low, low + side)
    t = enter((first.max(), last.min()))
    return t, -jnp.sign(direction) * jax.nn.one_hot(first.argmax(), 3)


def capsule(origin, direction, radius, height):
    """Upright: a cylinder with half a ball at either end, `height` with these."""
    low, high = radius, height - radius
    return nearest(
        cylinder(origin, direction, radius, low, high),
        ball(origin, direction, radius, low),
        ball(origin, direction, radius, high),
    )


def nearest(*hits):
    """Of several (t, normal) the first one: that of the surfaces' union."""
    t, normal = hits[0]
    for other, other_normal in hits[1:]:
        normal = jnp.where(other < t, other_normal, normal)
        t = jnp.minimum(t, other)
    return t, normal


def point(origin, direction, t):
    """Where the ray is at t; at its origin where it never meets anything."""
    return origin + jnp.where(jnp.isfinite(t), t, 0) * direction


def lambert(normal, light, ambient, shadow):
    """Brightness under a light far away in the direction of the unit vector `light`.

    ambient + (1 − ambient) · max(n · l, 0), the second term only where there is no shadow.
    """
    return ambient + (1 - ambient) * jnp.maximum(dot(normal, light), 0) * ~shadow


def camera(position, target, half_angle, across, down):
    """The direction [3] of the ray at a point of the image, −1 to 1 from left to right and down.

    `half_angle`, in radians, lies between the middle of the image and the middle of a side.
    """
    forward = unit(target - position)
    right = unit(jnp.cross(forward, up()))
    return forward + jnp.tan(half_angle) * (across * right - down * jnp.cross(right, forward))


def dot(a, b):
    """[n] and [n] → a number."""
    return (a * b).sum()


def unit(a):
    """[n] → the same direction with length 1."""
    return a / jnp.sqrt(dot(a, a))


def up():
    """The unit vector [3] that points up."""
    return jnp.array([0.0, 0.0, 1.0])


def quadric(a, b, c):
    """(first, last) t of those with a t² + 2 b t + c ≤ 0, a ≥ 0; (∞, −∞) where there are none."""
    a = jnp.maximum(a, 1e-12)
    root = jnp.sqrt(jnp.maximum(b**2 - a * c, 0))
    some = b**2 >= a * c
    return jnp.where(some, (-b - root) / a, jnp.inf), jnp.where(some, (-b + root) / a, -jnp.inf)


def slab(origin, direction, low, high):
    """(first, last) t with low ≤ origin + t · direction ≤ high, for each coordinate by itself."""
    direction = jnp.where(direction == 0, 1e-12, direction)
    ends = (low - origin) / direction, (high - origin) / direction
    return jnp.minimum(*ends), jnp.maximum(*ends)


def enter(*intervals):
    """The first t ≥ 0 in all of the intervals, which do not begin before 0 where all do."""
    first, last = intervals[0]
    for another in intervals[1:]:
        first, last = jnp.maximum(first, another[0]), jnp.minimum(last, another[1])
    return jnp.where((first <= last) & (first >= 0), first, jnp.inf)

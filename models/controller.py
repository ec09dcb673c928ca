"""The PI controller of ControlVAE (Shao et al., ICML 2020, section 3.2): a weight that follows what
it is the weight of, until that has reached its set-point C.

    e = C − measured;  P = K_p / (1 + exp(e));  I ← I − K_i e
    weight = clip(low + P + I, low, high)

All is constant for gradients. A set-point out of reach drives the weight to a bound, where it stays
for as long as the error pushes there, and `saturated` says so. Equal bounds fix the weight.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from soberlook.registry import BadInput


class Memory(NamedTuple):
    """What a controller carries from update to update, and its latest answer."""

    integral: jax.Array  # I
    raw: jax.Array  # low + P + I, before it is clipped


class Controller(NamedTuple):
    """Set-point, gains and bounds, each a number that may be traced."""

    target: float
    kp: float
    ki: float
    low: float
    high: float

    def check(self, owner: str):
        """Raise `BadInput` where the bounds are the wrong way round."""
        if self.low > self.high:
            raise BadInput(f"{owner}: bounds must be min ≤ max, found {self.low} and {self.high}")

    def start(self) -> Memory:
        return Memory(jnp.float32(0), jnp.float32(self.low))

    def step(self, memory: Memory, measured: jax.Array) -> Memory:
        """What it knows after this measurement; `weight` and `saturated` are of that."""
        e = jax.lax.stop_gradient(self.target - measured)
        # Against wind-up I stays where the last weight was beyond a bound and the error pushes
        # further. As published it stays there whatever the error: with Kp < Ki |e| of the step that
        # crossed the bound, P can never bring the weight back, and it is stuck for good.
        pushed = ((memory.raw > self.high) & (e < 0)) | ((memory.raw < self.low) & (e > 0))
        integral = jnp.where(pushed, memory.integral, memory.integral - self.ki * e)
        return Memory(integral, self.low + self.kp * jax.nn.sigmoid(-e) + integral)

    def weight(self, memory: Memory) -> jax.Array:
        return jnp.clip(memory.raw, self.low, self.high)

    def saturated(self, memory: Memory) -> jax.Array:
        """1.0 where the weight is at a bound."""
        return jnp.float32((memory.raw <= self.low) | (memory.raw >= self.high))

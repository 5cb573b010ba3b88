"""Random numbers inside kernels: the same on every machine and for any number of threads.

Source: xorshift64* (Vigna 2016, "An experimental exploration of Marsaglia's xorshift generators, scrambled").
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

_STEPS = 4096

PATIENCE = np.array([round(-math.log((step + 0.5) / _STEPS), 6) for step in range(_STEPS)])
"""What Metropolis' rule bears, in temperatures: -ln u for u in equal steps.

Rounded to six decimals, so that machines whose logarithms differ in the last bit agree.
"""


def new_state(*seeds: int) -> NDArray[np.uint64]:
    """Return a generator state of one word, never zero, from some seeds."""
    word = np.random.SeedSequence([seed % 2**32 for seed in seeds]).generate_state(1, np.uint64)
    return word | np.uint64(1)


@njit(cache=True, inline="always")
def next_word(state: NDArray[np.uint64]) -> int:
    """Return the next 64 random bits and advance the state."""
    word = state[0]
    word ^= word >> np.uint64(12)
    word ^= word << np.uint64(25)
    word ^= word >> np.uint64(27)
    state[0] = word
    return word * np.uint64(2685821657736338717)  # type: ignore[no-any-return]


@njit(cache=True, inline="always")
def draw(state: NDArray[np.uint64]) -> float:
    """Return the next number in [0, 1) and advance the state."""
    return np.float64(next_word(state) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit(cache=True, inline="always")
def pick(word: int, count: int) -> int:
    """Return one of 0 … count − 1 from the upper half of a random word."""
    return np.int64(((word >> np.uint64(32)) * np.uint64(count)) >> np.uint64(32))  # type: ignore[return-value]


@njit(cache=True, inline="always")
def patience(word: int) -> float:
    """Return -ln u, u from the lower half of a random word."""
    return PATIENCE[(word >> np.uint64(20)) & np.uint64(4095)]  # type: ignore[no-any-return]

"""Random numbers inside kernels: the same on every machine and for any number of threads.

Source: xorshift64* (Vigna 2016, "An experimental exploration of Marsaglia's xorshift generators, scrambled").
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray


def new_state(*seeds: int) -> NDArray[np.uint64]:
    """Return a generator state of one word, never zero, from some seeds."""
    word = np.random.SeedSequence([seed % 2**32 for seed in seeds]).generate_state(1, np.uint64)
    return word | np.uint64(1)


@njit(cache=True, inline="always")
def draw(state: NDArray[np.uint64]) -> float:
    """Return the next number in [0, 1) and advance the state."""
    word = state[0]
    word ^= word >> np.uint64(12)
    word ^= word << np.uint64(25)
    word ^= word >> np.uint64(27)
    state[0] = word
    return np.float64((word * np.uint64(2685821657736338717)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)

"""What was acknowledged is never lost, and nothing happens twice. `make chaos` does the same for longer."""

import pytest
from chaos_drill import KINDS, drill


@pytest.mark.timeout(400)
def test_kills_of_everything_lose_no_acknowledged_write_and_double_none(home):
    figures = drill(home, kills=6)
    assert set(figures.gaps_s) >= {"worker", "database", "server", "reload"} == set(KINDS[:6])
    assert (figures.lost, figures.doubled, figures.unexpected) == (0, 0, []), figures
    assert figures.acknowledged > 100, figures
    assert figures.longest_gap_s < 15, figures  # `make chaos` asks for 5 on a machine that has nothing else to do

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kept_things import fill, rows_in

from geodata import archiving, backup, cluster
from geodata.backup.bases import archive_in_use
from geodata.backup.drill import Probe
from geodata.backup.nights import Rotation, backups_in, superfluous
from geodata.backup.refusals import BackupError
from geodata.backup.restoring import restore
from geodata.backup.sealing import Seal
from geodata.database import migrate
from mapgrid.errors import NotFoundError

_NIGHT = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
_MOMENTS = st.lists(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - limits are naive
)


def test_seven_days_and_four_weeks_stay():
    nights = [_NIGHT - timedelta(days=days) for days in range(60)]
    stay = sorted(set(nights) - superfluous(nights, Rotation()), reverse=True)
    assert [moment.date() for moment in stay] == [
        *[date(2026, 11, day) for day in (26, 25, 24, 23, 22, 21, 20)],  # seven days; the 26th is a Thursday
        date(2026, 11, 15),  # Sundays: the newest of their weeks
        date(2026, 11, 8),
    ]


def test_two_backups_of_one_day_count_as_one():
    nights = [_NIGHT, _NIGHT + timedelta(hours=1)]
    assert superfluous(nights, Rotation()) == {_NIGHT}


@given(_MOMENTS)
def test_what_stays_is_never_more_than_promised_and_always_has_the_newest(moments):
    stay = set(moments) - superfluous(moments, Rotation())
    assert len(stay) <= 11
    assert not moments or max(moments) in stay
    assert superfluous(stay, Rotation()) == set()


@pytest.fixture
def store(home):
    """Return the URL of an embedded store with a village in it, below `home`."""
    archiving.turn_on(home)
    server = cluster.start(home)
    migrate(server.url)
    fill(server.url)
    return server.url


def test_a_night_leaves_a_proved_backup_and_a_base_backup_and_lets_older_ones_give_way(store, home):
    backups = home / "backups"
    first = backup.nightly(home, store, now=_NIGHT - timedelta(days=90))
    assert first.proof.passed
    second = backup.nightly(home, store, now=_NIGHT, rotation=Rotation(daily=1, weekly=1))
    assert second.deleted == (first.receipt.file,)
    assert list(backups_in(backups)) == [_NIGHT]
    assert [path.name for path in backups.iterdir()] == ["mapgrid-20261126T020000Z.backup"]
    assert backups.stat().st_mode & 0o777 == 0o700
    assert second.base in archive_in_use(home).bases()
    done = restore(store, second.receipt.file, now=_NIGHT, work=home, replace=True)
    assert done.kept
    assert rows_in(store) == 40


def test_a_backup_that_was_not_proved_does_not_count_and_nothing_gives_way(store, home):
    def fail(_url):
        raise NotFoundError("nobody can sign in")

    good = backup.nightly(home, store, now=_NIGHT - timedelta(days=90))
    night = backup.nightly(
        home, store, now=_NIGHT, rotation=Rotation(daily=1, weekly=1), probes=[Probe("sign-in", fail)]
    )
    assert not night.proof.passed
    assert night.receipt.file.suffix == ".unproved"
    assert list(backups_in(home / "backups").values()) == [good.receipt.file]
    backup.nightly(home, store, now=_NIGHT + timedelta(days=1))
    assert not list((home / "backups").glob("*.unproved"))


def test_a_night_with_a_passphrase_is_proved_with_it_and_one_for_recipients_is_refused(store, home):
    assert backup.nightly(home, store, now=_NIGHT, seal=Seal("four random words do")).proof.passed
    with pytest.raises(BackupError, match="needs a passphrase"):
        backup.nightly(home, store, now=_NIGHT, seal=Seal(recipients=("age1",)))


def test_files_of_other_names_are_left_alone(home):
    (home / "mapgrid-mine.backup").write_text("")
    (home / "mapgrid-20261126T020000Z.backup").write_text("")
    assert list(backups_in(home)) == [_NIGHT]

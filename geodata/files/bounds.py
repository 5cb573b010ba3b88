"""How large an input may be, and what its reader may use.

Generous for a whole district, small enough that nobody can fill a town office's machine with one upload.
"""

from __future__ import annotations

MIB = 1024 * 1024

MOST_FILE_BYTES = 512 * MIB
MOST_UNPACKED_BYTES = 64 * MIB
MOST_UNPACKED_RATIO = 50
# Below this an archive cannot hurt anybody, and a shapefile's padded text columns shrink more than fiftyfold.
RATIO_MATTERS_ABOVE_BYTES = MIB
MOST_ARCHIVE_MEMBERS = 1000
MOST_DIRECTORY_BYTES = MIB  # of an archive: it is read before anything in it can be counted

MOST_ROWS = 1_000_000
MOST_COLUMNS = 500
MOST_CELLS = 20_000_000
MOST_VERTICES_OF_A_FEATURE = 100_000
MOST_VERTICES_OF_GRIDS = 100_000  # of all grids of a village together

CHILD_MEMORY_BYTES = 3 * 1024 * MIB
CHILD_SECONDS = 4
CHILD_SECONDS_PER_MIB = 1.0
ARCHIVE_SECONDS = 20  # what is inside is bounded by what it may unpack to
MEND_SECONDS = 2  # for all broken outlines of a layer together
JOIN_SECONDS = 2
SETTLE_SECONDS = 6  # for all grids of a village
GRACE_SECONDS = 2  # on the clock: waiting for a busy machine is not the file's fault
MOST_ANSWER_BYTES = 1024 * MIB  # what the child may hand back

MOST_FAULTS_SHOWN = 50

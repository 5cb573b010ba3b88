"""People, tiers, staff and cases of the demo: invented, seeded, plausible, and nobody's.

Every function takes a `numpy.random.Generator` and the day or moment it should look like; the same arguments give the
same answer. Telephone numbers begin with 000, which no number does; identity numbers with 99, which no province has.
"""

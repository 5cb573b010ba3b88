"""Villager groups and buildings kept whole, exactly, or the fewest broken."""

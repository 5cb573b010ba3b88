"""The next plan on the land of a former one, with the fewest households moved."""

"""How edits change a plan; `mapgrid.adjust` is the way in."""

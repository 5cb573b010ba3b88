"""Labels for cells: grids within the limits by short ways and good outlines, ten-household groups, and the bound."""

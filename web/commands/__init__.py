"""Commands of `mapgrid`, one module per noun."""

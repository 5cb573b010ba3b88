"""Partition: households and a village's land in, a plan of grids and ten-household groups out."""

from mapgrid.partition import kernels  # noqa: F401  before any kernel: says where the compiled ones are kept

# isort: split
from mapgrid.partition.entry import divide, warm
from mapgrid.partition.plan import Plan
from mapgrid.partition.reasons import Piece, Reason, ReasonCode
from mapgrid.partition.scorecard import Scorecard

__all__ = ["Piece", "Plan", "Reason", "ReasonCode", "Scorecard", "divide", "warm"]

"""Borders between grids: pulled tight between households, led along preferred lines."""

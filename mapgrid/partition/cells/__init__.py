"""The land of a village: a cell per household point, cut by outline, barriers and unit limits, anew along borders."""

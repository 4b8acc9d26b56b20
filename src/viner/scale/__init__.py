"""Recognition beyond one machine, on Ray Data."""

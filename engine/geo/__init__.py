"""Places, cells, zones and the time it takes from one to the other."""

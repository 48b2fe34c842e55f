"""A month of a busy city in virtual time, its money above all, and what must hold at its end."""

"""The real actors under faults drawn from a seed, in virtual time: deterministic simulation."""

"""Who is asked to carry what, and what becomes of the question."""

"""How other companies are reached; each file is one of them, or the stand-in for it."""

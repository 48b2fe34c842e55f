"""Conversations under faults: phones that write, edges that die, and what must hold of both."""

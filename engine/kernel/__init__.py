"""The words that every context shares."""

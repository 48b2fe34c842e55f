"""Loyalty: points as an asset of the ledger, earned by orders, kept for a while, and spent."""

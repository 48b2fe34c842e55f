"""Prices: lines with and without VAT, and their sums."""

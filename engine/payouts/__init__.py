"""Paying couriers out: to which account, how a payout goes, and what is held back for disputes."""

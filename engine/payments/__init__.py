"""Paying: what gateways can do, what a payment is, and what it leaves in the ledger."""

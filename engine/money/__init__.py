"""What money does: accounts, transfers between them, and the ledger that holds both."""

"""The audit log: who in charge did what, in one chain that shows when it was tampered with."""

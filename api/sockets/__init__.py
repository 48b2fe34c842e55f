"""The socket: one connection of a phone, what it hears, and what it says."""

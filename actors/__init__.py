"""What is live: who owns which thing now, and the only code that acts on the world."""

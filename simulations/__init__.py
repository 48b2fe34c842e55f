"""What could happen: cities, recorded days, and simulated people who live them."""

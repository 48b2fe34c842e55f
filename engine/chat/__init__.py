"""What customer, courier and support write to each other about an order."""

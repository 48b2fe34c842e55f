"""What people may ask of us about themselves, and where we have anything of them."""

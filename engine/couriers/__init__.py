"""A courier: on duty or not, what he was asked, and what he carries."""

"""Puts together what lives as long as the application, and hands it to the routes."""

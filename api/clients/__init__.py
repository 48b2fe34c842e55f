"""Typed clients, made from the description of REST."""

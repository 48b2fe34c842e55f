"""What can be asked for on the command line, beside running the service itself."""

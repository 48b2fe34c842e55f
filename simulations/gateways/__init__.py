"""A payment server on this machine that speaks the protocols of real gateways, faults included."""

"""What is true: pure rules, without clocks, randomness, input or output."""

"""The questions that are asked once, by what they speak of."""

"""Contracts: what every plugin of a kind promises, as a class of tests that its author subclasses."""

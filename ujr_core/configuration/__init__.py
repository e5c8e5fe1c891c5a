"""Configuration: from files and sources to jobs, with all faults found in one pass."""

"""The chaos test: a real runner whose workers, guardian and self are killed at random, judged from outside."""

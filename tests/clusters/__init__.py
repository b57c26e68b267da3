"""Ray clusters for tests."""

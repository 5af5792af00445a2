"""Damaged recordings: every loader ends in finite data or in a clean error, never in a signal."""

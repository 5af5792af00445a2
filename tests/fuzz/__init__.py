"""Damaged recordings and faces: every loader ends in finite data or a clean error, not a signal."""

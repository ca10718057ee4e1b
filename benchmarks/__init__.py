"""Measurements that print a ratio with the hardware; never run by the tests."""

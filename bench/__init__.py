"""Measurements: tables of medians and ratios within one run. Never a timed test."""

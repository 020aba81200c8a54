"""Measurements: tables of medians and ratios within one run. Never a timed test."""

from archive import guard

guard.KNOWN.add("bench")

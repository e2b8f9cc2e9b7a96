"""Slices, gathers and scatters."""

from __future__ import annotations

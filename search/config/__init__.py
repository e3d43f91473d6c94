"""The sweep file: read, validated whole, written back."""

from search.config.budget import places, promoted, rungs
from search.config.format import FORMAT, Format, refuse_newer, refuse_newer_json, upgraded
from search.config.resources import Resources
from search.config.settings import Search
from search.config.sweep import Sweep, SweepError, differences, json_schema, load_sweep

__all__ = [
    "FORMAT",
    "Format",
    "Resources",
    "Search",
    "Sweep",
    "SweepError",
    "differences",
    "json_schema",
    "load_sweep",
    "places",
    "promoted",
    "refuse_newer",
    "refuse_newer_json",
    "rungs",
    "upgraded",
]

"""The run folder: its paths, locks and records, and what is read back from them."""

from search.records.allowance import most_trials, next_method, planned_trials
from search.records.audit import audit_of, drawn
from search.records.events import Event, Listener
from search.records.plan import Plan
from search.records.preflight_results import ChecksListener, PreflightResults
from search.records.provenance import (
    describe_import,
    note_joined,
    note_placement,
    note_resumption,
    provenance,
)
from search.records.record import Origin, Pause, Phase, Record, Stop, now
from search.records.repair import refuse_newer_records, repair, sound_records
from search.records.results import (
    BASELINE,
    Results,
    last_line,
    load_results,
    refuse_imported,
    sweep_of,
    winner,
)
from search.records.run_folder import RunFolder
from search.records.seeds import derived_seed
from search.records.trial_store import TrialStore
from search.records.verification import verify

__all__ = [
    "BASELINE",
    "ChecksListener",
    "Event",
    "Listener",
    "Origin",
    "Pause",
    "Phase",
    "Plan",
    "PreflightResults",
    "Record",
    "Results",
    "RunFolder",
    "Stop",
    "TrialStore",
    "audit_of",
    "derived_seed",
    "describe_import",
    "drawn",
    "last_line",
    "load_results",
    "most_trials",
    "next_method",
    "note_joined",
    "note_placement",
    "note_resumption",
    "now",
    "planned_trials",
    "provenance",
    "refuse_imported",
    "refuse_newer_records",
    "repair",
    "sound_records",
    "sweep_of",
    "verify",
    "winner",
]

"""What spans the stores: load, maintain, erase, restore."""

from orb_learning.operations.erasure import erase
from orb_learning.operations.export import export_for_reading
from orb_learning.operations.load import (
    load_outbox,
    places_of,
    relay_options,
    span_relay_options,
)
from orb_learning.operations.losses import Missing
from orb_learning.operations.maintenance import MaintenanceRun, maintain
from orb_learning.operations.own_feedback import delete_own_feedback, read_own_feedback
from orb_learning.operations.restore import restore_backup
from orb_learning.operations.shipped import load_shipped
from orb_learning.operations.watching import Watch

__all__ = [
    "MaintenanceRun",
    "Missing",
    "Watch",
    "delete_own_feedback",
    "erase",
    "export_for_reading",
    "load_outbox",
    "load_shipped",
    "maintain",
    "places_of",
    "read_own_feedback",
    "relay_options",
    "restore_backup",
    "span_relay_options",
]

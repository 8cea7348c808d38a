"""What spans the stores: load, maintain, erase, restore."""

from orb_learning.operations.erasure import erase
from orb_learning.operations.load import load_outbox, outbox_limits, places_of
from orb_learning.operations.losses import Missing
from orb_learning.operations.maintenance import MaintenanceRun, maintain
from orb_learning.operations.own_feedback import delete_own_feedback, read_own_feedback
from orb_learning.operations.restore import restore_backup

__all__ = [
    "MaintenanceRun",
    "Missing",
    "delete_own_feedback",
    "erase",
    "load_outbox",
    "maintain",
    "outbox_limits",
    "places_of",
    "read_own_feedback",
    "restore_backup",
]

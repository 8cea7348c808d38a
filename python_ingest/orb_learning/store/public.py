"""Which relations others build on."""

from __future__ import annotations

IS_PUBLIC = """
    relation_name in (
        'executions', 'executions_flat', 'rejected_executions', 'metadata',
        'solution_clusters', 'error_resolutions', 'error_resolution_rates'
    )
    or suffix(relation_name, '_mv')
    or prefix(relation_name, 'rpt_') and not prefix(relation_name, 'rpt_page_')
"""
"""A condition on ``relation_name``. None of them shows anybody's feedback."""

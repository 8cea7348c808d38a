"""What is not recorded where a panel has nothing to show, and how to record it."""

from __future__ import annotations

COST = "no actual_cost: return it with each result, in US dollars"
ESTIMATE = "no cost_estimate beside actual_cost: give tasks one before they run"
DURATION = "no duration_seconds: pass the start and the end of each execution"
QUALITY = "no quality_score: score results by a check or a reviewer, 0 to 100"
COMPLEXITY = "no complexity_score: give tasks a score of 0 to 100 before they are routed"
CONFIDENCE = "no routing_confidence: record the router's, 0 to 1, with its decision"
RESOURCES = "no peak_memory_mb and cpu_time_seconds: return them with each result"
RATING = "no user_rating and user_accepted: orb feedback submit gives them"
FEEDBACK = "no feedback that is not private: orb feedback submit gives some"
SOLUTION = "no solution that was used often: return a solution_summary with what solved a task"
SIZE = "no size was measured: orb load and orb maintain do"
MAINTENANCE = "orb maintain has not run: it loads, builds, archives, backs up and prunes"
DECISION = "no routing decision: let a Router draw, or record the chances that yours draws by"

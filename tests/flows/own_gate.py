"""A gate of a role's own, as a user would write one."""

from tasks.gates import GateFacts, Outcome, Verdict


def refuse_picky(facts: GateFacts) -> Verdict:
    """Fails the version of that name."""
    outcome = Outcome.failed if facts.new.id == "picky" else Outcome.passed
    return Verdict(outcome=outcome, reason=f"nobody likes {facts.new.id}")

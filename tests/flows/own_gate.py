"""A gate of a role's own, as a user would write one."""

from tasks.gates import GateFacts, Outcome, Verdict
from tasks.groups import find_groups
from tasks.pins import pinned_for


def refuse_picky(facts: GateFacts) -> Verdict:
    """Fails the version of that name."""
    outcome = Outcome.failed if facts.new.id == "picky" else Outcome.passed
    return Verdict(outcome=outcome, reason=f"nobody likes {facts.new.id}")


def tell_who_is_held(facts: GateFacts) -> Verdict:
    """Fails every version, and names those whose size is held meanwhile."""
    groups = find_groups(facts.new.stack, facts.new.role)
    held = [group.version.id for group in groups if pinned_for(group)]
    return Verdict(outcome=Outcome.failed, reason=f"held: {', '.join(held)}")

"""The sentences of a scaling activity's Cause, as AWS words them.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-verify-scaling-activity.html
"""

from __future__ import annotations

from datetime import UTC, datetime


def iso(moment: datetime) -> str:
    """The moment in UTC to the second, for example 2026-11-22T14:00:00Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def at(now: datetime, sentence: str) -> str:
    """`sentence` with the time that AWS puts in front of each."""
    return f"At {iso(now)} {sentence}"


def joined(*sentences: str) -> str:
    """One Cause of several sentences, with AWS's two blanks between them; empty ones are left out."""
    return "  ".join(sentence for sentence in sentences if sentence)

"""The keys of all artifacts: SUBJECT-WHAT. An artifact with the same key is the next one of the same history.

`docs/events.md` lists them all and is tested against this file. https://docs.prefect.io/v3/concepts/artifacts
"""

from __future__ import annotations

import re
from enum import Enum


class What(Enum):
    """The last part of a key, whose artifacts there are (the subjects), of which type, and what they show."""

    OVERVIEW = "overview", "STACK", "table", "every version, its health and its share of the traffic"
    LINKS = "links", "STACK", "markdown", "its balancers, its metrics, and its CloudFormation stacks and groups in AWS"
    CHANGES = "changes", "STACK, STACK-ROLE, machine-images", "markdown", "what the run changed, in order"
    PLAN = "plan", "STACK, STACK-ROLE", "markdown", "what `tyrell apply` was told to do, and what that rests on"
    OVERRIDE = "override", "STACK", "markdown", "why a change went on though the calendar held it"
    UPDATE = "update", "STACK", "table", "what an update of network and base does, resource by resource"
    RELEASE = "release", "STACK", "table", "who released what, when and of which commit, and the result of each role"
    RELEASE_PLAN = "release-plan", "STACK", "markdown", "what a release would do"
    TRAFFIC = "traffic", "STACK-ROLE", "table", "each version's percent of the traffic, before and after"
    TIMELINE = "timeline", "STACK-ROLE", "image", "traffic and healthy members during an upgrade"
    WAITING = "waiting", "STACK-ROLE", "markdown", "what the run waits for, and what it has waited for"
    WORKERS = "workers", "STACK", "table", "each queue and who works on it"
    DEPTH = "depth", "STACK-ROLE", "image", "messages and workers while a queue was worked off"
    TOO_OLD = "too-old", "STACK-ROLE", "markdown", "why messages wait too long"
    METRICS = "metrics", "STACK-DASHBOARD", "image", "what Grafana would show"
    IMAGES = "images", "roles", "table", "the Docker image of each role"
    MACHINE_IMAGE = "machine-image", "KIND", "table", "the machine image that was baked, or found"
    MERGE = "merge", "OLD-to-NEW", "markdown", "what became of the objects of a bucket"
    PROGRESS = "progress", "OLD-to-NEW", "progress", "how far a merge of buckets is"

    def __init__(self, suffix: str, subjects: str, kind: str, meaning: str) -> None:
        self.suffix = suffix
        self.subjects = subjects
        self.kind = kind
        self.meaning = meaning


def artifact_key(what: What, *subject: str) -> str:
    """The key, of lower-case letters, digits and dashes only; names of buckets may have more."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join((*subject, what.suffix)).lower())

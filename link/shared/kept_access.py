"""What a secret says, read anew now and then: AWS takes money for it, https://aws.amazon.com/secrets-manager/pricing/"""

from __future__ import annotations

import time

from link.shared.access import Access, Secret, SecretMissing, SecretUnusable

GOOD_FOR = 60.0
"""Seconds until the secret is read again, when nothing speaks against what it said."""


class KeptAccess:
    """A secret, and what it said last."""

    def __init__(self, secret: Secret) -> None:
        self.secret = secret
        self._access: Access | None = None
        self._read = 0.0

    def read(self, good_for: float = GOOD_FOR) -> Access:
        """What the secret says, read within the last `good_for` seconds; older while nobody can be asked.

        Raises `SecretMissing`, `SecretUnusable` when it was never read.
        """
        now = time.monotonic()
        if self._access and now - self._read < good_for:
            return self._access
        try:
            self._access, self._read = self.secret.read(), now
        except SecretMissing:
            self._access = None
            raise
        except SecretUnusable:
            if self._access is None:
                raise
        return self._access

"""What every command loads, in the environment of the embedded cloud: Prefect reads it while it is imported."""

from tyrell.environment import Cloud, enter

enter(Cloud.local)

import flows.bring_up  # noqa: E402
import flows.retire  # noqa: E402
import flows.rollback  # noqa: E402
import flows.scale  # noqa: E402
import flows.tear_down  # noqa: E402
import flows.upgrade  # noqa: E402, F401
import tyrell.bring_up  # noqa: E402
import tyrell.cli  # noqa: E402
import tyrell.show  # noqa: E402, F401

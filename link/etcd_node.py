"""One member of core-services: joins the etcd cluster or forms it, runs the etcd server, and leaves in the end.

Settings: COREOS_PRIVATE_IPV4, STATE_DIRECTORY, ETCD_CLIENT_PORT (4001), ETCD_PEER_PORT (2380), AWS_REGION (us-east-1),
INSTANCE_ID, REGISTRY_API (v3; v2 adds that API), JOIN_TIMEOUT (600 s). etcd's own ETCD_* variables pass through to it.
"""

import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from types import FrameType

from link.cluster.joining import await_plan
from link.cluster.leaving import leave_if_terminated
from link.cluster.node import Node, etcd_command, etcd_variables
from link.shared.environment import Environment, SettingError
from link.shared.logs import log_to_stdout

logger = logging.getLogger(__name__)


class ToldToStop(Exception):
    """We got SIGTERM or SIGINT."""


def run_etcd(command: list[str], before_stop: Callable[[], None]) -> int | None:
    """Run etcd until it ends; return its exit status, or None when we were told to stop it.

    It has a session of its own, so that a signal to our process group leaves it running until `before_stop` is done.
    """
    with subprocess.Popen(command, env=etcd_variables(), start_new_session=True) as etcd:
        try:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, _stop)
            return etcd.wait()
        except ToldToStop:
            before_stop()
            etcd.terminate()
            return None


def _stop(_number: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    raise ToldToStop


def main() -> None:
    """Run a member. Exits 2 for a bad setting, 1 when there is no cluster in time, no etcd, or etcd ends by itself."""
    log_to_stdout("etcd-node")
    environment = Environment(os.environ)
    try:
        node = Node.from_environment(environment)
        timeout = environment.number("JOIN_TIMEOUT", 600, 1, 86400)
        if shutil.which("etcd") is None:
            sys.exit("etcd-node: there is no program etcd on the PATH")
        own, plan = await_plan(node, timeout)
    except SettingError as error:
        print(f"etcd-node: {error}", file=sys.stderr)
        sys.exit(2)
    except TimeoutError as error:
        sys.exit(f"etcd-node: {error}")
    if not plan.keep_data:
        shutil.rmtree(node.directory / "member", ignore_errors=True)
    command = etcd_command(node, own.group, plan)
    logger.info("starting etcd", extra={"fields": {"command": command}})
    status = run_etcd(command, before_stop=lambda: leave_if_terminated(node, own))
    if status is not None:
        sys.exit(f"etcd-node: etcd ended by itself with exit status {status}")


if __name__ == "__main__":
    main()

"""moto's server in our own process: the AWS API and the record keeper of the embedded cloud."""

from __future__ import annotations

import logging
import os

from moto.server import ThreadedMotoServer

from tyrell.local.atomic import make_atomic
from tyrell.local.queues import count_seldom
from tyrell.local.settings import Settings
from tyrell.local.storage import store_as_on_aws


def start_server(settings: Settings) -> ThreadedMotoServer:
    """Serve the AWS API at `settings.endpoint` from threads of this process; `.stop()` ends it.

    Whatever replaces a service of moto must be installed before. Raises OSError when the port is taken.
    """
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"  # 1,301 images that nobody can start, 0.8 s a listing
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    make_atomic()
    count_seldom()
    store_as_on_aws()
    server = ThreadedMotoServer(ip_address=settings.host, port=settings.port, verbose=False)
    server.start()
    return server

"""moto's server in our own process: the AWS API and the record keeper of the embedded cloud."""

from __future__ import annotations

import logging
import os
from threading import Thread
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from tyrell.local.atomic import make_atomic
from tyrell.local.faults.api import FaultyApi
from tyrell.local.faults.switches import Switches
from tyrell.local.own_tags import make_tags_quick
from tyrell.local.queues import count_seldom
from tyrell.local.settings import Settings
from tyrell.local.storage import store_as_on_aws


class Dispatcher(DomainDispatcherApplication):
    """moto's own, which looks through the folders of its package for each request; here once for each host."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._backends: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        """The service that is asked for, by the name that moto has for it or the host of its URL."""
        if host not in self._backends:
            self._backends[host] = super().get_backend_for_host(host)
        return self._backends[host]


class Server:
    """The AWS API at an address of this computer, from threads of this process."""

    def __init__(self, settings: Settings, faults: Switches) -> None:
        """Listens from now on."""
        app = FaultyApi(Dispatcher(), faults)
        self._server = make_server(settings.host, settings.port, app, threaded=True, request_handler=MotoRequestHandler)
        self._thread = Thread(target=self._server.serve_forever, name="AWS API", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Return when nothing listens any more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def start_server(settings: Settings, faults: Switches | None = None) -> Server:
    """Serve the AWS API at `settings.endpoint` until `.stop()`; `faults` is what goes wrong in it.

    Whatever replaces a service of moto must be installed before. Leaves the process when the port is taken.
    """
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"  # 1,301 images that nobody can start, 0.8 s a listing
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    make_atomic()
    make_tags_quick()
    count_seldom()
    store_as_on_aws()
    return Server(settings, faults or Switches())

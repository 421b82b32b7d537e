"""The answers a load balancer gives by itself, in the shape Elastic Load Balancing gives them."""

from __future__ import annotations

from http.client import responses

from aiohttp import web

SERVER = "awselb/2.0"


class Refused(Exception):
    """The balancer itself answers a request with `status`, because of `reason`; the reason goes to the log only.

    502: the target closed the connection or gave no valid answer. 503: no target. 504: the target took too long.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason


def error_page(status: int) -> web.Response:
    """The page of an error of the balancer's own."""
    title = f"{status} {responses.get(status, '')}".strip()
    head = f"<head><title>{title}</title></head>"
    body = f"<html>\r\n{head}\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    return web.Response(status=status, text=body, content_type="text/html", headers={"Server": SERVER})


def fixed_response(status: int, content_type: str, body: str) -> web.Response:
    """A fixed-response action's answer."""
    return web.Response(status=status, text=body, content_type=content_type, headers={"Server": SERVER})


def redirect(status: int, location: str) -> web.Response:
    """A redirect action's answer."""
    return web.Response(status=status, headers={"Server": SERVER, "Location": location})

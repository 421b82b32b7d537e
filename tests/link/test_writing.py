"""Writing to what is no InfluxDB."""

import pytest

from link.metrics.writing import NotWritten, write
from link.shared.access import Access


@pytest.mark.parametrize("host", ["127.31.0.2:9", "no.such.host.invalid", f"{'a' * 64}.org", "a b", "10.0.0.9:x"])
def test_a_server_that_can_not_be_reached_is_named_with_the_reason(host: str) -> None:
    with pytest.raises(NotWritten, match=rf"^InfluxDB at http://{host} does not answer: \S"):
        write(Access(f"http://{host}", "telegraf", "u", "p"), ["cpu value=1 1"])

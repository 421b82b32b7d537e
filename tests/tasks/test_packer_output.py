"""What Packer says, read line by line as version 1.6.6 says it."""

from __future__ import annotations

import logging

import pytest

from tasks.packer_output import PackerLog, Record, parse

FAILED = r"""1795382499,,ui,say,==> amazon-ebs.machine: Provisioning with shell script: 90-validate.sh
1795382500,,ui,message,    amazon-ebs.machine: /opt/link/images: OK
1795382500,,ui,error,==> amazon-ebs.machine: invalid image: /root/.ssh/id is left%!(PACKER_COMMA) sorry
1795382501,,ui,say,==> amazon-ebs.machine: Terminating the source AWS instance...
1795382510,,ui,error,Build 'amazon-ebs.machine' errored after 50 seconds: Script exited with non-zero exit status: 1.
1795382510,,error-count,1
1795382510,,ui,error,\n==> Some builds didn't complete successfully and had errors:
1795382510,amazon-ebs.machine,error,Script exited with non-zero exit status: 1. Allowed exit codes are: [0]
1795382510,,ui,error,--> amazon-ebs.machine: Script exited with non-zero exit status: 1. Allowed exit codes are: [0]
"""


def log_of(output: str) -> PackerLog:
    """A run that said this."""
    log = PackerLog()
    for line in output.splitlines(keepends=True):
        log.read(line)
    return log


def test_a_line_is_a_record_with_its_commas_and_line_ends() -> None:
    assert parse(r"1795382499,amazon-ebs.machine,artifact,0,a%!(PACKER_COMMA)b\nc" + "\n") == Record(
        "amazon-ebs.machine", "artifact", ("0", "a,b\nc")
    )


@pytest.mark.parametrize("line", ["", "\n", "panic: runtime error, here, there\n", "1795382499,"])
def test_what_is_no_record_is_none(line: str) -> None:
    assert parse(line) is None


def test_everything_is_passed_on_in_its_order_and_without_packers_decoration(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="tasks"):
        log_of(FAILED)
    assert caplog.messages[:3] == [
        "Provisioning with shell script: 90-validate.sh",
        "/opt/link/images: OK",
        "invalid image: /root/.ssh/id is left, sorry",
    ]


def test_a_failure_is_told_by_why_and_not_by_that_it_failed() -> None:
    assert log_of(FAILED).failure == "invalid image: /root/.ssh/id is left, sorry"


def test_a_failure_without_a_reason_of_its_own_is_told_by_packers_last_error() -> None:
    only_the_end = "".join(line for line in FAILED.splitlines(keepends=True) if ",error,Script" in line)
    assert log_of(only_the_end).failure.startswith("Script exited with non-zero exit status: 1.")


def test_a_variable_that_is_missing_is_named() -> None:
    said = r'1795382499,,ui,error,Error: Unset variable "tags"\n\nA used variable must be set or have a default value'
    assert log_of(said).failure.startswith('Error: Unset variable "tags" A used variable must be set')


def test_what_packer_says_outside_of_its_records_is_not_lost(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="tasks"):
        log_of("panic: runtime error\n")
    assert caplog.messages == ["panic: runtime error"]

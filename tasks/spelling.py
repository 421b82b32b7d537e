"""How names and times have to be spelt, told once for the command line, the forms of the Prefect UI and its API."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True)
class Spelling:
    """How a text has to be spelt: refused with a sentence by pydantic, and by its pattern in a form or an API."""

    pattern: str
    rule: str
    """Completes the sentence `write ...`."""
    example: str

    def check(self, text: str) -> str:
        """The text itself. Raises ValueError."""
        if not re.fullmatch(self.pattern, text):
            raise ValueError(f"{text!r} cannot be used: write {self.rule}")
        return text

    @property
    def or_nothing(self) -> Spelling:
        """The same, or an empty text."""
        return Spelling(f"({self.pattern})?", f"{self.rule}, or nothing", self.example)

    def __get_pydantic_core_schema__(self, source: type[str], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core), "pattern": f"^({self.pattern})$", "examples": [self.example]}


DURATION = r"^P(?!$)(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$"

Duration = Annotated[
    timedelta, Field(ge=timedelta(), examples=["PT10M", "PT90S", "P7D"], json_schema_extra={"pattern": DURATION})
]
"""A time as ISO 8601 has it, which is what forms know: PT10M is ten minutes."""

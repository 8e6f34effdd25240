"""The keys that name an account and its groups."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from supervisor.settings.accounts import check_account, check_group
from supervisor.settings.shape import wrong


def _check_user(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise wrong("must be the name or number of an account", "write a name like www-data")
    check_account(value)
    return value


def _check_group(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise wrong("must be the name or number of a group", "write a name like docker")
    check_group(value)
    return value


Account = Annotated[str | int, BeforeValidator(_check_user, json_schema_input_type=str | int)]
Group = Annotated[str | int, BeforeValidator(_check_group, json_schema_input_type=str | int)]

"""What was JSON is JSON afterwards: the same names and shape, without the secrets, whatever the texts say."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.cli.masking import Mask

DOTS = "••••"
KNOWN = 'kn0wn-"sécret\\9'


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('{"msg":"Enter password:","level":"info"}', None),
        ('{"msg":"invalid token:","err":"no"}', None),
        ('{"msg":"no token: ","n":1}', None),
        ('{"cmd":"x --token ","n":1}', None),
        ('["Enter password:", "x", {"msg": "secret="}]', None),
        ('{"msg":"authorization:","n":1}', None),
        ('{"headers":{"Authorization":null,"n":1}}', f'{{"headers":{{"Authorization":"{DOTS}","n":1}}}}'),
        ('{"Authorization":false}', f'{{"Authorization":"{DOTS}"}}'),
        ('{"Authorization": 12 , "n":1}', f'{{"Authorization": "{DOTS}" , "n":1}}'),
        ('{"Authorization":{"a":1},"n":[]}', None),
        ('{"Authorization":["Bearer abcd", "ab cd"],"n":1}', f'{{"Authorization":["Bearer {DOTS}", "{DOTS}"],"n":1}}'),
        ('{"authorization":"Digest user=\\"a\\", x"}', f'{{"authorization":"Digest {DOTS}"}}'),
        ('{"tokens":["a"],"passwords":[1,"b",[2]]}', f'{{"tokens":["a"],"passwords":["{DOTS}","{DOTS}",[2]]}}'),
        ('{"password":-Infinity,"a":1}', f'{{"password":"{DOTS}","a":1}}'),
        ('{"token":' + "7" * 5000 + ',"b":1}', f'{{"token":"{DOTS}","b":1}}'),
        ('{"token":"","b":1}', None),
        ('{"pwd":"/srv","db_pwd":"x"}', f'{{"pwd":"/srv","db_pwd":"{DOTS}"}}'),
        ('{"set-cookie":["sid=abc; Path=/"],"cookie":"none"}', f'{{"set-cookie":["{DOTS}"],"cookie":"none"}}'),
        ('{"dsn":"mysql:\\/\\/u:pw@h","n":1}', f'{{"dsn":"mysql://u:{DOTS}@h","n":1}}'),
        (r'{"msg":"authorization: \u0041bcdef ghi"}', f'{{"msg":"authorization: {DOTS} ghi"}}'),
        ('web | {"msg":"token:","n":1} {"token":"x"} t', f'web | {{"msg":"token:","n":1}} {{"token":"{DOTS}"}} t'),
        ('{"token":"x"} password=x', f'{{"token":"{DOTS}"}} password={DOTS}'),
        # Pretty printed.
        ('  "msg": "Enter password:",', None),
        ('  "Enter password:",', None),
        ('  "Authorization": null,\r', f'  "Authorization": "{DOTS}",\r'),
        ('  "password": {', None),
        # A quoted secret that happens to be JSON, and what only looks like JSON.
        ("""SECRET='{"client_id":"abc"}' n=1""", f"SECRET='{DOTS}' n=1"),
        ("{'token': 'abc', \"x\": None}", f"{{'token': '{DOTS}', \"x\": None}}"),
        ('{"token":"abc","cut":"of', f'{{"token":"{DOTS}","cut":"of'),
        ('\0{"token":"abc"}{\0000\0}', f'\0{{"token":"{DOTS}"}}{{\0000\0}}'),
    ],
)  # fmt: skip
def test_shapes_of_json(line: str, shown: str | None) -> None:
    assert Mask().hide_text(line) == (line if shown is None else shown)
    assert Mask().hide_text(f"a\n{line}\nb") == f"a\n{line if shown is None else shown}\nb"


def test_known_values_in_json() -> None:
    mask = Mask([KNOWN.encode(), b"1234567", b'{"a": "bcdef"}'])
    assert mask.hide_text('{"n":12345678,"m":-7,"k":"x1234567"}') == f'{{"n":"{DOTS}","m":-7,"k":"x{DOTS}"}}'
    assert mask.hide_text('{"1234567token":"x","token":12345678}') == f'{{"{DOTS}token":"{DOTS}","token":"{DOTS}"}}'
    assert mask.hide_text(f"x {KNOWN} y") == f"x {DOTS} y"
    for as_ascii in (True, False):
        text = json.dumps({"k": f"ü{KNOWN}", "n": [KNOWN]}, ensure_ascii=as_ascii)
        assert json.loads(mask.hide_text(text)) == {"k": f"ü{DOTS}", "n": [DOTS]}
    assert "bcdef" not in mask.hide_text('is {"a": "bcdef"}')


def test_a_private_key_in_a_text_of_json_with_what_stands_before_it() -> None:
    begin, end = "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"
    key = f"{begin}\nProc-Type: 4,ENCRYPTED\n\nMIIEpAIBAAKCAQEA7bq98H5z\nAbC0\n{end}\n"
    shown = json.loads(Mask().hide_text(json.dumps({"pem": key})))["pem"]
    assert shown == key.replace("MIIEpAIBAAKCAQEA7bq98H5z", DOTS).replace("AbC0", DOTS)
    pretty = json.dumps({"no": begin, "numbers": [12345678901234567890]}, indent=1)
    assert Mask().hide_text(pretty) == pretty


WORDS = (
    *("Enter password:", "token: ", "--token ", "secret=", "api_key =>", "pwd:", "authorization:", "bearer "),
    "Authorization: bearer ",
    *("cookie: a=b;", "cookie:", "postgres://u:p@h/", "://", "hooks.slack.com/services/", "ghp_" + "a" * 30, "sk-"),
    *("'", '"', "\\", "{", "}", '{"', ",", " ", "\n", "\u2028", "ü", "-----BEGIN PRIVATE KEY-----\n", "A" * 20),
)  # fmt: skip
NAMES = ("password", "Authorization", "db_pwd", "token", "tokens", "cookie", "msg", "level", "n", "a b")
SECRETS = ("hunter2xyz", "Bearer hunter2xyz", KNOWN, f"{KNOWN} {KNOWN}")
texts = st.lists(st.sampled_from((*WORDS, KNOWN)) | st.text(max_size=5), max_size=6).map("".join)
leaves = texts | st.integers() | st.floats() | st.booleans() | st.none()
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(st.sampled_from(NAMES), values, max_size=5)


@settings(deadline=None, max_examples=150)
@given(objects, st.sampled_from(SECRETS), st.booleans(), st.sampled_from([None, (",", ":"), (" , ", " : ")]), st.data())
def test_any_object_keeps_its_names_and_its_shape_and_loses_its_secrets(
    value: dict[str, Any], secret: str, as_ascii: bool, separators: tuple[str, str] | None, data: st.DataObject
) -> None:
    value = {**value, "more": {"token": secret, "list": [KNOWN], "nested": json.dumps({"token": secret})}}
    line = json.dumps(value, ensure_ascii=as_ascii, separators=separators)
    before = data.draw(st.sampled_from(["", "2024-01-01 web | ", "[info] "]))
    indent = data.draw(st.sampled_from([None, 1]))
    shown = Mask([KNOWN.encode()]).hide_text(f"x\n{before}{line}\n")
    assert shown.startswith(f"x\n{before}{{")
    assert shown.endswith("}\n")
    masked = json.loads(shown[2 + len(before) :])
    assert _shape(masked) == _shape(value)
    for left in (shown, json.dumps(masked, ensure_ascii=False)):
        assert "hunter2xyz" not in left
    assert KNOWN not in str(_leaves(masked))
    if indent:
        pretty = json.dumps(value, ensure_ascii=as_ascii, indent=indent)
        assert _shape(json.loads(Mask([KNOWN.encode()]).hide_text(pretty))) == _shape(value)


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shape(each) for name, each in value.items()}
    return [_shape(each) for each in value] if isinstance(value, list) else None


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict | list):
        return [leaf for each in (value.values() if isinstance(value, dict) else value) for leaf in _leaves(each)]
    return [str(value)]


@pytest.mark.parametrize(
    "part",
    [
        b'{"password":',
        b'{"password":[',
        b'{"password":1}',
        b'{"a":"token:"}',
        b'{"a":1,"token"',
        b'{"token":"x',
        b'{"token\\',
        b"[1,",
        b'"token": [1,',
        b'{"token":"x"}\n',
        b'{"token":"x",\n',
        b'{"":{"token":"',
    ],
)
def test_a_megabyte_of_what_looks_like_json_is_masked_in_bounded_time(part: bytes) -> None:
    data = b'{"token":[' + part * ((1 << 20) // len(part))
    mask = Mask([b"value %06d" % number for number in range(300)])
    began = time.process_time()
    mask.hide(data)
    assert time.process_time() - began < 5

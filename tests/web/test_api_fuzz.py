"""The API under generated requests of three roles: no 5xx, no status that the description does not name.

`MAPGRID_FUZZ_EXAMPLES=200` runs as long as a release needs; the suite runs a few.
"""

import json
import os
import uuid
from pathlib import Path

import pytest
import schemathesis
from access_table import ask, store
from hypothesis import HealthCheck, Phase, given, settings
from sqlalchemy.engine import make_url

from mapgrid.roles import Role
from web.blueprints import api

DESCRIPTION = json.loads((Path(api.__file__).parent.parent / "openapi.json").read_text(encoding="utf-8"))
EXAMPLES = int(os.environ.get("MAPGRID_FUZZ_EXAMPLES", "8"))
SCHEMA = schemathesis.openapi.from_dict(DESCRIPTION)
OPERATIONS = {f"{found.ok().method.upper()} {found.ok().path}": found.ok() for found in SCHEMA.get_all_operations()}


@pytest.fixture(scope="module")
def fuzzed(server, template_url):
    """Lend the application on a store of this module alone: every request is undone."""
    name = f"fuzzed_{uuid.uuid4().hex}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE mapgrid")
    url = make_url(template_url).set(database=name).render_as_string(hide_password=False)
    with store(url) as (app, _accounts):
        yield app
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("who", ["anonymous", Role.WORKER, Role.PLANNER])
@pytest.mark.parametrize("name", OPERATIONS)
def test_no_generated_request_breaks_the_api_or_gets_an_answer_that_is_not_described(fuzzed, name, who):
    operation = OPERATIONS[name]
    documented = {int(status) for status in operation.definition.raw["responses"]}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def check(case):
        sent = case.as_transport_kwargs(base_url="http://localhost")
        body = {"json": sent["json"]} if sent.get("json") is not None else {}
        answer = ask(
            fuzzed, who, case.method.upper(), case.formatted_path, query_string=sent.get("params") or {}, **body
        )
        assert answer.status_code < 500, (case.formatted_path, answer.text)
        assert answer.status_code in documented, (case.formatted_path, case.query, answer.status_code, answer.text)

    check()

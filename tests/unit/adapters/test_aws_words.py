"""What is written behind an option of an aws action, as the parameter that AWS gets."""

from __future__ import annotations

from typing import Any

import pytest

from cockpit.adapters.aws import shorthand
from cockpit.adapters.aws.parameters import parameters_of
from cockpit.errors import UsageError
from cockpit.safety.aws.action import aws_actions


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Name=a,Values=b,c", {"Name": "a", "Values": ["b", "c"]}),
        ('commands=["sudo ./rollback.sh v1"]', {"commands": ["sudo ./rollback.sh v1"]}),
        ("commands=ls -la", {"commands": "ls -la"}),
        ('commands=[ls,"df -h"],executionTimeout=60', {"commands": ["ls", "df -h"], "executionTimeout": "60"}),
        ("commands='a,b',workingDirectory=/tmp", {"commands": "a,b", "workingDirectory": "/tmp"}),
        ('commands=["if [ -f /x ]; then y; fi"]', {"commands": ["if [ -f /x ]; then y; fi"]}),
        ("commands=curl http://x/?a=b&c=d", {"commands": "curl http://x/?a=b&c=d"}),
        ("a={b=c,d=[e,f]},g=h", {"a": {"b": "c", "d": ["e", "f"]}, "g": "h"}),
        ("a=[{b=c},{d=e}],f=[]", {"a": [{"b": "c"}, {"d": "e"}], "f": []}),
        ("a=b\\,c", {"a": "b,c"}),
        ('a="he said \\"hi\\"",b=', {"a": 'he said "hi"', "b": ""}),
        ("a = b , c = d", {"a": "b", "c": "d"}),
        ("이름=값", {"이름": "값"}),
    ],
)
def test_the_short_form_means_what_the_command_line_takes_it_for(written: str, meant: dict[str, Any]) -> None:
    assert shorthand.read(written) == meant


@pytest.mark.parametrize("written", ["foo", "a=b,", "a=[b", "a={b=c", "a='it''s'", "=a", "a=" + "[" * 1000])
def test_what_is_not_written_so_is_refused(written: str) -> None:
    with pytest.raises(UsageError, match="neither JSON nor NAME=value"):
        shorthand.read(written)


def parameters(action: str) -> dict[str, Any]:
    from botocore.session import Session

    (made,) = aws_actions(action)
    model = Session().get_service_model(made.service)
    names = {name.lower(): name for name in model.operation_names}
    shape = model.operation_model(names[made.operation.replace("-", "")]).input_shape
    return parameters_of(shape, made.options, {})


@pytest.mark.parametrize(
    "written",
    [
        """'commands=["./rollback.sh v1"]'""",
        "'commands=\"./rollback.sh v1\"'",
        'commands="./rollback.sh v1"',
        """'{"commands": ["./rollback.sh v1"]}'""",
    ],
)
def test_a_command_for_machines_may_be_written_in_every_form_of_the_command_line(written: str) -> None:
    found = parameters(f"ssm send-command --document-name AWS-RunShellScript --parameters {written}")

    assert found["Parameters"] == {"commands": ["./rollback.sh v1"]}


def test_structures_within_structures_get_the_types_of_their_members() -> None:
    asked = "ecs update-service --service api --deployment-configuration "
    found = parameters(asked + "deploymentCircuitBreaker={enable=true,rollback=true},minimumHealthyPercent=50")

    circuit = {"enable": True, "rollback": True}
    assert found["deploymentConfiguration"] == {"deploymentCircuitBreaker": circuit, "minimumHealthyPercent": 50}


def test_a_member_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="no member enabled") as refused:
        parameters("ecs update-service --deployment-configuration deploymentCircuitBreaker={enabled=true}")

    assert "enable" in refused.value.mend

"""Logs of several pods that come interleaved: a private key in one of them is masked whole."""

from __future__ import annotations

from cockpit.monitor.logs.by_source import CleaningBySource

_BODY = [b"MIIEpAIBAAKCAQEA" + letter.encode() * 48 for letter in "abcdefgh"]
KEY = [b"-----BEGIN RSA PRIVATE KEY-----", *_BODY, b"-----END RSA PRIVATE KEY-----"]


def test_a_key_whose_lines_stand_between_those_of_others_is_masked_at_every_look() -> None:
    cleaning = CleaningBySource()
    shown: list[str] = []
    for number, part in enumerate(KEY):
        mine, others = b"13:00 api-0 " + part, f"13:00 api-1 INFO fine {number}".encode()
        looked = cleaning.lines(
            [("api-1", others), ("api-0", mine)] if number % 2 else [("api-0", mine), ("api-1", others)]
        )
        assert len(looked) == 2
        shown += [line for lines in looked for line in lines]
    text = "\n".join(shown)
    assert "MIIE" not in text
    assert text.count("INFO fine") == len(KEY)


def test_lines_keep_their_places_and_bad_bytes_do_no_harm() -> None:
    given = [("a", b"a one"), ("b", b"b \xff\x1b[31m two"), ("a", "a 셋".encode())]
    shown = CleaningBySource().lines(given)
    assert shown[0] == ["a one"]
    assert shown[2] == ["a 셋"]
    assert "\x1b" not in shown[1][0]


def test_hundreds_of_pods_that_come_and_go_are_forgotten_and_those_that_speak_are_not() -> None:
    cleaning = CleaningBySource()
    cleaning.lines([(f"early-{pod}", b"13:00 INFO done") for pod in range(300)])
    shown: list[str] = []
    for number, part in enumerate(KEY):
        given = [("api-0", b"13:00 api-0 " + part)]
        given += [(f"job-{number}-{pod}", b"13:00 INFO done") for pod in range(200)]
        shown += [line for lines in cleaning.lines(given) for line in lines]

    assert "MIIE" not in "\n".join(shown)
    assert shown.count("13:00 INFO done") == 200 * len(KEY)
    assert sum(len(held) for held in vars(cleaning).values()) < 300

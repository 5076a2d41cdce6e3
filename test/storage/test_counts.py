"""Requests and streams are counted alike in one process and in a Redis that many share; no count stops the server."""

import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3
from redis import Redis

from services.limit_ports import Counts, LimitRules
from storage.own_counts import OwnCounts
from storage.shared_counts import SharedCounts
from test.storage.redis import RedisServer, redis_server
from test.support.server_process import ServerProcess

RULES = LimitRules(requests_per_minute=3, streams_per_caller=2, streams=3)


@pytest.fixture(scope="module")
def one_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis(one_redis: RedisServer) -> RedisServer:
    """An empty Redis."""
    with Redis.from_url(one_redis.url) as client:
        client.flushall()
    return one_redis


@pytest.fixture(params=["own", "shared"])
def counts(request: pytest.FixtureRequest) -> Counts:
    if request.param == "own":
        return OwnCounts(RULES)
    return SharedCounts(RULES, url=request.getfixturevalue("redis").url)


# --- both


def test_requests_of_a_caller_are_counted_down_and_then_refused(counts: Counts) -> None:
    standings = [counts.hit("ann") for _ in range(4)]

    assert [s.is_allowed for s in standings] == [True, True, True, False]
    assert [s.remaining for s in standings] == [2, 1, 0, 0] and standings[0].limit == 3
    assert 1 <= standings[3].retry_after_s <= 60
    assert counts.hit("ben").is_allowed


def test_places_of_a_caller_and_of_all_run_out_and_come_back(counts: Counts) -> None:
    taken = [counts.enter("ann", "a1"), counts.enter("ann", "a2"), counts.enter("ann", "a3")]
    others = [counts.enter("ben", "b1"), counts.enter("cid", "c1")]

    counts.leave("ann", "a1")

    assert taken == [None, None, "caller"] and others == [None, "all"]
    assert counts.enter("cid", "c1") is None


def test_giving_back_what_was_never_taken_frees_nothing(counts: Counts) -> None:
    counts.enter("ann", "a1")
    counts.enter("ann", "a2")

    counts.leave("ann", "a9")

    assert counts.enter("ann", "a3") == "caller"


# --- shared


def test_two_workers_count_together(redis: RedisServer) -> None:
    one, two = SharedCounts(RULES, url=redis.url), SharedCounts(RULES, url=redis.url)

    one.enter("ann", "a1")
    two.enter("ann", "a2")
    hits = [counts.hit("ann").is_allowed for counts in (one, two, one, two)]

    assert one.enter("ann", "a3") == "caller" and hits == [True, True, True, False]


def test_the_places_of_a_worker_that_died_are_free_when_its_leases_end(redis: RedisServer) -> None:
    died, alive = SharedCounts(RULES, url=redis.url), SharedCounts(RULES, url=redis.url)
    died.enter("ann", "a1")
    alive.enter("ann", "a2")
    with Redis.from_url(redis.url) as client:
        for name in client.keys("voice:streams*"):
            client.zadd(name, {"a1": 1, "a2": 1})  # the moment at which both leases end is long ago
        alive.renew_all()

        left = client.zrange("voice:streams:ann", 0, -1)

    assert left == [b"a1", b"a2"]
    assert alive.enter("ann", "a3") is None and alive.enter("ann", "a4") == "caller"


def test_a_lease_that_has_ended_is_not_renewed_into_a_place_that_another_has(redis: RedisServer) -> None:
    counts = SharedCounts(RULES, url=redis.url)
    counts.enter("ann", "a1")
    with Redis.from_url(redis.url) as client:
        client.delete("voice:streams", "voice:streams:ann")

        counts.renew_all()

        assert client.exists("voice:streams:ann") == 0


# --- Redis is away


def test_without_redis_every_process_counts_for_itself_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    counts = SharedCounts(RULES, url="redis://127.0.0.1:1/0")

    with caplog.at_level(logging.WARNING):
        hits = [counts.hit("ann").is_allowed for _ in range(4)]

    assert hits == [True, True, True, False] and counts.enter("ann", "a1") is None
    assert caplog.text.count("Redis is away") == 1


def test_a_redis_that_is_silent_is_left_alone_after_one_wait(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        counts = SharedCounts(RULES, url=f"redis://:hush-hush@127.0.0.1:{silent.getsockname()[1]}/0")

        with caplog.at_level(logging.WARNING):
            standing, full = counts.hit("ann"), counts.enter("ann", "a1")

    assert standing.is_allowed and full is None
    assert caplog.text.count("Redis is away") == 1 and "hush" not in caplog.text


def test_redis_is_asked_again_after_a_rest(tmp_path: Path) -> None:
    now = [100.0]
    with redis_server(tmp_path) as server:
        counts = SharedCounts(RULES, url=server.url, clock=lambda: now[0])
        counts.enter("ann", "a1")
        server.stop()
        assert counts.enter("ann", "a2") is None
        server.start()
        now[0] += 6

        with Redis.from_url(server.url) as client:
            counts.enter("ann", "a3")

            assert client.zrange("voice:streams:ann", 0, -1) == [b"a3"]


# --- a whole server


def test_the_workers_of_a_server_let_no_more_through_than_one_would(redis: RedisServer, tmp_path: Path) -> None:
    settings = {"WORKERS": "2", "REDIS_URL": redis.url, "REQUESTS_PER_MINUTE": "10", "EMULATOR_VOICE": "tones"}
    with ServerProcess(tmp_path, **settings) as server:
        url = f"{server.started().url}/metrics"

        answers = [urllib3.request("GET", url, retries=False).status for _ in range(20)]

    assert answers.count(200) == 10 and answers.count(429) == 10

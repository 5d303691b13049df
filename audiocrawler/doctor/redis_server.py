"""Check that a Redis server answers, and persists what it acknowledges."""

import time
from collections.abc import Iterator
from typing import Any

from audiocrawler.doctor.check import Check, broken, missing, ok
from audiocrawler.doctor.network import MAX_SKEW_S, of_skew
from audiocrawler.model.text import mask_url, one_line

TIMEOUT_S = 5.0
ASKED = ("appendonly", "appendfsync", "maxmemory-policy", "save")
MAX_SHOWN = 200


def of_redis(uri: str) -> Iterator[Check]:
    """Check the server of AUDIO_FRONTIER."""
    try:
        import redis
    except ImportError:
        yield broken(
            "redis", f"{mask_url(uri)}: needs a package that is not installed", "pip install 'audiocrawler[redis]'"
        )
        return
    try:
        client = redis.Redis.from_url(
            uri, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, protocol=2, decode_responses=True
        )
        version = client.info("server")["redis_version"]
        seconds, micros = client.time()
    except (redis.RedisError, ValueError) as error:
        why = one_line(str(error), MAX_SHOWN)
        yield broken("redis", f"{mask_url(uri)}: {why}", "start redis-server there, or correct AUDIO_FRONTIER")
        return
    yield ok("redis", f"{mask_url(uri)} answers, version {version}")
    if abs(skew_s := time.time() - seconds - micros / 1e6) > MAX_SKEW_S:
        yield of_skew(skew_s, "Redis")
    try:
        values = {name: str(client.config_get(name).get(name, "")) for name in ASKED}
    except redis.RedisError:
        yield missing("redis", "CONFIG is not allowed; who runs it should know of README, Many workers")
    else:
        yield from of_durability(values)
    finally:
        client.close()


def of_durability(values: dict[str, Any]) -> Iterator[Check]:
    """Check the settings that decide whether requests survive a restart of the server; see README, Many workers."""
    problems = []
    if values["appendonly"] != "yes":
        saved = f"only snapshots are kept (save {values['save']})" if values["save"] else "nothing is kept"
        problems.append(("appendonly", values["appendonly"], "yes", f"{saved} when it ends"))
    elif values["appendfsync"] == "no":
        problems.append(("appendfsync", "no", "always", "half a minute is lost when its machine ends"))
    if values["maxmemory-policy"] != "noeviction":
        problems.append(("maxmemory-policy", values["maxmemory-policy"], "noeviction", "it drops requests when full"))
    for name, value, wanted, why in problems:
        remedy = f"redis-cli CONFIG SET {name} {wanted}, and the same in redis.conf"
        yield broken("redis", f"{name} {value}: {why}", remedy)
    if not problems:
        yield ok("redis", f"persists what it acknowledges (appendonly yes, appendfsync {values['appendfsync']})")

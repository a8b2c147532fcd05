"""Who is told of which alert, how often, and which alerts only repeat what another says.

Rules and Alertmanager agree by two labels of every alert: ``severity`` and ``component``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from traversion.observability.receivers import Receivers
from traversion.settings import MuteTime

_DEPENDENTS = {
    "timescaledb": ("api", "causality"),
    "redis": ("api", "causality"),
    "api": ("causality",),
}
"""What cannot work while a component is down."""
_OF_THE_API = 'deployment="traversion-app"'
"""Alerts of Kubernetes' own state that are about the API's pods."""

# Only the alerts that a component as a whole is down end so: TimescaleDbDown, RedisDown, TraversionApiDown.
_DOWN, _NOT_DOWN = 'alertname=~".+Down"', 'alertname!~".+Down"'
_CRITICAL, _WARNING = 'severity="critical"', 'severity="warning"'


def routing(receivers: Receivers, mute_times: Sequence[MuteTime]) -> Mapping[str, Any]:
    """Return the configuration of Alertmanager."""
    heartbeat = receivers.heartbeat
    return {
        "route": {
            "receiver": "notify",
            "group_by": ["alertname", "component"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "12h",
            "routes": [
                *([_HEARTBEAT_ROUTE] if heartbeat else []),
                {"receiver": "none", "matchers": ['severity="none"']},
                {
                    "receiver": "page",
                    "matchers": [_CRITICAL],
                    "group_wait": "10s",
                    "repeat_interval": "1h",
                    **_muted(each for each in mute_times if each.critical),
                },
                # The root cannot be muted; this takes what the others leave.
                *([{"receiver": "notify", **_muted(mute_times)}] if mute_times else []),
            ],
        },
        "inhibit_rules": _inhibitions(),
        **({"time_intervals": [_interval(each) for each in mute_times]} if mute_times else {}),
        "receivers": [
            {"name": "none"},
            {"name": "notify", **receivers.notify},
            {"name": "page", **receivers.page},
            *([{"name": "heartbeat", **heartbeat}] if heartbeat else []),
        ],
    }


_HEARTBEAT_ROUTE = {
    "receiver": "heartbeat",
    "matchers": ['alertname="Watchdog"'],
    "group_wait": "0s",
    # Repetition is looked at once in a group interval, so this is the distance of two heartbeats.
    "group_interval": "1m",
    "repeat_interval": "50s",
}


def _muted(times: Iterable[MuteTime]) -> dict[str, list[str]]:
    names = [each.name for each in times]
    return {"mute_time_intervals": names} if names else {}


def _interval(time: MuteTime) -> Mapping[str, Any]:
    days = {"weekdays": list(time.weekdays)} if time.weekdays else {}
    hours = {"times": [{"start_time": time.start, "end_time": time.end}]}
    return {"name": time.name, "time_intervals": [hours | days]}


def _inhibitions() -> list[Mapping[str, Any]]:
    """Silence consequences: what says again what a critical alert says, and what follows from it."""
    rules: list[Mapping[str, Any]] = [
        {
            "source_matchers": [_CRITICAL],
            "target_matchers": [_WARNING],
            "equal": ["component", "pod"],
        },
        # What is down is also slow, failing and out of connections.
        {
            "source_matchers": [_DOWN, _CRITICAL],
            "target_matchers": [_NOT_DOWN, 'severity!="none"'],
            "equal": ["component"],
        },
    ]
    for component, dependents in _DEPENDENTS.items():
        source = [_DOWN, _CRITICAL, f'component="{component}"']
        affected = f'component=~"{"|".join(dependents)}"'
        rules.append({"source_matchers": source, "target_matchers": [affected, _NOT_DOWN]})
        rules.append({"source_matchers": source, "target_matchers": ['component="kubernetes"', _OF_THE_API]})
    return rules

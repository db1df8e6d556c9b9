"""What anybody may ask: the published state and parts of it, one decision, health, metrics."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse, Response, StreamingResponse

from rpmcore.server.answers import DecisionAnswer, Health, KillSwitchesAnswer, LimitsAnswer, StateAnswer, StressAnswer
from rpmcore.server.problems import ProblemError, as_json, documented
from rpmcore.server.service import Here, Service

PROBLEMS = documented(401, 403, 421, 500)

router = APIRouter(tags=["state"])


@router.get("/v1/state", responses={200: {"model": StateAnswer}, **PROBLEMS}, summary="What the gate holds and allows.")
async def state(service: Here) -> Response:
    """Return the state after a recent command: `revision` says which. At most a moment old, and never in between."""
    return Response(service.published.state.body, media_type="application/json")


@router.get(
    "/v1/events",
    responses={200: {"description": "Server-sent events named `state`, each a whole `rpm.state/1`.",
                     "content": {"text/event-stream": {"schema": {"type": "string"}}}},
               **PROBLEMS, **documented(503)},
    response_class=StreamingResponse, summary="The state, whenever it changes.",
)  # fmt: skip
async def events(service: Here) -> Response:
    """Send the state whenever its revision changes, and now and then where it does not."""
    if service.streams >= service.settings.most_streams:
        raise ProblemError(503, f"{service.streams} streams are open, as many as may be")
    return StreamingResponse(_events(service), media_type="text/event-stream")


async def _events(service: Service) -> AsyncIterator[bytes]:
    settings, published = service.settings, service.published
    service.streams += 1
    try:
        while True:
            shown = published.state
            yield b"event: state\ndata: " + shown.body + b"\n\n"
            await service.pause(settings.stream_seconds)
            if published.state is shown and not service.stopping.is_set():
                await published.changed(shown, settings.heartbeat_seconds - settings.stream_seconds)
            if service.stopping.is_set():
                return
    finally:
        service.streams -= 1


@router.get("/v1/limits", responses={200: {"model": LimitsAnswer}, **PROBLEMS}, summary="The limits, and their use.")
async def limits(service: Here) -> Response:
    """Return the limits in force with their derivation, and how much of each is used."""
    now = service.published.state.plain
    parts = {name: now[name] for name in ("revision", "at", "limits", "uses", "regime")}
    return as_json({"schema": "rpm.limits_now/1", **parts})


@router.get(
    "/v1/killswitches", responses={200: {"model": KillSwitchesAnswer}, **PROBLEMS}, summary="Which switches stand?"
)
async def killswitches(service: Here) -> Response:
    """Return what is released, and the kill switches of the account and of each strategy with their reasons."""
    now = service.published.state.plain
    parts = {name: now[name] for name in ("revision", "at", "trading_state", "integrity", "halted", "scopes")}
    return as_json({"schema": "rpm.killswitches/1", **parts})


@router.get(
    "/v1/decisions/{signal_id:path}",
    responses={200: {"model": DecisionAnswer}, **PROBLEMS, **documented(404, 422, 503)}, summary="A decision again.",
)  # fmt: skip
async def decision(signal_id: Annotated[str, Path(min_length=1, max_length=256)], service: Here) -> Response:
    """Return the recorded decision about a signal."""
    stored = await run_in_threadpool(service.stored, signal_id)
    if stored is None:
        raise ProblemError(404, f"no decision is recorded under the id {signal_id!r}")
    return as_json({**stored.to_plain(), "dry_run": service.dry_run})


@router.get(
    "/v1/stress", responses={200: {"model": StressAnswer}, **PROBLEMS, **documented(409, 503)},
    summary="What would be lost in a crisis?",
)  # fmt: skip
async def stress(service: Here) -> Response:
    """Return what the book that is held would lose in each crisis, by the parametric mode; `revision` says when."""
    return as_json(await service.stress.report())


@router.get("/metrics", responses={200: {"content": {"text/plain": {}}}, **PROBLEMS}, response_class=PlainTextResponse)
async def metrics(service: Here) -> Response:
    """Return the metrics in Prometheus' text format."""
    found = await run_in_threadpool(service.metrics)
    return Response(found, media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/health/live", responses={200: {"model": Health}, **documented(421)}, summary="Does it live?")
async def live() -> Response:
    """Return 200 for as long as the process answers."""
    return as_json({"status": "ok", "reasons": []})


@router.get(
    "/health/ready",
    responses={200: {"model": Health}, **documented(421), 503: {"model": Health, "description": "Not ready, and why."}},
    summary="May it be asked?",
)
async def ready(service: Here) -> Response:
    """Return 200 where kernels are warm, the ledger is open, the state is restored and nothing contradicts it."""
    reasons = service.unready()
    if not reasons:
        return as_json({"status": "ok", "reasons": []})
    answer = as_json({"status": "not ready", "reasons": reasons})
    answer.status_code = 503
    return answer

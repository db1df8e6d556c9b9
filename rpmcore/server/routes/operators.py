"""What operators say. It comes before everything that waits, and finds room in a full queue."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from rpmcore.decision.engine import Event
from rpmcore.domain.commands import OperatorAction
from rpmcore.gate import RiskGate
from rpmcore.server.answers import Obeyed, ReconciliationAnswer
from rpmcore.server.bodies import BrokerBookBody, LooseningBody, OperatorBody
from rpmcore.server.problems import as_json, documented
from rpmcore.server.service import Here, Service

PROBLEMS = documented(400, 401, 403, 408, 409, 413, 415, 421, 422, 500, 503)
ANSWERS: dict[int | str, dict[str, Any]] = {200: {"model": Obeyed}, **PROBLEMS}

router = APIRouter(prefix="/v1", tags=["operators"])


@router.post("/operator/trip", responses=ANSWERS, summary="Stop: trip a kill switch.")
async def trip(body: OperatorBody, service: Here) -> Response:
    """Trip a kill switch of the account or of a strategy; `value` is the severity, such as `halt`."""
    return await _operate(service, "trip", body)


@router.post("/operator/reset", responses=ANSWERS, summary="Go on: reset the kill switches of a scope.")
async def reset(body: LooseningBody, service: Here) -> Response:
    """Reset the kill switches of the account or of a strategy; `measure_anew` accepts what was lost."""
    return await _operate(service, "reset", body)


@router.post("/operator/pin-regime", responses=ANSWERS, summary="Hold the regime, whatever is measured.")
async def pin_regime(body: LooseningBody, service: Here) -> Response:
    """Hold the regime that `value` names, until it is released."""
    return await _operate(service, "pin_regime", body)


@router.post("/operator/release-regime", responses=ANSWERS, summary="Let the market decide its regime again.")
async def release_regime(body: LooseningBody, service: Here) -> Response:
    """Let the market decide about its regime again."""
    return await _operate(service, "release_pin", body)


@router.post("/operator/enable-strategy", responses=ANSWERS, summary="Bring back a strategy disabled for its health.")
async def enable_strategy(body: LooseningBody, service: Here) -> Response:
    """Bring back the strategy that `scope` names, on probation."""
    return await _operate(service, "enable_strategy", body)


@router.post("/operator/clear-integrity", responses=ANSWERS, summary="End HALTED, after reconciling.")
async def clear_integrity(body: LooseningBody, service: Here) -> Response:
    """End HALTED, after ledger, positions and orders were reconciled."""
    return await _operate(service, "clear_integrity", body)


@router.post("/operator/adopt-broker", responses=ANSWERS, summary="End a reconciliation: what the broker says, is so.")
async def adopt_broker(body: OperatorBody, service: Here) -> Response:
    """Make the broker's view the gate's; `value` is the number of the reconciliation that waits.

    `scope` is the strategy to which differences are booked that belong to none.
    """
    return await _operate(service, "adopt_broker", body)


@router.post("/operator/adopt-gate", responses=ANSWERS, summary="End a reconciliation: what the gate says, is so.")
async def adopt_gate(body: OperatorBody, service: Here) -> Response:
    """Let the gate's view stand; `value` is the number of the reconciliation that waits."""
    return await _operate(service, "adopt_gate", body)


@router.post(
    "/reconciliations", responses={200: {"model": ReconciliationAnswer}, **PROBLEMS},
    summary="Does the gate hold what the broker says?",
)  # fmt: skip
async def reconcile(body: BrokerBookBody, service: Here) -> Response:
    """Hold what the broker says against the gate's books, and record both.

    A difference halts trading until one of the two views is adopted. 200 is the answer whether they agree or not.
    """
    book = body.book()

    def reconciled(gate: RiskGate) -> dict[str, Any]:
        gate.obey()
        before = gate.engine.sequence
        differences = gate.reconcile(book, request_id=body.request_id)
        waiting, sequence = gate.engine.reconciliation, gate.engine.sequence
        return {
            "schema": "rpm.reconciliation/1", "source": book.source,
            "differences": [{**each.to_plain(), "text": each.text} for each in differences],
            "waits": None if waiting is None else waiting["sequence"],
            **({"waits_reason": "no difference stands"} if waiting is None else {}), "sequence": sequence,
            "trading_state": gate.trading_state.value, "replayed": sequence == before, "dry_run": service.dry_run,
        }  # fmt: skip

    return as_json(await service.desk.ask(reconciled, urgent=True))


@router.post("/operator/reload", responses=ANSWERS, summary="Read the configuration again, and decide by it.")
async def reload(body: OperatorBody, service: Here) -> Response:
    """Read the configuration of the service again, and decide by it from the next decision on; it may also loosen."""
    settings = await run_in_threadpool(service.configuration)

    def reloaded(gate: RiskGate) -> tuple[Event, ...]:
        events = gate.reload(settings, operator=body.operator, reason=body.reason, request_id=body.request_id)
        service.watcher.reload_problem = None
        return events

    return await _obeyed(service, "reload", body, reloaded)


async def _operate(service: Service, action: OperatorAction, body: OperatorBody) -> Response:
    return await _obeyed(service, action, body, lambda gate: gate.operate(action, **body.model_dump()))


async def _obeyed(
    service: Service, action: str, body: OperatorBody, do: Callable[[RiskGate], tuple[Event, ...]]
) -> Response:
    def done(gate: RiskGate) -> dict[str, Any]:
        gate.obey()  # what was asked for by other ways is not taken for what is answered here
        before = gate.engine.sequence
        do(gate)
        sequence = gate.engine.sequence
        return {
            "action": action, "scope": body.scope, "value": body.value, "operator": body.operator,
            "reason": body.reason, "sequence": sequence if sequence > before else None,
            **({} if sequence > before else {"sequence_reason": "it changed nothing, or was carried out before"}),
            "trading_state": gate.trading_state.value, "replayed": sequence == before,
        }  # fmt: skip

    return as_json(await service.desk.ask(done, urgent=True))

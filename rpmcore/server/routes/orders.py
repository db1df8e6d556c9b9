"""What strategies and brokers say: signals, releases, fills, order events, marks, prices, closed trades."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi.responses import Response

from rpmcore.decision.engine import Event
from rpmcore.domain.canonical import canonical_bytes
from rpmcore.domain.commands import EquityMark, OrderClosed
from rpmcore.domain.decisions import RejectionException
from rpmcore.domain.errors import InvalidArgument
from rpmcore.gate import RiskGate, approved_trade
from rpmcore.server.answers import DecisionAnswer, Recorded, ReleaseAnswer
from rpmcore.server.bodies import (
    ClosedTradeBody,
    FillBody,
    MarkBody,
    OrderEventBody,
    PricesBody,
    ReleaseBody,
    SignalBody,
)
from rpmcore.server.problems import ProblemError, as_json, documented
from rpmcore.server.service import Here, Service

PROBLEMS = documented(400, 401, 403, 408, 409, 413, 415, 421, 422, 500, 503)
REPLAYED = "Idempotent-Replay"

router = APIRouter(prefix="/v1", tags=["orders"])

_IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", description="Where given, the `signal_id` again: that is the key.")
]


@router.post("/decisions", responses={200: {"model": DecisionAnswer}, **PROBLEMS}, summary="May this trade be sent?")
async def decide(body: SignalBody, service: Here, idempotency_key: _IdempotencyKey = None) -> Response:
    """Decide a signal, and record the decision before it is answered.

    The verdict says whether it is approved, cut or rejected; all three are answered with 200. The same body again gets
    the stored decision, with the header `Idempotent-Replay: true`; another body under the same `signal_id` gets 409.
    After a timeout send the same body again.
    """
    if idempotency_key is not None and idempotency_key != body.signal_id:
        raise ProblemError(409, "the header Idempotency-Key must be the signal_id, or be left out")

    def decided(gate: RiskGate) -> tuple[bytes, bool]:
        before = gate.engine.sequence
        decision = gate.decide(body.signal(gate.now()), undated=body.at is None)
        replayed = decision.sequence <= before
        conflict = decision.check("duplicate_conflict")
        if not replayed and conflict.status == "reject":
            raise ProblemError(409, f"this id is taken, with another content: {conflict.text}")
        return gate.recorded(body.signal_id) or canonical_bytes(decision.to_plain()), replayed

    raw, replayed = await service.ask(decided)
    # As it stands in the ledger: what is answered is what is recorded, and a retry gets the same bytes.
    told = raw[:-1] + (b',"dry_run":true}' if service.dry_run else b',"dry_run":false}')
    return Response(told, headers={REPLAYED: "true"} if replayed else {}, media_type="application/json")


@router.post("/what-if", responses={200: {"model": DecisionAnswer}, **PROBLEMS}, summary="What would be decided?")
async def what_if(body: SignalBody, service: Here) -> Response:
    """Return what would be decided now; nothing is recorded, and nothing may be sent on it."""
    decision = await service.ask(lambda gate: gate.what_if(body.signal(gate.now())))
    return as_json({**decision.to_plain(), "dry_run": service.dry_run})


@router.post(
    "/releases", responses={200: {"model": ReleaseAnswer}, **PROBLEMS}, summary="An approved trade is sent now."
)
async def release(body: ReleaseBody, service: Here) -> Response:
    """Record that an approved trade is sent now, once, and return the signed release: only then may it be sent.

    409 says why not: it was not approved, was changed, was released before, has expired, or there was a halt since.
    """
    if service.dry_run:
        raise ProblemError(409, "this is a dry run: nothing may be sent")

    def released(gate: RiskGate) -> dict[str, Any]:
        decision = gate.decided(body.signal_id)
        if decision is None or not decision.approved:
            raise RejectionException(f"nothing is approved under the id {body.signal_id!r}")
        trade = approved_trade(decision)
        changes: dict[str, Any] = {"signature": body.signature, "quantity": body.quantity or trade.quantity}
        return gate.release(replace(trade, **changes)).to_plain()

    return as_json(await service.ask(released))


@router.post("/order-events", responses={200: {"model": Recorded}, **PROBLEMS}, summary="The broker says of an order …")
async def order_event(body: OrderEventBody, service: Here) -> Response:
    """Take what the broker says of an order.

    `cancelled` and `rejected` end it: the rest will not be filled. `accepted` changes nothing and is not recorded; it
    gets 409 where no such order works.
    """

    def taken(gate: RiskGate) -> tuple[Event, ...]:
        if body.event == "accepted":
            if body.order_id not in gate.engine.account.orders:
                raise InvalidArgument(f"no order {body.order_id!r} works")
            return ()
        return gate.handle(
            OrderClosed(
                at=gate.now(), command_id=body.event_id, correlation_id=body.order_id, order_id=body.order_id,
                outcome=body.event, reason=body.reason,
            )
        )  # fmt: skip

    return await _recorded(service, taken)


@router.post("/fills", responses={200: {"model": Recorded}, **PROBLEMS}, summary="An order was filled.")
async def fill(body: FillBody, service: Here) -> Response:
    """Take a fill; its id is taken once.

    Another fill under the id of one halts the account: somebody's book is wrong.
    """
    return await _recorded(service, lambda gate: gate.fill(**body.model_dump()))


@router.post("/marks", responses={200: {"model": Recorded}, **PROBLEMS}, summary="The equity, as the broker states it.")
async def mark(body: MarkBody, service: Here) -> Response:
    """Take the equity of the account as the broker states it."""
    return await _recorded(
        service, lambda gate: gate.handle(EquityMark(at=gate.now(), command_id=body.mark_id, equity=body.equity))
    )


@router.post("/prices", responses={200: {"model": Recorded}, **PROBLEMS}, summary="Last prices, or a day's closes.")
async def prices(body: PricesBody, service: Here) -> Response:
    """Take last prices; with a day, its closes, of which each day has one set."""
    if body.day is None:
        return await _recorded(service, lambda gate: gate.quotes(body.prices))
    day = body.day
    return await _recorded(service, lambda gate: gate.price_bar(day, body.prices))


@router.post("/closed-trades", responses={200: {"model": Recorded}, **PROBLEMS}, summary="A trade is over.")
async def closed_trade(body: ClosedTradeBody, service: Here) -> Response:
    """Take a trade that is over: its strategy is judged by it. Its id is taken once."""
    trade = body.trade()
    return await _recorded(service, lambda gate: gate.trade_closed(trade))


async def _recorded(service: Service, do: Callable[[RiskGate], tuple[Event, ...]]) -> Response:
    def done(gate: RiskGate) -> dict[str, Any]:
        before = gate.engine.sequence
        events = do(gate)
        return {
            "sequence": gate.engine.sequence, "trading_state": gate.trading_state.value,
            "replayed": gate.engine.sequence == before, "events": list(events), "dry_run": service.dry_run,
        }  # fmt: skip

    return as_json(await service.ask(done))

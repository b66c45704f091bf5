"""A bot of another worker that answers step by step, as it is told to, on the log that the doors read."""

from dataclasses import dataclass

from agent.errors import LeaseLost
from agent.events import Custom
from agent.handoff import Move
from agent.types import Mode
from server.run_stream import snapshot
from tests.server.harness import WORKSPACE
from tests.tools.storage.arrange import bot_message, finished, story, words
from tools.storage.codec import custom
from tools.storage.log import ConversationLog, Lease, NewEvent, TurnWork
from tools.storage.scope import Scope

SYSTEM = Scope.system(WORKSPACE)
WORDS = ("Invoices are ", "under **Billing**. ", "🧾 Voilà.")
DEEDS = ("step", "note", "speak", "speak", "end", "hand over", "die")


@dataclass
class Speaking:
    """A turn that a worker has in hand, and how far its answer is."""

    lease: Lease
    work: TurnWork
    text: str = ""
    in_step: bool = False

    @property
    def message_id(self) -> str:
        return f"{self.work.turn_id}-{self.work.attempts}"

    @property
    def silent(self) -> bool:
        return self.work.conversation.mode in (Mode.WAITING, Mode.WITH_PERSON)


@dataclass
class Bot:
    """Whoever works on a conversation now."""

    speaking: Speaking | None = None
    claims: int = 0


async def take_over(log: ConversationLog, bot: Bot, conversation_id: str) -> None:
    """Begin the next turn, or the one that is running anew, as a worker that takes it from a dead one."""
    if bot.speaking is not None:
        await log.renew(bot.speaking.lease, -1.0)
    bot.claims += 1
    begun = await log.begin(conversation_id, holder=f"w{bot.claims}", ttl_s=600)
    bot.speaking = None if begun is None else Speaking(*begun)
    if begun is not None and begun[1].restarted_after_words:
        messages = await log.messages(SYSTEM, conversation_id)
        await log.append(begun[0], begun[1].turn_id, [NewEvent(snapshot(messages))])


async def take_step(log: ConversationLog, bot: Bot, speaking: Speaking, deed: str, word: str) -> None:
    """Go on with a turn, and after its end with the next one."""
    try:
        if not await _go_on(log, speaking, deed, word):
            # It is over, or more messages came and it begins anew with all of them.
            following = await log.next_turn(speaking.lease)
            bot.speaking = None if following is None else Speaking(speaking.lease, following)
    except LeaseLost:
        bot.speaking = None


async def _go_on(log: ConversationLog, speaking: Speaking, deed: str, word: str) -> bool:
    lease, turn_id, count = speaking.lease, speaking.work.turn_id, len(speaking.work.messages)
    if deed == "step":
        speaking.in_step = not speaking.in_step
        await log.append(lease, turn_id, [_step(started=speaking.in_step)])
    elif deed == "note":
        await log.append(lease, turn_id, [_for_staff(turn_id)])
    elif deed == "speak" and not speaking.silent:
        started = words(word, speaking.message_id)
        if not speaking.text and not await log.open_answer(lease, turn_id, message_count=count, events=started):
            return False
        if speaking.text:
            await log.append(lease, turn_id, started[1:])
        speaking.text += word
    elif deed in ("end", "hand over"):
        ending = [_step(started=False)] if speaking.in_step else []
        if speaking.text:
            ending.append(NewEvent({"type": "TEXT_MESSAGE_END", "messageId": speaking.message_id}))
            ending.append(bot_message(speaking.text, speaking.message_id))
        moves = deed == "hand over" and not speaking.silent
        await log.finish_turn(
            lease,
            turn_id,
            message_count=count,
            events=[*ending, _for_staff(turn_id), finished(speaking.work)],
            status="finished",
            outcome="handed_off" if moves else "delivered",
            move=Move.HAND_OFF if moves else None,
            handoff=story() if moves else None,
        )
        return False
    return True


def _step(*, started: bool) -> NewEvent:
    return NewEvent({"type": "STEP_STARTED" if started else "STEP_FINISHED", "stepName": "answer"})


def _for_staff(turn_id: str) -> NewEvent:
    return NewEvent(custom(Custom.EVIDENCE, {"message_id": turn_id, "probability": 0.5}), audience="staff")

"""An event loop with a clock of its own, on which several machines run that can die or stand still.

Time jumps to the next timer when nobody has anything to do. Which machine runs next is drawn; on one machine callbacks
keep asyncio's order, because code may rely on it. What makes tasks overtake each other there is what does so in
reality: each wait for a disk, a network or a model takes a time that is drawn.
"""

import asyncio
import contextlib
import gc
import heapq
import sys
import warnings
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextvars import Context, ContextVar
from random import Random
from typing import Any, TypeVar, TypeVarTuple

_MACHINE: ContextVar["Machine"] = ContextVar("machine")
# What a step of a program costs, so that a timer can come due between two of them.
_STEP_S = 0.00002
_MANY_TASKS = 500
_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class Stalled(Exception):
    """Nobody has anything to do, now or later, and the round isn't over."""


class Machine:
    """Where tasks run: one process of the product, or the world around them all.

    A dead machine's tasks never run again, not even to clean up; a frozen one's run when it thaws, as if no time had
    passed.
    """

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.number = number
        self.ready: deque[asyncio.Handle] = deque()
        self.dead = False
        self.frozen = False
        self.steps = 0
        self.alarm: tuple[int, Callable[[], None]] | None = None
        self.at_death: list[Callable[[], None]] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self.context = Context()
        self.context.run(_MACHINE.set, self)

    def after(self, steps: int, happens: Callable[[], None]) -> None:
        """Let something happen when it has taken so many more steps."""
        self.alarm = (self.steps + steps, happens)

    def kill(self) -> None:
        """End it as SIGKILL does."""
        if not self.dead:
            self.dead = True
            for told in self.at_death:
                told()
            self.at_death.clear()


class SimulatedLoop(asyncio.BaseEventLoop):
    """Runs the tasks of machines. `digest` follows from every step taken, so it tells two schedules apart."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self._random = random
        self._now = 0.0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._timer_number = 0
        self.machines: list[Machine] = []
        self._living: list[Machine] = []
        self.world = self.machine("world")
        self.digest = 0
        self.steps = 0
        self.errors: list[str] = []
        self.set_task_factory(_task_on_its_machine)
        self.set_exception_handler(self._note_error)

    def machine(self, name: str) -> Machine:
        """Add a machine."""
        made = Machine(name, len(self.machines))
        self.machines.append(made)
        self._living.append(made)
        made.at_death.append(lambda: self._living.remove(made))
        return made

    def start(self, machine: Machine, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run `work` as a task of a machine."""
        return self.create_task(work, context=machine.context.copy())

    def tell(self, machine: Machine, callback: Callable[[], object], after_s: float = 0.0) -> None:
        """Have a machine call something, when it runs."""
        self.call_later(after_s, callback, context=machine.context)

    def bury(self) -> None:
        """Let go of every task that never ended, without a word from it. Nothing runs after this."""
        hook, sys.unraisablehook = sys.unraisablehook, _say_nothing
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for machine in self.machines:
                for task in machine.tasks:
                    if not task.done():
                        _silence(task)
                machine.tasks.clear()
                machine.ready.clear()
            self._timers.clear()
            self.close()
            # What this round made is all young, because nothing is collected while it is played.
            gc.collect(0)
            # Generators that were collected have asked to be closed by tasks, and those hold on to all the rest.
            for machine in self.machines:
                for task in machine.tasks:
                    _silence(task)
                machine.tasks.clear()
                machine.ready.clear()
            gc.collect(0)
        sys.unraisablehook = hook

    # What asyncio asks of a loop.

    def time(self) -> float:
        """Seconds since the round began."""
        return self._now

    def run_in_executor(self, executor: Executor | None, func: Callable[[*_Ts], _T], *args: *_Ts) -> asyncio.Future[_T]:
        """Run it here and now: threads would run when they like."""
        future: asyncio.Future[_T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as exc:
            future.set_exception(exc)
        return future

    def call_at(
        self,
        when: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call it then."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._timer_number += 1
        heapq.heappush(self._timers, (when, self._timer_number, timer))
        return timer

    def call_later(
        self,
        delay: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call it after `delay` seconds."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def _call_soon(self, callback: Callable[..., Any], args: Any, context: Context | None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._queue(handle)
        return handle

    def _queue(self, handle: asyncio.Handle) -> None:
        machine: Machine = handle._context.get(_MACHINE, self.world)  # type: ignore[attr-defined]  # Not in the stub.
        machine.ready.append(handle)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is passed over when it comes due."""

    def _write_to_self(self) -> None:
        """Nobody sleeps in a selector."""

    def _run_once(self) -> None:
        # As many steps as there are: asyncio's own loop around this costs as much as one.
        while not self._stopping:  # type: ignore[attr-defined]  # Not in the stub.
            self._step()

    def _step(self) -> None:
        timers, now = self._timers, self._now
        while timers and timers[0][0] <= now:
            timer = heapq.heappop(timers)[2]
            if not timer.cancelled():
                self._queue(timer)
        able = [machine for machine in self._living if machine.ready and not machine.frozen]
        if not able:
            while timers and timers[0][2].cancelled():
                heapq.heappop(timers)
            if not timers:
                raise Stalled
            self._now = max(now, timers[0][0])
            return
        machine = able[0] if len(able) == 1 else able[int(self._random.random() * len(able))]
        self.digest = hash((self.digest, machine.number, int(now * 1e6)))
        self.steps += 1
        machine.steps += 1
        self._now = now + _STEP_S
        handle = machine.ready.popleft()
        if not handle.cancelled():
            handle._run()
        if machine.alarm is not None and machine.steps >= machine.alarm[0]:
            happens, machine.alarm = machine.alarm[1], None
            happens()

    def _note_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.errors.append(f"{context.get('message')}: {context.get('exception')!r}")


def _say_nothing(unraisable: object) -> None:
    """What the dead would have said while they are buried."""


def _silence(task: asyncio.Task[Any]) -> None:
    # A task that is collected says so, and its coroutine runs its `finally` blocks then: have that behind us, here.
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # How asyncio itself says that it is meant.
    work = task.get_coro()
    for _ in range(50):
        with contextlib.suppress(BaseException):
            work.close()
            return


def _task_on_its_machine(
    loop: asyncio.AbstractEventLoop, work: Any, context: Context | None = None, **options: Any
) -> asyncio.Task[Any]:
    assert isinstance(loop, SimulatedLoop)
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context, **options)
    machine = context.get(_MACHINE, loop.world) if context is not None else _MACHINE.get(loop.world)
    machine.tasks.append(task)
    if len(machine.tasks) > _MANY_TASKS:
        machine.tasks = [each for each in machine.tasks if not each.done()]
    return task

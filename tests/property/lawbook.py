"""A world that is made from a mix, and keeps books of what ran for which firing."""

from __future__ import annotations

import datetime
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator

import attrs
from hypothesis import event

from tests.property.mixes import LIMITS, Act, Mix, Plan
from tests.world import Ends, Item, Needs, Wait, World
from ujr_core.scheduler import Mode, commands
from ujr_core.scheduler.firing import Firing
from ujr_core.values import Backoff, JobDone, NextCheck, Result

GIVE_UP_AFTER = 100
"""Above what any task fails in a row: what fails for a firing that makes way fails for the next one, too."""

HOUR = 3600.0
FOR_EVER = 1e6
MOST_TURNS = 20_000


@attrs.define
class Account:
    """What came of one task for one firing.

    Args:
        failures: reported.
        successes: reported.
        cut: runs that were going when their runner was killed: nobody learns what came of them.
    """

    failures: int = 0
    successes: int = 0
    cut: int = 0


Key = tuple[str, float | None]
"""A job, and the firing that it is asked for."""


class HookError(Exception):
    """A made-up hook raised."""


class LawWorld(World):
    """Plays a mix to its end, and objects where the law is broken.

    Args:
        mix: what is played.
    """

    def __init__(self, mix: Mix) -> None:
        super().__init__(workers=mix.workers, longest_line=mix.longest_line, mode=Mode.UNTIL_IDLE, limits=LIMITS)
        self.plans = {f"job{number}": plan for number, plan in enumerate(mix.jobs)}
        self.accounts: defaultdict[Key, defaultdict[str, Account]] = defaultdict(lambda: defaultdict(Account))
        self.going: defaultdict[str, dict[str, float | None]] = defaultdict(dict)
        self.named: defaultdict[Key, set[str]] = defaultdict(set)
        self.due: dict[str, float | None] = {}
        self.raised: Counter[str] = Counter()
        self.deeds: Counter[tuple[str, str]] = Counter()
        self.lives = 1
        self.forgotten: set[Key] = set()
        self.lulls = 0
        self.taken_back: Counter[str] = Counter()
        self._checks: defaultdict[str, bool] = defaultdict(bool)
        self._hook_raised: defaultdict[str, bool] = defaultdict(bool)
        self._waited: defaultdict[str, bool] = defaultdict(bool)
        self._failing: defaultdict[str, set[str]] = defaultdict(set)
        self._calls: Counter[str] = Counter()
        self._unsettled: dict[str, Firing | None] = {}
        self._turns = 0
        self._mix = mix
        for name, plan in self.plans.items():
            self._add(name, plan)
        if mix.lasts:
            self.job(
                "meanwhile", lambda: [Wait(left)] if (left := mix.lasts - self.now) > 0 else [], check_interval=HOUR
            )
        for act in mix.acts:
            self._befall(act, list(self.plans)[act.job % len(self.plans)])

    def _add(self, name: str, plan: Plan) -> None:
        settings = {**plan.settings, **plan.schedule, "give_up_after": GIVE_UP_AFTER}
        settings["backoff"] = Backoff(first=settings.pop("backoff_first", 1.0))
        self.job(name, lambda: self._answer(name, plan), **{"check_interval": HOUR, **settings})

    def _befall(self, act: Act, name: str) -> None:
        if act.deed == "crash":
            return
        self.deeds[name, act.deed] += 1
        if act.deed == "pause":
            self.pause(act.at, name)
            self.resume(act.at + act.lasts, name)
        elif act.deed == "pause for":
            self.pause(act.at, name, until=act.at + act.lasts)
        else:
            # Another one each time: to ask again for a firing that is settled is a person's right.
            due = self.wall - 1000.0 * self.deeds[name, act.deed] if act.deed == "backfill" else None
            self.trigger(act.at, name, due)

    def play(self) -> LawWorld:
        """Go on until idle, through what befalls the runner."""
        for act in sorted((act for act in self._mix.acts if act.deed == "crash"), key=lambda act: act.at):
            if act.at > self.now and not self.run(until=act.at).state.is_finished:
                self.crash(seconds=act.lasts)
        self.run(until=FOR_EVER)
        assert self.state.is_finished, "--until-idle does not end"
        return self

    # What the jobs know, and name.

    def _answer(self, name: str, plan: Plan) -> Iterable[Item]:
        self._calls[name] += 1
        raises = self._calls[name] in plan.raises
        self._hook_raised[name] = raises
        self.raised[name] += raises
        if raises and not plan.names_first:
            raise HookError
        items = self._items(name, plan, self.due[name], raises=raises)
        return items if plan.is_lazy or plan.pull or raises or plan.shape == "one-shot" else list(items)

    def _items(self, name: str, plan: Plan, due: float | None, *, raises: bool) -> Iterator[Item]:
        key = name, due
        is_ready = self._is_ready(name)
        missing = self._missing(name, plan, due) if is_ready else []
        self._checks[name] = plan.next_check is not None and bool(missing or not is_ready)
        if self._checks[name]:
            yield NextCheck(after=plan.next_check)
        for signature in missing:
            if plan.pull:
                yield Wait(plan.pull)
            if plan.is_lazy and signature not in self._missing(name, plan, due):
                continue
            self.named[key].add(signature)
            yield Needs(signature, tuple((limit, 1) for limit in plan.uses))
            if raises:
                raise HookError
        if raises:
            raise HookError
        if plan.shape == "one-shot":
            raise JobDone

    def _missing(self, name: str, plan: Plan, due: float | None) -> list[str]:
        """What a job would name now, could it look at its world."""
        tasks = self.tasks(name)
        missing = [task for task in tasks if not self.accounts[name, due][task].successes]
        if plan.shape in ("list", "one-shot"):
            return tasks
        if plan.shape == "steps":
            return missing[:1]
        if plan.shape == "join":
            # The last one comes after the others, and only what does not run yet is named.
            return [task for task in missing[: len(missing) - 1] or missing if task not in self.going[name]]
        return missing

    def tasks(self, name: str) -> list[str]:
        """Signatures of a job's tasks."""
        return [f"{name}/{number}" for number in range(len(self.plans[name].fails))]

    def _is_ready(self, name: str) -> bool:
        return self.plans[name].shape != "waits" or self._has_got_through(self._before(name))

    def _before(self, name: str) -> str | None:
        names = list(self.plans)
        number = names.index(name)
        return names[number - 1] if number else None

    def _has_got_through(self, name: str | None) -> bool:
        """Whether a job's results are there, of any firing of it."""
        return name is None or any(
            all(tasks[one].successes for one in self.tasks(name))
            for (job, _), tasks in list(self.accounts.items())
            if job == name
        )

    # What is written down.

    def _turn(self) -> None:
        self._turns += 1
        assert self._turns < MOST_TURNS, "the scheduler finds no rest"
        super()._turn()

    def _AskJob(self, command: commands.AskJob) -> None:
        self.due[command.job] = command.due - self.wall if command.due is not None else None
        super()._AskJob(command)

    def _CloseAnswer(self, command: commands.CloseAnswer) -> None:
        super()._CloseAnswer(command)
        self._checks[command.job] = False  # what was not complete counts for nothing

    def _StartRuns(self, command: commands.StartRuns) -> None:
        for run in command.runs:
            if run.offer.signature in self.going[run.job.name]:
                event("a run was started elsewhere")
            name, signature = run.job.name, run.offer.signature
            due = run.answer.firing.due - self.wall if run.answer.firing is not None else None
            assert (name, due) not in self._settled_keys(), f"{signature} starts for {due}, which is settled"
            assert set(self.going[name].values()) <= {due}, f"{signature} starts beside a run of another firing"
            plan = self.plans[name]
            number = int(signature.rpartition("/")[2])
            fails = plan.fails[number]
            is_to_fail = self.accounts[name, due][signature].failures < fails
            seconds = 0.0 if plan.is_uneven and number % 2 == 0 else plan.seconds
            self.ends[signature] = Ends(MOST_TURNS if is_to_fail else 0, seconds, plan.kind, 2.0)
            self.going[name][signature] = due
            super()._StartRuns(commands.StartRuns((run,)))

    def _ReportEnded(self, command: commands.ReportEnded) -> None:
        super()._ReportEnded(command)
        name, signature = command.run.job.name, command.run.offer.signature
        account = self.accounts[name, self.going[name].pop(signature)][signature]
        self.lulls += not any(self.going.values())
        if isinstance(command.outcome, Result):
            account.successes += 1
            assert account.successes == 1, f"{signature} was run again for {self.due[name]}"
            self._failing[name].discard(signature)
        else:
            account.failures += 1
            self._failing[name].add(signature)

    def _ForgetRun(self, command: commands.ForgetRun) -> None:
        super()._ForgetRun(command)
        event("a run never began")
        sent = next(one for one in reversed(self.sent) if one.run_id == command.run_id)
        name = sent.signature.partition("/")[0]
        del self.going[name][sent.signature]
        self.taken_back[name] += 1
        self.lulls += not any(self.going.values())

    def _settled_keys(self) -> set[Key]:
        return {(name, due - self.wall) for _, name, due in self.settled}

    def _note_settled(self) -> None:
        before = len(self.settled)
        super()._note_settled()
        for _, name, due in self.settled[before:]:
            self._check_settled(name, due - self.wall, self.settled[:before])
        for name in self.plans:
            job = self.state.jobs[name]
            was, self._unsettled[name] = self._unsettled.get(name), job.firing
            is_settled = job.settled is not None and was is not None and job.settled.due == was.due
            if was is not None and not is_settled and (job.firing is None or job.firing.due != was.due):
                self._note_made_way(name, was.due - self.wall)
            self._waited[name] = self._waits(name)

    def _check_settled(self, name: str, due: float, before: list[tuple[float, str, float]]) -> None:
        assert (name, due) not in {(one, at - self.wall) for _, one, at in before}, f"{name}: {due} is settled twice"
        assert not self.going[name], f"{name}: a run outlives its firing"
        assert not (wrong := self._wrong_of(name, due, self.tasks(name))), f"{name}: settled {due}, though {wrong}"
        self.forgotten.discard((name, due))

    def _note_made_way(self, name: str, due: float) -> None:
        event("a firing made way for another")
        assert not self.going[name], f"{name}: a run outlives its firing"
        # What took its place may have been asked about in this very turn.
        assert self._waited[name] or self._waits(name), f"{name}: {due} made way, though nothing of it waited"

    def _waits(self, name: str) -> bool:
        return self._checks[name] or self._hook_raised[name] or bool(self._failing[name])

    def crash(self, *, seconds: float = 0.0) -> LawWorld:
        """Kill the runner; what ran is cut short, and what waited in line is forgotten with it."""
        event("a runner was killed")
        self.lives += 1
        for name in self.plans:
            for signature, due in self.going.pop(name, {}).items():
                event("a run was cut short")
                self.accounts[name, due][signature].cut += 1
            self._forget_line(name)
        for memory in (self._failing, self._checks, self._hook_raised, self._waited):
            memory.clear()  # backoffs and NextChecks begin anew
        super().crash(seconds=seconds)
        return self

    def _forget_line(self, name: str) -> None:
        # Of a firing in line nothing is kept: if it comes again, its tasks begin anew.
        for firing in self.state.jobs[name].line:
            due = firing.due - self.wall
            self.forgotten.add((name, due))
            self.accounts.pop((name, due), None)

    # What the law says.

    def waits_for_its_check(self, name: str) -> bool:
        """Whether the last answer of a job gave a NextCheck."""
        return self._checks[name]

    def is_said_to_be_merged(self, name: str, due: float) -> bool:
        """Whether it was said of a firing of the schedule that another took its place; no other may be lost."""
        if due < 0 or due % 60:  # a person asked for it
            return False
        at = datetime.datetime.fromtimestamp(due + self.wall, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        told = [text for text in self.missed(name) if text.startswith(f"the firing of {at} ")]
        return any("is merged into" in text or "makes way for" in text for text in told)

    def most_asks(self, name: str) -> float:
        """How often a job may have been asked: what makes it wanted happens only so often."""
        plan, deeds = self.plans[name], self.deeds
        interval = math.inf if plan.schedule else plan.settings.get("check_interval", HOUR)
        if plan.next_check is not None:
            interval = min(interval, max(1.0, plan.next_check))
        runs, dues = len(self.started(name)) + self.taken_back[name], len(set(self.due_times(name)) - {None})
        # Of firings that a person asked for several may wait for the same thing, each looking for itself.
        waiting = 1 + deeds[name, "trigger"] + deeds[name, "backfill"]
        most = waiting * (self.now / interval + 2 * runs) + dues + deeds[name, "trigger"]
        # It starts with its runner, is resumed, tries its hook again, and may find news in the last run of another.
        pauses = deeds[name, "pause"] + deeds[name, "pause for"]
        return most + self.lives + pauses + self.raised[name] + self.lulls

    def wrong(self, name: str, due: float | None) -> str:
        """Which task of a job has not run exactly as often as it should have for a firing; "" if all have."""
        # Who gave a NextCheck, or waits for another, has asked for no more than it named.
        is_all_named = self._is_ready(name) and not self._checks[name]
        return self._wrong_of(name, due, self.tasks(name) if is_all_named else self.named[name, due])

    def _wrong_of(self, name: str, due: float | None, owed: Collection[str]) -> str:
        for signature, fails in zip(self.tasks(name), self.plans[name].fails, strict=True):
            account = self.accounts[name, due][signature]
            if signature in owed and (account.failures, account.successes) != (fails, 1):
                return f"{signature} had {account}, and should fail {fails} times"
        return ""

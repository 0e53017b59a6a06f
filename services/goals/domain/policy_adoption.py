"""The adoption of a policy: from a preset or from what is in force, changed where the company wants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pydantic import Field, JsonValue, ValidationError

from services.goals.domain.policy import DEFAULT, Policy, options
from services.goals.domain.policy_presets import PRESETS
from shared.eventsourcing.decider import Command, Decider, Rejected, RequestBody
from shared.schemas import wording
from shared.schemas.goal_policies import GoalPolicyAdopted, Preset
from shared.schemas.values import Known, ReasonCode

THE_COMPANYS: Final = UUID(int=0)
"""The policy's id: an installation is one company, and has one."""


@dataclass(frozen=True, slots=True)
class NotAdopted: ...


@dataclass(frozen=True, slots=True)
class Adopted:
    number: int
    preset: Preset | None
    policy: Policy


Adoption = NotAdopted | Adopted


class AdoptPolicyBody(RequestBody):
    """`options` change the preset or, if none is named, what is in force; an option takes what its schema says."""

    preset: Known[Preset] | None = None
    options: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue], max_length=200)
    reason: ReasonCode


class AdoptPolicy(AdoptPolicyBody, Command): ...


def in_force(adoption: Adoption) -> Policy:
    """The policy that decisions are made under."""
    return adoption.policy if isinstance(adoption, Adopted) else DEFAULT


def evolve(adoption: Adoption, event: GoalPolicyAdopted) -> Adoption:
    match event:
        case GoalPolicyAdopted():
            number = adoption.number + 1 if isinstance(adoption, Adopted) else 1
            return Adopted(number, event.preset, Policy(event.version, event.options))
        case _:  # pyright: ignore[reportUnnecessaryComparison] - a later version's event is no reason to fail
            return adoption


def decide(adoption: Adoption, command: AdoptPolicy) -> Sequence[GoalPolicyAdopted]:
    number, kept = (adoption.number, adoption.preset) if isinstance(adoption, Adopted) else (0, None)
    preset = command.preset or kept
    chosen = {**_start(adoption, command.preset), **_checked(command.options)}
    if isinstance(adoption, Adopted) and (preset, chosen) == (adoption.preset, adoption.policy.chosen):
        return []
    return [
        GoalPolicyAdopted(
            version=f"{preset or 'own'}-{number + 1}",
            preset=preset,
            options=dict(sorted(chosen.items())),
            reason=command.reason,
            adopted_by=command.by,
        )
    ]


def _start(adoption: Adoption, preset: Preset | None) -> dict[str, JsonValue]:
    """Every option of today: as the preset or else the policy in force has it, or by default."""
    defaults = {name: option.write(option.default) for name, option in options().items()}
    if preset is not None:
        return {**defaults, **_checked(PRESETS[preset])}
    chosen = in_force(adoption).chosen
    return {name: chosen.get(name, value) for name, value in defaults.items()}


def _checked(asked: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {name: _value(name, value) for name, value in asked.items()}


def _value(name: str, value: JsonValue) -> JsonValue:
    """The value as the option writes it.

    Raises:
        Rejected: there is no such option, or this is no value of it.
    """
    option = options().get(name)
    if option is None:
        raise Rejected("policy-option-must-be-known", option=name, known=sorted(options()))
    try:
        return option.write(option.read(value))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise Rejected(
            "policy-option-must-be-valid", option=name, value=value, field=place, message=wording.told(first)
        ) from error


ADOPTION: Final[Decider[Adoption]] = Decider(category="goalpolicy", initial=NotAdopted(), decide=decide, evolve=evolve)

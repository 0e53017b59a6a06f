"""The levels of goals, and of the plans that weigh them."""

from shared.schemas.values import OpenEnum


class GoalLevel(OpenEnum):
    """Whose goal it is: the company's, a team's or one person's."""

    ORGANIZATION = "organization"
    TEAM = "team"
    PERSON = "person"

"""Who sees a goal, as its owner or setter chose."""

from shared.schemas.values import OpenEnum


class GoalVisibility(OpenEnum):
    """Who sees a goal, besides its owner, its contributors and HR. Not said: as is usual at the goal's level."""

    EVERYONE = "everyone"
    TEAM_AND_LINE = "team-and-line"
    OWNER_AND_MANAGER = "owner-and-manager"

"""What is to be found out about a case besides whether it agrees."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Inquiry:
    """What to look into where nothing differs, what differs always being looked into, and what excuses a difference."""

    blame: bool = False
    """Try every operation by itself."""
    referee: bool = False
    """Ask the referee about the worst element of each variable."""
    evidence: bool = False
    """Make the checks that need no second opinion."""
    bounds: bool = False
    """Work out how far numbers may differ to the end, also where a part of it shows that they agree."""
    conventions: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Where the subject differs from the reference by choice, in words by operation; `unconnected` for None or zero."""

    @property
    def thorough(self) -> bool:
        """Whether anything is asked for that depends on the whole of the bounds."""
        return self.bounds or self.blame or self.referee or self.evidence

"""The backward pass of a case as a record to read: who received what from whom, and by which rule."""

from gradcheck.explanation.explain import explain
from gradcheck.explanation.record import Contribution, Explanation, Handed, Line, Made, Named, Part, Received, Step

__all__ = ["Contribution", "Explanation", "Handed", "Line", "Made", "Named", "Part", "Received", "Step", "explain"]

"""Other engines in the subject's place: a user's own, and those of known libraries."""

from gradcheck.subjects.functional_engine import FunctionalEngine
from gradcheck.subjects.graph_engine import GraphEngine
from gradcheck.subjects.rule_engine import RuleEngine
from gradcheck.subjects.tensor_engine import TensorEngine

__all__ = ["FunctionalEngine", "GraphEngine", "RuleEngine", "TensorEngine"]

from gradcheck.tensors import *  # temporary
from gradcheck.tensors import Builder, Context, Tensor, Value, as_array, current_context, building, Operands

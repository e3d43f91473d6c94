"""What methods have in common that train weights of the model itself."""

from collections.abc import Iterable

from torch import nn
from transformers import PreTrainedModel

from trainables.errors import NotApplicable
from trainables.targets import is_quantized


def train(model: PreTrainedModel, parameters: Iterable[nn.Parameter]) -> PreTrainedModel:
    """Make `parameters` require a gradient; return `model`.

    Raises:
        NotApplicable: the model is quantised: what lies in four bits has no gradient.
    """
    if is_quantized(model):
        raise NotApplicable(f"the weights of this {type(model).__name__} are quantised and cannot be trained")
    for parameter in parameters:
        parameter.requires_grad = True
    return model

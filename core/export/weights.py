"""The weights as safetensors, with what is needed to import them as the run again.

The names are those of the layers in `core/training/networks.py`: their positions, counted from 0.
"""

from safetensors.torch import save

from core.export.source import Source
from core.export.terms import File

NAME = "model.safetensors"
FACTS = "digit_lab"  # the one entry of the file's metadata: `Source.facts`


def file(source: Source) -> File:
    """Return the weights of the best epoch in 32 bits, as `torch` and others read them."""
    weights = {name: value.contiguous() for name, value in source.reader.model.state_dict().items()}
    # One entry: safetensors writes several in an order that changes from process to process.
    content = save(weights, {FACTS: source.facts()})
    return File(NAME, content, "the weights, and the settings that they were trained with")

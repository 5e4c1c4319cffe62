"""The weights as safetensors, with the facts needed to import them as the same run.

Names are the positions of the layers in `core/training/networks.py`, counted from 0.
"""

from safetensors.torch import save

from core.export.source import Source
from core.export.terms import File

NAME = "model.safetensors"
FACTS = "digit_lab"  # the one entry of the file's metadata: `Source.facts`


def file(source: Source) -> File:
    """Return the weights of the best epoch, in float32."""
    weights = {name: value.contiguous() for name, value in source.reader.model.state_dict().items()}
    # Only one entry: safetensors would write several in an order that differs between processes.
    content = save(weights, {FACTS: source.facts()})
    return File(NAME, content, "the weights, and the settings that they were trained with")

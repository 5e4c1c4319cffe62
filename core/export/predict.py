"""Read the digits in pictures with the network in model.onnx, which lies beside this file.

    python predict.py PICTURE …

It needs numpy, pillow, scipy and onnxruntime, but not Digit Lab: the code that prepares ink is
included below. It prints a line of JSON for each digit, and for each picture that cannot be read.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

from core.errors import InkError
from core.ink.photo import from_picture

MODEL = Path(__file__).with_name("model.onnx")


def main(paths: list[str]) -> int:
    """Read pictures; return 0, or 1 if one of them could not be read."""
    if not paths:
        print(__doc__, file=sys.stderr)
        return 1
    session = onnxruntime.InferenceSession(MODEL, providers=["CPUExecutionProvider"])
    sure_from = json.loads(session.get_modelmeta().custom_metadata_map["sure_from"])
    failed = 0
    for path in paths:
        try:
            digits = from_picture(Path(path))
        except InkError as error:
            failed += 1
            print(json.dumps({"path": path, "error": str(error)}))
            continue
        pixels = np.stack([digit.image for digit in digits])
        [answers] = session.run(["probabilities"], {"pixels": pixels})
        for digit, probabilities in zip(digits, answers, strict=True):
            confidence = float(probabilities.max())
            answer = {
                "path": path,
                "digit": int(probabilities.argmax()),
                "confidence": confidence,
                "sure": sure_from is not None and confidence >= sure_from,
                "probabilities": probabilities.tolist(),
                "box": digit.box,
                "row": digit.row,
            }
            print(json.dumps(answer))
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

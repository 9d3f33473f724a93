"""The named choices of options. They are defined here, not next to their implementations, so that
the command line can list and validate them without importing the libraries behind them."""

TEMPORAL = ("blend", "off")
FLOWS = ("auto", "raft-large", "raft-small", "dis")
PRESERVED = ("none", "color", "structure")
EDGES = ("guided", "closed-form")
SEGMENTERS = ("auto", "sam", "mobile-sam", "grabcut")  # or a SAM 2.1 by name or folder
DETECTORS = (
    "maskrcnn-v2",
    "fasterrcnn-mobilenet",
    "yolov3-tiny",
)  # best first; or one of the hub's
ENCODERS = ("micro", "mobilenet")
EXPORTS = ("torchscript", "torch-export", "int8", "onnx", "tensorrt")
BFLOAT16 = "torch-bf16"
BACKENDS = ("torch", BFLOAT16, *EXPORTS)  # or an exported file
PROGRESSES = ("auto", "tqdm", "json", "openjd", "none")

"""vidstyle's nodes for ComfyUI: this folder, in ComfyUI's ``custom_nodes``, is all it takes."""

from .nodes import NODES  # noqa: TID252 - ComfyUI names the package after where the folder lies

NODE_CLASS_MAPPINGS = {f"Vidstyle{node.__name__}": node for node in NODES}
NODE_DISPLAY_NAME_MAPPINGS = {f"Vidstyle{node.__name__}": node.TITLE for node in NODES}

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]

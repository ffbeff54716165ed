"""The deployment form: the trained network, its weights re-arranged once so that ONNX Runtime runs it fast.

Every function here that touches weights is one exact rewrite: the same numbers in another order, or a sum of products
of them. `docs/deployment.md` gives each with its formula, its reason and what it gains.
"""

from rdi.export.deployment.network import DeploymentNetwork, deploy

__all__ = ["DeploymentNetwork", "deploy"]

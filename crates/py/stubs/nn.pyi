@final
class Layer:
    @staticmethod
    def linear(in_features: _int, out_features: _int, bias: _bool) -> Layer: ...
    @staticmethod
    def conv(
        in_channels: _int,
        out_channels: _int,
        kernel_size: Sequence[_int],
        stride: Sequence[_int],
        padding: str | Sequence[_int],
        dilation: Sequence[_int],
        groups: _int,
        bias: _bool,
        padding_mode: str,
    ) -> Layer: ...
    @staticmethod
    def conv_transpose(
        in_channels: _int,
        out_channels: _int,
        kernel_size: Sequence[_int],
        stride: Sequence[_int],
        padding: Sequence[_int],
        output_padding: Sequence[_int],
        groups: _int,
        bias: _bool,
        dilation: Sequence[_int],
    ) -> Layer: ...
    @staticmethod
    def rms_norm(normalized_shape: Sequence[_int], eps: _float | None, elementwise_affine: _bool) -> Layer: ...
    @staticmethod
    def batch_norm(
        num_features: _int,
        eps: _float,
        momentum: _float | None,
        affine: _bool,
        bias: _bool,
        track_running_stats: _bool,
        training: _bool,
    ) -> Layer: ...
    @staticmethod
    def layer_norm(
        normalized_shape: Sequence[_int], eps: _float, elementwise_affine: _bool, bias: _bool
    ) -> Layer: ...
    @staticmethod
    def group_norm(num_groups: _int, num_channels: _int, eps: _float, affine: _bool, bias: _bool) -> Layer: ...
    @staticmethod
    def embedding(num_embeddings: _int, embedding_dim: _int, padding_idx: _int | None) -> Layer: ...
    def allocate(
        self, device: _device | str | None = None, dtype: _dtype | None = None
    ) -> list[Tensor | None]: ...
    def initialize(self, *tensors: Tensor | None) -> None: ...
    def forward(
        self,
        input: Tensor,
        first: Tensor | None = None,
        second: Tensor | None = None,
        third: Tensor | None = None,
        fourth: Tensor | None = None,
        fifth: Tensor | None = None,
        /,
    ) -> Tensor: ...

def _conv_padded(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: _int | Sequence[_int],
    padding: str,
    dilation: _int | Sequence[_int],
    groups: _int,
) -> Tensor: ...
def _init_uniform(tensor: Tensor, a: _float, b: _float, generator: Generator | None) -> Tensor: ...
def _init_normal(tensor: Tensor, mean: _float, std: _float, generator: Generator | None) -> Tensor: ...
def _init_trunc_normal(
    tensor: Tensor, mean: _float, std: _float, a: _float, b: _float, generator: Generator | None
) -> Tensor: ...
def _init_constant(tensor: Tensor, val: _float) -> Tensor: ...
def _init_eye(tensor: Tensor) -> Tensor: ...
def _init_dirac(tensor: Tensor, groups: _int) -> Tensor: ...
def _init_xavier(tensor: Tensor, gain: _float, uniform: _bool, generator: Generator | None) -> Tensor: ...
def _init_kaiming(
    tensor: Tensor, a: _float, mode: str, nonlinearity: str, uniform: _bool, generator: Generator | None
) -> Tensor: ...
def _init_orthogonal(tensor: Tensor, gain: _float, generator: Generator | None) -> Tensor: ...
def _calculate_gain(nonlinearity: str, param: _float | None) -> _float: ...
def _sgd_step(
    parameters: list[Tensor],
    state: Any,
    lr: _float,
    momentum: _float,
    dampening: _float,
    weight_decay: _float,
    nesterov: _bool,
    maximize: _bool,
) -> None: ...
def _adam_step(
    parameters: list[Tensor],
    state: Any,
    lr: _float,
    betas: tuple[_float, _float],
    eps: _float,
    weight_decay: _float,
    decoupled_weight_decay: _bool,
    amsgrad: _bool,
    maximize: _bool,
) -> None: ...


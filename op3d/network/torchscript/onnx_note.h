// Why no program here writes ONNX, in one sentence for those who ask for it.
#ifndef OP3D_NETWORK_TORCHSCRIPT_ONNX_NOTE_H_
#define OP3D_NETWORK_TORCHSCRIPT_ONNX_NOTE_H_

namespace op3d {

// LibTorch 2.11: torch::jit::export_onnx() is in libtorch_cpu, but it takes a graph of onnx::
// operators; ToONNX() and the table of translations are in libtorch_python and torch/onnx.
inline constexpr char kNoOnnx[] =
    "op3d writes no ONNX: LibTorch's C++ library only serialises graphs that consist of ONNX's "
    "operators already, and what translates a network's operators into them (torch.onnx) is "
    "Python; `./bazelw run //op3d:weights -- export RUN/model.safetensors model.pt` writes "
    "TorchScript, which LibTorch and PyTorch read without op3d";

}  // namespace op3d

#endif  // OP3D_NETWORK_TORCHSCRIPT_ONNX_NOTE_H_

#include "op3d/torch/tensor_file.h"

#include <ATen/ops/empty.h>

#include <array>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "op3d/base/file.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/status_macros.h"
#include "op3d/torch/torch_status.h"

namespace op3d {
namespace {

constexpr std::array<std::pair<DType, at::ScalarType>, 8> kTypes = {{
    {DType::kF16, at::kHalf},
    {DType::kBF16, at::kBFloat16},
    {DType::kF32, at::kFloat},
    {DType::kF64, at::kDouble},
    {DType::kI64, at::kLong},
    {DType::kU8, at::kByte},
    {DType::kI32, at::kInt},
    {DType::kBool, at::kBool},
}};

// Every DType is in the table.
at::ScalarType ScalarType(DType dtype) {
  size_t i = 0;
  while (kTypes[i].first != dtype) ++i;
  return kTypes[i].second;
}

absl::StatusOr<DType> FileType(const std::string& name, at::ScalarType type) {
  for (const auto& [dtype, scalar_type] : kTypes) {
    if (scalar_type == type) return dtype;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "tensor '", name, "' has element type ", at::toString(type), ", which op3d does not write"));
}

}  // namespace

absl::StatusOr<NamedTensors> ToTensors(const std::vector<TensorView>& views) {
  NamedTensors tensors;
  OP3D_RETURN_IF_ERROR(CatchTorch([&]() -> absl::Status {
    for (const TensorView& view : views) {
      at::Tensor tensor = at::empty(view.shape, ScalarType(view.dtype));
      if (!view.data.empty()) std::memcpy(tensor.data_ptr(), view.data.data(), view.data.size());
      tensors.emplace_back(view.name, std::move(tensor));
    }
    return absl::OkStatus();
  }));
  return tensors;
}

absl::StatusOr<TensorFile> ReadTensors(const std::string& path) {
  OP3D_ASSIGN_OR_RETURN(const Safetensors file, Safetensors::Read(path));
  return ToTensors(file);
}

absl::StatusOr<TensorFile> ToTensors(const Safetensors& file) {
  TensorFile result;
  result.metadata = file.metadata();
  OP3D_ASSIGN_OR_RETURN(result.tensors, ToTensors(file.tensors()));
  return result;
}

absl::StatusOr<TensorViews> ViewTensors(const NamedTensors& tensors) {
  TensorViews result;
  OP3D_RETURN_IF_ERROR(CatchTorch([&]() -> absl::Status {
    for (const auto& [name, tensor] : tensors) {
      OP3D_ASSIGN_OR_RETURN(const DType dtype, FileType(name, tensor.scalar_type()));
      result.alive.push_back(tensor.detach().to(at::kCPU).contiguous());
      const at::Tensor& bytes = result.alive.back();
      result.views.push_back(
          {name, dtype, bytes.sizes().vec(),
           absl::string_view(static_cast<const char*>(bytes.const_data_ptr()), bytes.nbytes())});
    }
    return absl::OkStatus();
  }));
  return result;
}

absl::Status WriteTensors(const std::string& path, const NamedTensors& tensors,
                          const std::map<std::string, std::string>& metadata) {
  OP3D_ASSIGN_OR_RETURN(const TensorViews views, ViewTensors(tensors));
  OP3D_ASSIGN_OR_RETURN(const std::string bytes, SerializeSafetensors(views.views, metadata));
  return WriteFileAtomically(path, bytes);
}

}  // namespace op3d

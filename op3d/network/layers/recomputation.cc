#include "op3d/network/layers/recomputation.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <utility>

#include "absl/strings/match.h"

namespace op3d {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Computation : torch::CustomClassHolder {
  std::function<variable_list(const variable_list&, bool)> compute;
  size_t inputs = 0;
};

struct RecomputedFunction : torch::autograd::Function<RecomputedFunction> {
  static variable_list forward(AutogradContext* context,
                               const c10::intrusive_ptr<Computation>& computation,
                               at::TensorList tensors) {
    context->saved_data["computation"] = c10::IValue::make_capsule(computation);
    context->save_for_backward(tensors.vec());
    return computation->compute({tensors.begin(), tensors.begin() + computation->inputs}, false);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto computation = c10::static_intrusive_pointer_cast<Computation>(
        context->saved_data["computation"].toCapsule());
    const variable_list saved = context->get_saved_variables();
    at::AutoGradMode with_gradients(true);
    variable_list inputs, leaves;
    for (size_t i = 0; i < computation->inputs; ++i) {
      inputs.push_back(saved[i].detach().set_requires_grad(true));
    }
    leaves = inputs;
    leaves.insert(leaves.end(), saved.begin() + static_cast<int64_t>(inputs.size()), saved.end());
    variable_list roots, root_gradients;
    const variable_list outputs = computation->compute(inputs, true);
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!gradients[i].defined()) continue;
      roots.push_back(outputs[i]);
      root_gradients.push_back(gradients[i]);
    }
    variable_list result = torch::autograd::grad(roots, leaves, root_gradients,
                                                 /*retain_graph=*/c10::nullopt,
                                                 /*create_graph=*/false, /*allow_unused=*/true);
    result.insert(result.begin(), at::Tensor());  // of the computation
    return result;
  }
};

}  // namespace

std::vector<at::Tensor> ParametersUnder(const TensorTable& tensors, const std::string& prefix) {
  std::vector<at::Tensor> parameters;
  for (auto it = tensors.lower_bound(prefix); it != tensors.end(); ++it) {
    if (!absl::StartsWith(it->first, prefix)) break;
    if (it->second.requires_grad()) parameters.push_back(it->second);
  }
  return parameters;
}

std::vector<at::Tensor> Recomputed(
    const std::function<std::vector<at::Tensor>(const std::vector<at::Tensor>&, bool)>& compute,
    const std::vector<at::Tensor>& inputs, const std::vector<at::Tensor>& parameters) {
  auto computation = c10::make_intrusive<Computation>();
  computation->compute = compute;
  computation->inputs = inputs.size();
  variable_list all = inputs;
  all.insert(all.end(), parameters.begin(), parameters.end());
  return RecomputedFunction::apply(computation, at::TensorList(all));
}

}  // namespace op3d

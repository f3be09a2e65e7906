#include "results/published.h"

#include <algorithm>

#include "op3d/base/bazel.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"

namespace op3d {

absl::StatusOr<PublishedFigures> LoadPublishedFigures() {
  OP3D_ASSIGN_OR_RETURN(const std::string path, RunfilePath("results/published.textproto"));
  PublishedFigures figures;
  OP3D_RETURN_IF_ERROR(ReadTextproto(path, &figures));
  return figures;
}

const PublishedFigure* FigureToReproduce(const PublishedFigures& figures,
                                         const std::string& benchmark, const std::string& network,
                                         const std::string& recipe) {
  for (const PublishedFigure& figure : figures.figures()) {
    const auto& networks = figure.networks();
    if (figure.role() == PublishedFigure::REPRODUCE && figure.benchmark() == benchmark &&
        figure.recipe() == recipe &&
        std::find(networks.begin(), networks.end(), network) != networks.end()) {
      return &figure;
    }
  }
  return nullptr;
}

}  // namespace op3d

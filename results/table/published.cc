#include "results/table/published.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"

namespace op3d::results {
namespace {

absl::Status CheckFigure(const PublishedFigure& figure) {
  const bool reproduce = figure.role() == PublishedFigure::REPRODUCE;
  // A share (0.805) would be mistaken for a percentage.
  if (figure.top1_percent() > 1 && figure.top1_percent() < 100 && !figure.source().empty() &&
      (!reproduce || (figure.tolerance_points() > 0 && figure.tolerance_points() <= 5 &&
                      !figure.tolerance_reason().empty()))) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the figure '", figure.title(), "' of ", figure.benchmark(),
                   " cannot be used: top1_percent ", figure.top1_percent(),
                   " must be in (1, 100), source must "
                   "be set, and of REPRODUCE tolerance_points ",
                   figure.tolerance_points(), " in (0, 5] with its reason"));
}

}  // namespace

absl::StatusOr<PublishedFigures> LoadPublishedFigures() {
  OP3D_ASSIGN_OR_RETURN(const std::string path, RunfilePath("results/table/published.textproto"));
  PublishedFigures figures;
  OP3D_RETURN_IF_ERROR(ReadTextproto(path, &figures));
  for (const PublishedFigure& figure : figures.figures()) {
    OP3D_RETURN_IF_ERROR(Annotate(CheckFigure(figure), path));
  }
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

}  // namespace op3d::results

// Figures others have published (results/table/published.textproto).
#ifndef OP3D_RESULTS_TABLE_PUBLISHED_H_
#define OP3D_RESULTS_TABLE_PUBLISHED_H_

#include <string>

#include "absl/status/statusor.h"
#include "results/table/published.pb.h"

namespace op3d::results {

// The shipped figures.  NotFound when the program was started outside its runfiles tree.
absl::StatusOr<PublishedFigures> LoadPublishedFigures();

// The figure with which a full-scale result is compared; null if none is known.
const PublishedFigure* FigureToReproduce(const PublishedFigures& figures,
                                         const std::string& benchmark, const std::string& network,
                                         const std::string& recipe);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_TABLE_PUBLISHED_H_

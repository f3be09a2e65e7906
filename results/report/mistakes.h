// What a model got wrong, video by video, from the scores of its test.
//
//   OP3D_ASSIGN_OR_RETURN(std::optional<Mistakes> mistakes, ReadMistakes(folder, record, ""));
//   if (mistakes.has_value()) page += WrongVideosSection(*mistakes, kShownWrong);
#ifndef OP3D_RESULTS_REPORT_MISTAKES_H_
#define OP3D_RESULTS_REPORT_MISTAKES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "results/record/run_record.pb.h"

namespace op3d::results {

// How many wrong videos a page shows unless somebody asks for more.
inline constexpr int kShownWrong = 24;

struct WrongVideo {
  // As in the list; "video 17" (from 1) if the scores have no names.
  std::string name;
  // Indices of classes.
  int64_t own = 0, predicted = 0;
  // Probabilities (softmax of the mean logits): of the own class, and the highest three as
  // {class, probability}.
  double own_probability = 0;
  std::vector<std::pair<int64_t, double>> top;
  // Frames of the video side by side as one JPEG picture; "" = not given.
  std::string strip;
};

struct Mistakes {
  // RowTitle() of the row that was tested.
  std::string row;
  std::vector<std::string> classes;
  // [classes, classes], as Metrics.confusion.
  std::vector<int64_t> confusion;
  int64_t videos = 0;
  // All wrong ones, the lowest probability of the own class first, but two of each pair of (own,
  // predicted) in turn: videos of one recording fail alike.
  std::vector<WrongVideo> wrong;
};

// Of the row named `row` in the record, "" = the planned one or, if it has no scores, the first one
// that has.  nullopt if the scores file is not in `folder`, or the record names none; NotFound if
// the record has no such row, listing those with scores.  DataLoss and InvalidArgument for a file
// that cannot be read or does not fit the record.
absl::StatusOr<std::optional<Mistakes>> ReadMistakes(const std::string& folder,
                                                     const RunRecord& record,
                                                     const std::string& row);

// The names of the first `most` wrong videos.
std::vector<std::string> NamesOf(const Mistakes& mistakes, int most);

// The confusion matrix, and the pairs of classes that are confused most.
std::string ConfusionSection(const Mistakes& mistakes);

// The first `most` wrong videos: strip of frames, own and predicted class, probabilities.  "" if
// nothing is wrong.
std::string WrongVideosSection(const Mistakes& mistakes, int most);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_REPORT_MISTAKES_H_

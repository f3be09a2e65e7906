// The videos of a run: its lists, the held-out part for the search, what the copy lacks.
#ifndef OP3D_BENCHMARKS_PARTS_BENCHMARK_DATA_H_
#define OP3D_BENCHMARKS_PARTS_BENCHMARK_DATA_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/annotation/video_list.h"
#include "data/loader/frame_store.h"
#include "results/record/run_record.pb.h"
#include "results/record/settings.pb.h"

namespace op3d::benchmarks {

// The dataset's class and group names, by which results are split.
struct TestLabels {
  std::vector<std::string> classes;
  // One per class, or empty.
  std::vector<std::string> groups;
};

// The name, in the report, of the list on which a search with search_split HELD_OUT_FROM_TRAIN
// measures.
inline constexpr char kHeldOutList[] = "search: held out";

struct BenchmarkData {
  // The whole training list, and the parts on which the search trains and measures.  With
  // search_split PUBLISHED the search trains on all of it and measures on the evaluation list.
  std::vector<data::Video> train, search_train, search_measured;
  std::vector<data::Video> evaluation;
  TestLabels labels;
  DatasetReport report;
  // Decoded frames, shared by everything that runs.
  std::unique_ptr<data::FrameStore> frames;

  // The videos on which recipes are trained.
  const std::vector<data::Video>& RecipeVideos(const BenchmarkSettings& settings) const;
};

// Counts the used videos that are shorter than a clip, for each frames x stride that `settings`
// name in a search, a recipe or a plan; loader.on_short_video says which frames their clips have.
void CountShortVideos(const BenchmarkSettings& settings, const std::vector<data::Video>& videos,
                      DatasetReport::List* list);
// "12 of 240 videos are shorter than clips of 64 frames (first: a.mp4: 48 frames)".
std::string DescribeShortVideos(const DatasetReport::List& list,
                                const DatasetReport::List::Short& row);

// Sets media_sha256 and media_hashed of the training and the evaluation list in data->report: all
// bytes of a small list, the first MiB of some evenly spaced files of a large one.  Reads at most
// 256 MiB a list.  A file that cannot be read leaves both empty.
void HashMedia(BenchmarkData* data);

// Reads the lists under `root`; files that `index` does not know are scanned with `threads`
// threads.  Without `decodes` the frames are not for reading clips: children do that, and a GPU that
// would decode is not needed here.  Errors name the folder or file, what was expected in it and what to
// do.
absl::StatusOr<BenchmarkData> LoadBenchmarkData(const BenchmarkSettings& settings,
                                                const std::string& root, int threads,
                                                const data::IndexOptions& index, bool decodes);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_PARTS_BENCHMARK_DATA_H_

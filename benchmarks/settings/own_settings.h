// The settings of a run on the user's own data, chosen from facts about the data before anything is
// trained: pictures, lengths, classes, groups and the number of videos.
//
//   OP3D_ASSIGN_OR_RETURN(OwnFacts facts, GatherOwnFacts(asked, root, threads, index));
//   OP3D_ASSIGN_OR_RETURN(BenchmarkSettings derived, DeriveOwnSettings(facts, machine, asked));
//   BenchmarkSettings settings = derived;
//   // --settings and --set over it, then:
//   NoteOverridden(derived, &settings);
//   OP3D_RETURN_IF_ERROR(CheckOwnSettings(facts, settings));
//
// Every choice is stored with its reason in BenchmarkSettings.derived, and so in the record.
// Torch-free; all functions are thread-safe, and all but GatherOwnFacts are pure.
#ifndef OP3D_BENCHMARKS_SETTINGS_OWN_SETTINGS_H_
#define OP3D_BENCHMARKS_SETTINGS_OWN_SETTINGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/index/index_update.h"
#include "results/record/settings.pb.h"

namespace op3d::benchmarks {

// A video of a list, with facts from the index.
struct OwnVideo {
  std::string name;
  // From 0; -1 if the list has none.
  int64_t label = -1;
  // The number of frames that decode; at least 1.
  int64_t frames = 0;
  // In pixels, as presented.
  int width = 0;
  int height = 0;
  // The group it was cut from; empty if unknown.
  std::string group = {};
};

struct OwnFacts {
  // The user's own file and overrides; `classes` is set.
  DatasetSettings dataset;
  // In the order of the lists.
  std::vector<OwnVideo> train, evaluation;
};

// The relevant facts about the machine.
struct OwnMachine {
  bool gpu = false;
  // Memory of the whole machine, or of the part that this process may use.
  int64_t memory_bytes = 0;
};

// Finds `memory_bytes` of this machine.
OwnMachine FindOwnMachine(bool gpu);

// Reads both lists and the index's facts about their videos, scanning new ones.
// `asked` is the user's request: dataset, loader (on_bad_video).  If dataset.classes is 0, the
// number comes from the label map or the lists.  Errors of LoadVideoList.
absl::StatusOr<OwnFacts> GatherOwnFacts(const BenchmarkSettings& asked, const std::string& root,
                                        int threads, const data::IndexOptions& index);

// Settings for `facts`.  The network, the training crop, the held-out share and the search's split
// of `asked` are used if set, because other choices depend on them; `asked.seed` draws the
// held-out part.
//
// InvalidArgument, naming the list, if a list has no labels, if there are fewer than two
// classes to learn, if every video is shorter than the shortest clip, if no video can be held
// out (every class has only one group), or if fewer videos are left than the smallest batch.
// NotFound if the program's own wide graph is not beside it.
absl::StatusOr<BenchmarkSettings> DeriveOwnSettings(const OwnFacts& facts,
                                                    const OwnMachine& machine,
                                                    const BenchmarkSettings& asked);

// `settings` is `derived` with the user's overrides: marks each entry of `settings.derived` whose
// field the user has changed.
void NoteOverridden(const BenchmarkSettings& derived, BenchmarkSettings* settings);

// Whether the data are enough for `settings`, including overrides.  InvalidArgument for a clip that
// is longer than every video, for a step with more clips than there are videos, and for a
// held-out part without a video.
absl::Status CheckOwnSettings(const OwnFacts& facts, const BenchmarkSettings& settings);

// The clips that fit the data, for DerivedSearch.
struct OwnClips {
  // Shortest first, the same lengths for both kinds of sampling; at least one.  Segments, frames
  // per segment, stride, batch size and accumulation are set.
  std::vector<StateSettings> consecutive, uniform;
  // The learning rate for steps of this number of clips (batch size x accumulation).
  double learning_rate = 0;
  // Frames per video that the planned method's search may train.
  double search_frames = 0;
  // Clips per video in the final test.
  int test_clips = 10;
  int test_segments = 0;
};

// The search, and the recipes next to its plan: sets `search` (except how videos are held out),
// `recipes` and `recipe_videos`, and adds its choices to `derived`.  The wide graph has the rates
// and rounds of `shipped`, which has at least one of each.
void DerivedSearch(const OwnClips& clips, const WideGraphSettings& shipped,
                   BenchmarkSettings* settings);

// "my_data" for "my data": a name that can be part of a file name.  "own" if nothing is left.
std::string FileNameOf(const std::string& name);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_SETTINGS_OWN_SETTINGS_H_

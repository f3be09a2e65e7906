// The settings of a run on one's own data, chosen from what is known of the data before anything is
// trained: pictures, lengths, classes, groups and how many videos there are.
//
//   OP3D_ASSIGN_OR_RETURN(OwnFacts facts, GatherOwnFacts(asked, root, threads, index));
//   OP3D_ASSIGN_OR_RETURN(BenchmarkSettings derived, DeriveOwnSettings(facts, machine, asked));
//   BenchmarkSettings settings = derived;
//   // --settings and --set over it, then:
//   NoteOverridden(derived, &settings);
//   OP3D_RETURN_IF_ERROR(CheckOwnSettings(facts, settings));
//
// Everything chosen stands with its reason in BenchmarkSettings.derived, and so in the record.
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

// A video of a list, as the index knows it.
struct OwnVideo {
  std::string name;
  // From 0; -1 when the list has none.
  int64_t label = -1;
  // How many decode; at least 1.
  int64_t frames = 0;
  // In pixels, as presented.
  int width = 0;
  int height = 0;
  // What it was cut from; empty when nothing is known.
  std::string group = {};
};

struct OwnFacts {
  // The user's own file and overrides; `classes` is filled in.
  DatasetSettings dataset;
  // In the order of the lists.
  std::vector<OwnVideo> train, evaluation;
};

// What the machine has for it.
struct OwnMachine {
  bool gpu = false;
  // Of the whole machine, or of the part that this process may use.
  int64_t memory_bytes = 0;
};

// `memory_bytes` of this machine.
OwnMachine FindOwnMachine(bool gpu);

// Reads both lists and what the index knows of their videos, scanning what it does not know.
// `asked` is what the user said: dataset, loader (on_bad_video).  Where dataset.classes is 0, it is
// what the label map or the lists have.  Errors of LoadVideoList.
absl::StatusOr<OwnFacts> GatherOwnFacts(const BenchmarkSettings& asked, const std::string& root,
                                        int threads, const data::IndexOptions& index);

// Settings for `facts`.  What `asked` says of the network, of the training crop, the held-out share
// and the search's split is taken over, as other choices follow from them; `asked.seed` draws the
// held-out part.
//
// InvalidArgument, naming the list, when a list has no labels, when there are fewer than two
// classes to learn, when every video is shorter than the shortest clip, when no video can be held
// out (every class has one group alone), or when fewer videos are left than the smallest batch.
// NotFound when the program's own wide graph is not beside it.
absl::StatusOr<BenchmarkSettings> DeriveOwnSettings(const OwnFacts& facts,
                                                    const OwnMachine& machine,
                                                    const BenchmarkSettings& asked);

// `settings` is `derived` with the user's overrides: says at each line of `settings.derived` whose
// field the user has changed that it was so.
void NoteOverridden(const BenchmarkSettings& derived, BenchmarkSettings* settings);

// Whether the data are enough for `settings`, overrides included.  InvalidArgument for a clip that
// is longer than every video, for a step that takes more clips than there are videos, and for a
// held-out part without a video.
absl::Status CheckOwnSettings(const OwnFacts& facts, const BenchmarkSettings& settings);

// Clips that the data can give, for DerivedSearch.
struct OwnClips {
  // Shortest first, the same lengths of both kinds of sampling; at least one.  Segments, frames a
  // segment, stride, batch size and accumulation are set.
  std::vector<StateSettings> consecutive, uniform;
  // For steps of this number of clips (batch size x accumulation).
  double learning_rate = 0;
  // Frames a video that the planned method's search may train on.
  double search_frames = 0;
  // Of a video, in the final test.
  int test_clips = 10;
  int test_segments = 0;
};

// The search and the recipes beside its plan: sets `search` (but for how videos are held out),
// `recipes` and `recipe_videos`, and adds what it chose to `derived`.  The wide graph has the rates
// and rounds of `shipped`, which has at least one of each.
void DerivedSearch(const OwnClips& clips, const WideGraphSettings& shipped,
                   BenchmarkSettings* settings);

// "my_data" of "my data": what can be a part of a file's name.  "own" when nothing is left.
std::string FileNameOf(const std::string& name);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_SETTINGS_OWN_SETTINGS_H_

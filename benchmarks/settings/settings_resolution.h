// The settings of a run, checked as a whole.  Later sources override earlier ones: the
// dataset (data/datasets) and its protocol, the shipped file's bases, the shipped file, --settings
// (after its own bases), other flags, --set.
#ifndef OP3D_BENCHMARKS_SETTINGS_SETTINGS_RESOLUTION_H_
#define OP3D_BENCHMARKS_SETTINGS_SETTINGS_RESOLUTION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "results/record/settings.pb.h"

namespace op3d::benchmarks {

// The command line.
struct SettingsRequest {
  // "kinetics400"; the shipped file is benchmarks/specs/<benchmark>[_miniature].textproto.
  std::string benchmark;
  bool miniature = true;
  // --settings: a textproto that is merged over the shipped one.  Its fields replace the shipped
  // ones, also with 0 or false; a list is replaced as a whole (OverlayTextproto() of
  // op3d/base/textproto.h).
  std::string settings_file;
  // --set: path.to.field=value, in order.
  std::vector<std::string> assignments;
  // --plan: a file, or the name of a released plan (planner/plans/).  --init: a file.
  std::string plan_file;
  std::string initial_weights;
  // --split: which of the official splits, from 1.
  std::optional<int> split;
  // --method: "published", "planned", "both"; --rivals: "all", "none"; --budget: see ParseBudget();
  // a time is resolved later, by measuring (BudgetFrames in dry_run.h).
  std::string method, rivals, budget;
  // --network, --seed.
  std::string network;
  std::optional<uint64_t> seed;
};

// NotFound or InvalidArgument, naming file and field; also for an assignment that has no effect in
// this run (of a search that is not run, of a rival that is not trained), with the reason.
absl::StatusOr<BenchmarkSettings> ResolveSettings(const SettingsRequest& request);

// Whether the method searches the wide graph, alone or in addition to the published one.
bool SearchesPlanned(const SearchSettings& search);

// The clip of search.wide with that name.  InvalidArgument, naming `where`, if there is none.
absl::StatusOr<StateSettings> FindClip(const SearchSettings& search, const std::string& name,
                                       absl::string_view where);
// The same, starting from `base` instead of shipped settings.
absl::StatusOr<BenchmarkSettings> ResolveSettings(BenchmarkSettings base,
                                                  const SettingsRequest& request);

// Letters, digits, _ and -, at least one: a name that becomes a folder's, and a word of the children's
// command lines.
bool IsPlainName(absl::string_view name);

// The name of the row of a fixed schedule: `clip` at `rate` times its learning rate.
std::string FixedRowName(const StateSettings& clip, double rate);

// The first step: applies --settings, --network, --seed, --split and --set to `settings`, which may
// be incomplete.  Nothing is checked as a whole.
absl::Status OverrideSettings(const SettingsRequest& request, BenchmarkSettings* settings);

// InvalidArgument with the path of the first invalid field, its value and its limits.
absl::Status ValidateSettings(const BenchmarkSettings& settings);

// `refused` is RunFolder's error for `folder`.  If the run in it only differs in lengths (epochs,
// frames, the budget), the message also says how to train longer.
absl::Status ExplainRefusal(const std::string& folder, const BenchmarkSettings& settings,
                            const absl::Status& refused);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_SETTINGS_SETTINGS_RESOLUTION_H_

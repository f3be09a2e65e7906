// The settings a run uses, checked as a whole.  What comes later replaces what came before: the
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

// What the command line says.
struct SettingsRequest {
  // "kinetics400"; the shipped file is benchmarks/specs/<benchmark>[_miniature].textproto.
  std::string benchmark;
  bool miniature = true;
  // --settings: a textproto laid over the shipped one.  What it names replaces what is there, also by
  // 0 or false; a list as a whole (OverlayTextproto() of op3d/base/textproto.h).
  std::string settings_file;
  // --set: path.to.field=value, in order.
  std::vector<std::string> assignments;
  // --plan: a file, or the name of a released plan (planner/plans/).  --init: a file.
  std::string plan_file;
  std::string initial_weights;
  // --split: which of the official splits, from 1.
  std::optional<int> split;
  // --method: "published", "planned", "both"; --rivals: "all", "none"; --budget: ParseBudget()'s, of
  // which a time is left to who can measure (BudgetFrames in dry_run.h).
  std::string method, rivals, budget;
  // --network, --seed.
  std::string network;
  std::optional<uint64_t> seed;
};

// NotFound or InvalidArgument, naming file and field; also for an assignment that has no effect in
// this run (of a search that is not run, of a rival that is not trained), saying why.
absl::StatusOr<BenchmarkSettings> ResolveSettings(const SettingsRequest& request);

// Does the method search the wide graph, alone or beside the published one?
bool SearchesPlanned(const SearchSettings& search);

// The clip of search.wide of that name.  InvalidArgument naming `where` when there is none.
absl::StatusOr<StateSettings> FindClip(const SearchSettings& search, const std::string& name,
                                       absl::string_view where);
// The same over `base` instead of shipped settings.
absl::StatusOr<BenchmarkSettings> ResolveSettings(BenchmarkSettings base,
                                                  const SettingsRequest& request);

// The first step of it: --settings, --network, --seed, --split and --set over `settings`, which may
// be incomplete.  Nothing is checked as a whole.
absl::Status OverrideSettings(const SettingsRequest& request, BenchmarkSettings* settings);

// InvalidArgument with the path of the first field that makes no sense, its value and its limits.
absl::Status ValidateSettings(const BenchmarkSettings& settings);

// `refused` is what RunFolder says to `folder`.  Where the run in it differs in lengths alone (epochs,
// frames, the budget), the sentence says how to train longer.
absl::Status ExplainRefusal(const std::string& folder, const BenchmarkSettings& settings,
                            const absl::Status& refused);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_SETTINGS_SETTINGS_RESOLUTION_H_

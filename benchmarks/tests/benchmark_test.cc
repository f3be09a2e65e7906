// Tests the main program from start to end on the tiny synthetic dataset: killed and not, with one
// thread and with several, with wrong input.

#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "benchmarks/testing/benchmark_call.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/textproto.h"
#include "op3d/network/weights/checkpoint.h"
#include "op3d/train/checkpoint/model_card.h"
#include "results/compare/compare.h"
#include "results/compare/reference_group.h"
#include "results/record/record.h"
#include "results/record/record_check.h"

namespace op3d::benchmarks {
namespace {

using testing::HasSubstr;

std::vector<std::string> Flags(const std::string& output_dir, int threads) {
  return {"--benchmark=kinetics400",
          absl::StrCat("--dataset_root=", *RunfilePath("data/synthetic/kinetics400_tiny")),
          absl::StrCat("--settings=", *RunfilePath("benchmarks/tests/testdata/tiny.textproto")),
          absl::StrCat("--output_dir=", output_dir), absl::StrCat("--threads=", threads)};
}

Ended RunToEnd(const std::vector<std::string>& flags) { return CallBenchmark(flags); }

// The uninterrupted run with which the others are compared; made once.
const std::string& Whole() {
  static const std::string* folder = [] {
    auto* path = new std::string(JoinPath(TestFolder("whole"), "run"));
    const Ended ended = RunToEnd(Flags(*path, 1));
    EXPECT_EQ(ended.exit_code, 0) << ended.text;
    return path;
  }();
  return *folder;
}

void ExpectEqualRuns(const std::string& a, const std::string& b) {
  results::ComparisonOptions options;
  options.exact = true;
  ASSERT_OK_AND_ASSIGN(const results::RunComparison comparison,
                       results::CompareRuns(a, b, options));
  EXPECT_TRUE(comparison.differences.empty()) << results::DescribeComparison(comparison);
  EXPECT_GT(comparison.scores, 0);
}

TEST(BenchmarkTest, LeavesARecordWithEverythingInIt) {
  ASSERT_OK_AND_ASSIGN(const RunRecord record, results::ReadRecord(Whole()));
  EXPECT_EQ(record.searches_size(), 2);
  // The search's model, the plan trained again, the hand-tuned recipe.
  ASSERT_EQ(record.recipes_size(), 3);
  EXPECT_EQ(record.recipes(0).role(), RecipeResult::PUBLISHED_MODEL);
  EXPECT_EQ(record.recipes(1).role(), RecipeResult::PUBLISHED_AGAIN);
  EXPECT_EQ(record.recipes(2).role(), RecipeResult::HAND_TUNED);
  EXPECT_EQ(record.recipes(1).total_frames(),
            record.recipes(0).total_frames() + record.recipes(1).frames());
  EXPECT_EQ(record.recipes(0).test().videos(), 9);
  EXPECT_EQ(record.recipes(0).test().crops(), 3);
  EXPECT_EQ(record.recipes(0).test().head_top1_size(), 2);
  EXPECT_EQ(record.recipes(0).test().groups_size(), 3);
  EXPECT_GT(record.time().backward(), 0);
  EXPECT_GT(record.time().decode(), 0);
  EXPECT_GT(record.time().peak_memory_mib(), 0);
  for (const char* file : {"plan.textproto", "scores.safetensors", "curves.svg", "report.html",
                           "log.jsonl", "settings.textproto"}) {
    EXPECT_TRUE(FileExists(JoinPath(Whole(), file))) << file;
  }
}

// The settings of the planned method, merged over those of Flags().
std::vector<std::string> PlannedFlags(const std::string& output_dir, int threads) {
  std::vector<std::string> flags = Flags(output_dir, threads);
  // Merges one file over the other.
  BenchmarkSettings settings, over;
  EXPECT_THAT(ReadTextproto(*RunfilePath("benchmarks/tests/testdata/tiny.textproto"), &settings), IsOk());
  EXPECT_THAT(ReadTextproto(*RunfilePath("benchmarks/tests/testdata/tiny_wide.textproto"), &over),
              IsOk());
  settings.clear_recipes();
  settings.MergeFrom(over);
  RecipeSettings* planned = settings.add_recipes();
  planned->set_name("planned");
  planned->set_title("planned: trained again");
  planned->set_planned(true);
  planned->set_test_clips(2);
  const std::string file = JoinPath(::getenv("TEST_TMPDIR"), "planned_settings.textproto");
  EXPECT_THAT(WriteTextproto(file, settings), IsOk());
  flags[2] = absl::StrCat("--settings=", file);
  return flags;
}

TEST(BenchmarkTest, ThePlannedMethodKeepsItsModelAndIsHeldAgainstRivals) {
  const std::string folder = JoinPath(TestFolder("planned"), "run");
  Ended ended = RunToEnd(PlannedFlags(folder, 1));
  ASSERT_EQ(ended.exit_code, 0) << ended.text;
  ASSERT_OK_AND_ASSIGN(const RunRecord record, results::ReadRecord(folder));
  ASSERT_EQ(record.searches_size(), 1);
  // 3 edges, then 3, then 2.
  EXPECT_EQ(record.searches(0).edges_size(), 8);
  std::map<RecipeResult::Role, const RecipeResult*> rows;
  for (const RecipeResult& row : record.recipes()) rows[row.role()] = &row;
  ASSERT_EQ(rows.size(), 4);
  const RecipeResult& model = *rows[RecipeResult::PLANNED_MODEL];
  const RecipeResult& again = *rows[RecipeResult::PLANNED_AGAIN];
  const RecipeResult& best = *rows[RecipeResult::BEST_FIXED];
  const RecipeResult& long_run = *rows[RecipeResult::LONG_RUN];
  EXPECT_EQ(again.total_frames(), model.total_frames() + again.frames());
  EXPECT_EQ(model.frames(), again.frames());
  // The candidates were two final models and their average; the model is one of them, and the file.
  EXPECT_EQ(model.candidates_size(), 3);
  double highest = 0;
  for (const auto& candidate : model.candidates()) {
    highest = std::max(highest, candidate.held_out());
    if (candidate.chosen()) {
      EXPECT_EQ(candidate.held_out(), model.held_out());
    }
  }
  EXPECT_EQ(model.held_out(), highest);
  ASSERT_OK_AND_ASSIGN(const std::string weights, ReadFile(JoinPath(folder, "model.safetensors")));
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::Parse(weights, "model"));
  ASSERT_OK_AND_ASSIGN(const std::string alone, SerializeSafetensors(checkpoint.tensors(), {}));
  EXPECT_EQ(Crc32(alone), model.weights_crc32());
  // The card says what it is, and how the run tested it.
  ASSERT_OK_AND_ASSIGN(const auto card, ReadModelCard(checkpoint, "model"));
  ASSERT_TRUE(card.has_value());
  const StateSettings& last = record.plan().steps(record.plan().steps_size() - 1).state();
  EXPECT_EQ(card->network().name(), "dg_p3d_miniature");
  EXPECT_EQ(card->classes(), 9);
  EXPECT_EQ(card->class_names(0), model.test().classes(0).name());
  EXPECT_EQ(card->segments(), last.segments());
  EXPECT_EQ(card->frames_per_segment(), last.frames_per_segment());
  EXPECT_EQ(card->test_clips(), 2);
  EXPECT_EQ(card->crop(), 32);
  EXPECT_EQ(card->commit(), record.environment().commit());
  EXPECT_EQ(card->plan_crc32(), Crc32(*ReadFile(JoinPath(folder, "plan.textproto"))));
  // Four fixed schedules share the search's frames, to the nearest epoch; the long run has all.
  ASSERT_EQ(best.candidates_size(), 4);
  highest = 0;
  int64_t frames = 0;
  for (const auto& candidate : best.candidates()) {
    highest = std::max(highest, candidate.held_out());
    frames += candidate.frames();
  }
  EXPECT_EQ(best.held_out(), highest);
  EXPECT_EQ(best.total_frames(), frames);
  EXPECT_NEAR(static_cast<double>(frames) / model.total_frames(), 1, 0.1);
  EXPECT_NEAR(static_cast<double>(long_run.frames()) / model.total_frames(), 1, 0.1);
  EXPECT_THAT(results::Contradictions(record), testing::IsEmpty());
  // In the last state the rate falls to 0, also when trained again.
  const Plan& plan = again.plan();
  EXPECT_TRUE(plan.steps(plan.steps_size() - 1).state().schedule().has_one_minus_sqrt());

  // If it is killed in the middle and resumed with another number of threads, the result is equal.
  const std::string killed = JoinPath(TestFolder("planned_killed"), "run");
  ended = CallBenchmark(
      PlannedFlags(killed, 2), [&] { return FileExists(JoinPath(killed, "journal/wide")); },
      SIGKILL);
  std::vector<std::string> children = PlannedFlags(killed, 3);
  children.push_back("--jobs=2");
  ended = RunToEnd(children);
  ASSERT_EQ(ended.exit_code, 0) << ended.text;
  ExpectEqualRuns(folder, killed);
}

TEST(BenchmarkTest, AProxySearchesInSmallAndTrainsTheBestPathsWhole) {
  const std::string folder = JoinPath(TestFolder("proxy"), "run");
  const auto flags = [](const std::string& output, int threads) {
    std::vector<std::string> list = PlannedFlags(output, threads);
    for (const char* flag : {"--set=search.proxy.videos=0.7", "--set=search.proxy.crop=24",
                             "--set=rivals.clips=cs16", "--set=rivals.rates=[1, 1e30]",
                             "--set=rivals.multigrid=cs16", "--set=rivals.long_run="}) {
      list.push_back(flag);
    }
    return list;
  };
  Ended ended = RunToEnd(flags(folder, 1));
  ASSERT_EQ(ended.exit_code, 0) << ended.text;
  ASSERT_OK_AND_ASSIGN(const RunRecord record, results::ReadRecord(folder));
  std::map<RecipeResult::Role, const RecipeResult*> rows;
  for (const RecipeResult& row : record.recipes()) rows[row.role()] = &row;
  ASSERT_EQ(rows.count(RecipeResult::PLANNED_MODEL), 1);
  const RecipeResult& model = *rows[RecipeResult::PLANNED_MODEL];
  ASSERT_EQ(model.candidates_size(), 2);
  double highest = 0;
  int64_t trained = 0;
  for (const auto& candidate : model.candidates()) {
    highest = std::max(highest, candidate.held_out());
    trained += candidate.frames();
    if (candidate.chosen()) {
      EXPECT_EQ(candidate.held_out(), model.held_out());
    }
  }
  EXPECT_EQ(model.held_out(), highest);
  // The frames of the proxy's search count by their area.
  EXPECT_GT(model.total_frames(), trained);
  EXPECT_LT(model.total_frames(), 3 * trained);
  ASSERT_OK_AND_ASSIGN(const Safetensors weights,
                       Safetensors::Read(JoinPath(folder, "model.safetensors")));
  ASSERT_OK_AND_ASSIGN(const std::string alone, SerializeSafetensors(weights.tensors(), {}));
  EXPECT_EQ(Crc32(alone), model.weights_crc32());
  EXPECT_THAT(record.notes(), testing::Contains(HasSubstr("70.0 % of the videos, crop 24")));
  EXPECT_THAT(results::Contradictions(record), testing::IsEmpty());
  // A rival that diverges is left out, said and recorded; the run goes on.
  ASSERT_EQ(rows.count(RecipeResult::BEST_FIXED), 1);
  const RecipeResult& best = *rows[RecipeResult::BEST_FIXED];
  ASSERT_EQ(best.candidates_size(), 2);
  EXPECT_TRUE(best.candidates(0).chosen());
  EXPECT_FALSE(best.candidates(1).has_held_out());
  EXPECT_THAT(best.candidates(1).failure(), HasSubstr("epoch 1"));
  EXPECT_THAT(ended.text, HasSubstr("failed, left out"));
  EXPECT_THAT(record.notes(), testing::Contains(HasSubstr("its training failed")));
  // Multigrid ends with the whole clip at a thousandth of the rate.
  ASSERT_EQ(rows.count(RecipeResult::MULTIGRID), 1);
  const Plan& multigrid = rows[RecipeResult::MULTIGRID]->plan();
  ASSERT_EQ(multigrid.steps_size(), 13);
  EXPECT_EQ(multigrid.steps(12).state().frames_per_segment(), 16);
  EXPECT_EQ(multigrid.steps(12).state().crop(), 32);

  const std::string killed = JoinPath(TestFolder("proxy_killed"), "run");
  ended = CallBenchmark(
      flags(killed, 2), [&] { return FileExists(JoinPath(killed, "checkpoints/path_1")); },
      SIGKILL);
  std::vector<std::string> children = flags(killed, 3);
  children.push_back("--jobs=3");
  ended = RunToEnd(children);
  ASSERT_EQ(ended.exit_code, 0) << ended.text;
  ExpectEqualRuns(folder, killed);
}

// Writes an executable script, a launcher.
std::string Script(const std::string& path, const std::string& text) {
  EXPECT_THAT(WriteFileAtomically(path, absl::StrCat("#!/bin/sh\n", text)), IsOk());
  EXPECT_EQ(::chmod(path.c_str(), 0755), 0);
  return path;
}

std::vector<std::string> WithJobs(std::vector<std::string> flags, int jobs,
                                  const std::string& launcher) {
  flags.push_back(absl::StrCat("--jobs=", jobs));
  flags.push_back(absl::StrCat("--launcher=", launcher));
  return flags;
}

TEST(BenchmarkTest, JobsInChildrenEndWithTheSameBits) {
  const std::string root = TestFolder("jobs"), folder = JoinPath(root, "run");
  // The launcher kills the first children after a while; then the run itself is killed.
  const std::string launcher = Script(JoinPath(root, "launcher"), absl::StrCat(R"(
folder=')",
                                                                               root, R"('
for kill in 1 2 3 4; do
  if mkdir "$folder/kill$1$kill" 2>/dev/null; then
    (sleep 0.$((kill * 2)); kill -9 $$) >/dev/null 2>&1 &
    break
  fi
done
shift
exec "$@"
)"));
  const std::vector<std::string> flags =
      WithJobs(Flags(folder, 2), 2, absl::StrCat(launcher, " {job}"));
  Ended ended = CallBenchmark(
      flags, [&] { return FileExists(JoinPath(folder, "checkpoints/planned")); }, SIGKILL);
  EXPECT_THAT(ended.text, HasSubstr("trying again with a new child"));
  ended = RunToEnd(flags);
  ASSERT_EQ(ended.exit_code, 0) << ended.text;
  ExpectEqualRuns(Whole(), folder);
  ASSERT_OK_AND_ASSIGN(const RunRecord record, results::ReadRecord(folder));
  EXPECT_GT(record.time().forward(), 0);
  EXPECT_FALSE(FolderExists(JoinPath(folder, "jobs")));
}

TEST(BenchmarkTest, AJobOfTwoProcessesTestsWithTheSameBits) {
  const std::string root = TestFolder("ranks"), folder = JoinPath(root, "run");
  const std::string launcher = Script(JoinPath(root, "launcher"), R"(
free='import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
export WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=$(python3 -c "$free")
RANK=1 "$@" </dev/null >/dev/null &
RANK=0 exec "$@"
)");
  std::vector<std::string> flags = Flags(folder, 1);
  // Two processes share the micro-batches of a step.
  for (const char* field :
       {"search.pools[cs].states[S1].", "search.pools[cs].states[S2].",
        "search.pools[cs].states[S3].", "search.pools[us].states[S10].",
        "search.pools[us].states[S12].", "recipes[hand_tuned].hand_tuned.state."}) {
    flags.push_back(absl::StrCat("--set=", field, "batch_size=2"));
    flags.push_back(absl::StrCat("--set=", field, "accumulation=2"));
  }
  Ended ended = RunToEnd(WithJobs(flags, 1, launcher));
  ASSERT_EQ(ended.exit_code, 0) << ended.text;
  // One process tests the same weights again.
  const std::string scores = JoinPath(folder, "checkpoints/hand_tuned/scores.safetensors");
  ASSERT_OK_AND_ASSIGN(const std::string before, ReadFile(scores));
  for (const char* file : {"record.textproto", "checkpoints/hand_tuned/result.textproto",
                           "checkpoints/hand_tuned/scores.safetensors"}) {
    ASSERT_THAT(RemoveFile(JoinPath(folder, file)), IsOk());
  }
  ended = RunToEnd(flags);
  ASSERT_EQ(ended.exit_code, 0) << ended.text;
  EXPECT_EQ(*ReadFile(scores), before);
}

TEST(BenchmarkTest, VariantsAndSeedsEndWithATable) {
  const std::string root = TestFolder("sweep"), folder = JoinPath(root, "runs");
  const std::string sweep = JoinPath(root, "mine.textproto");
  ASSERT_THAT(WriteFileAtomically(sweep, R"(
variants { name: 'whole' title: 'all of it' }
variants { name: 'c2d' title: 'no time' network_family: 'c2d' })"),
              IsOk());
  std::vector<std::string> flags = Flags(folder, 2);
  for (const std::string& flag : {"--sweep=" + sweep, std::string("--seeds=2")}) {
    flags.push_back(flag);
  }
  Ended ended = RunToEnd(flags);
  ASSERT_EQ(ended.exit_code, 0) << ended.text;
  EXPECT_THAT(ended.text, testing::AllOf(HasSubstr("run 4 of 4: c2d/seed2"),
                                         testing::ContainsRegex("whole +all of it +2 +[0-9]"),
                                         testing::ContainsRegex("c2d +no time +2 +[0-9].* to ")));
  // The first variant with the first seed is the run without a sweep.
  ExpectEqualRuns(Whole(), JoinPath(folder, "whole/seed1"));
  ASSERT_OK_AND_ASSIGN(const RunRecord other, results::ReadRecord(JoinPath(folder, "c2d/seed2")));
  EXPECT_EQ(other.settings().network().name(), "c2d_miniature");
  EXPECT_EQ(other.settings().seed(), 2);
  // Each variant's seeds are a group, which `compare --group` takes.
  EXPECT_THAT(ended.text, HasSubstr("mean of 2 seeds"));
  const std::string group = JoinPath(folder, "c2d/group.textproto");
  ASSERT_OK_AND_ASSIGN(const std::vector<results::NamedRecord> runs, results::ReadSeedGroup(group));
  ASSERT_EQ(runs.size(), 2);
  EXPECT_EQ(runs[1].record.content_sha256(), other.content_sha256());
  // Finished runs are read; and no single run goes into the folder of several.
  flags.push_back("--variants=c2d");
  ended = RunToEnd(flags);
  EXPECT_EQ(ended.exit_code, 0) << ended.text;
  EXPECT_THAT(ended.text, HasSubstr("holds a finished run"));
  // The table has all finished runs of the folder, also those that this command left out.
  EXPECT_THAT(ended.text, testing::AllOf(testing::ContainsRegex("whole +all of it +2 +[0-9]"),
                                         testing::ContainsRegex("c2d +no time +2 +[0-9].* to ")));
  ASSERT_THAT(RemoveFile(JoinPath(folder, "c2d/seed1/record.textproto")), IsOk());
  EXPECT_THAT(results::ReadSeedGroup(group), StatusIs(absl::StatusCode::kNotFound, testing::_));
  flags = Flags(Whole(), 2);
  flags.push_back("--seeds=2");
  ended = RunToEnd(flags);
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_THAT(ended.text, HasSubstr("holds a single run"));
}

TEST(BenchmarkTest, WrongJobsAreASentence) {
  const std::string root = TestFolder("wrong_jobs"), folder = JoinPath(root, "run");
  const auto refused = [&](const std::vector<std::string>& flags, int code, const char* why) {
    const Ended ended = RunToEnd(flags);
    EXPECT_EQ(ended.exit_code, code) << ended.text;
    EXPECT_THAT(ended.text, HasSubstr(why));
  };
  refused(WithJobs(Flags(folder, 1), 0, "env"), 2, "no effect without --jobs");
  refused(WithJobs(Flags(folder, 1), -1, ""), 2, "--jobs is -1");
  refused(WithJobs(Flags(folder, 1), 2, "no_such_launcher -n 1"), 2, "was not found");
  refused(WithJobs(Flags(folder, 1), 1, "false"), 1, "tried 3 times");
  // The child's own device counts, not that of the run's machine.
  std::vector<std::string> on_gpu = WithJobs(Flags(folder, 1), 1, "");
  on_gpu.push_back("--device=cuda");
  refused(on_gpu, 2, "the child ended with exit code 2");
  // A child that sees another folder, another copy of the data, another program.
  std::vector<std::string> child = {"--serve=jobs", "--job=3"};
  std::vector<std::string> flags = Flags(JoinPath(root, "elsewhere"), 1);
  child.insert(child.end(), flags.begin(), flags.end());
  refused(child, 2, "that all its jobs see");
  child.push_back("--output_dir=" + Whole());
  child.push_back("--identity=program=00000000,lists=00000000");
  refused(child, 2, "job 3 is not of the same run");
}

TEST(BenchmarkTest, NothingHangsOnTheNumberOfThreads) {
  const std::string folder = JoinPath(TestFolder("threads"), "run");
  const Ended ended = RunToEnd(Flags(folder, 5));
  ASSERT_EQ(ended.exit_code, 0) << ended.text;
  ExpectEqualRuns(Whole(), folder);
}

TEST(BenchmarkTest, TheVideosThatChoseThePlanAreNamed) {
  ASSERT_OK_AND_ASSIGN(const RunRecord record, results::ReadRecord(Whole()));
  int named = 0;
  for (const DatasetReport::List& list : record.dataset().lists()) {
    if (list.videos_file().empty()) continue;
    ++named;
    EXPECT_EQ(list.name(), "search: held out");
    ASSERT_OK_AND_ASSIGN(const std::string text, ReadFile(JoinPath(Whole(), list.videos_file())));
    EXPECT_EQ(Crc32(text), list.crc32());
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), list.used());
  }
  EXPECT_EQ(named, 1);
}

TEST(BenchmarkTest, KilledAtAnyMomentItEndsEqual) {
  const std::string folder = JoinPath(TestFolder("killed"), "run");
  const std::string& whole = Whole();
  RandomStream stream(7, "kill", {});
  Ended ended;
  int kills = 0;
  do {
    // Later each time, so that it ends in any case.
    const absl::Time end =
        absl::Now() + absl::Milliseconds(200 + stream.UniformInt(500) + 100 * kills);
    ended = CallBenchmark(
        Flags(folder, 2), [end] { return absl::Now() >= end; }, SIGKILL);
    ++kills;
  } while (ended.exit_code == -1);
  ASSERT_EQ(ended.exit_code, 0) << ended.text;
  EXPECT_GE(kills, 2) << "the first kill came too late to test anything";
  ExpectEqualRuns(whole, folder);
}

TEST(BenchmarkTest, InterruptSaysHowToGoOn) {
  const std::string folder = JoinPath(TestFolder("interrupted"), "run");
  // In the middle of the search: its first epoch is saved.
  const std::string saved =
      JoinPath(folder, "journal/cs/S0-S1/checkpoint_00001_0000000.safetensors");
  const Ended ended = CallBenchmark(
      Flags(folder, 1), [&saved] { return FileExists(saved); }, SIGINT);
  ASSERT_EQ(ended.exit_code, 130) << ended.text;
  EXPECT_THAT(ended.text, testing::AllOf(HasSubstr("resumes the run"), HasSubstr(folder)));
}

TEST(BenchmarkTest, WrongUseIsASentenceAndExitsWithTwo) {
  const std::string folder = TestFolder("wrong");
  Ended ended = RunToEnd({"--benchmark=kinetics400", "--dataset_root=/no/such/folder",
                          "--output_dir=" + folder + "/run"});
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_THAT(ended.text, HasSubstr("/no/such/folder"));
  EXPECT_FALSE(FolderExists(folder + "/run"));
  ended = RunToEnd({"--dataset_rot=x"});
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_THAT(ended.text, HasSubstr("unknown flag --dataset_rot"));
  std::vector<std::string> flags = Flags(Whole(), 1);
  flags.push_back("--seed=2");
  ended = RunToEnd(flags);
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_THAT(ended.text, HasSubstr("seed"));
}

TEST(BenchmarkTest, DryRunWritesNothing) {
  const std::string folder = JoinPath(TestFolder("dry"), "run");
  std::vector<std::string> flags = Flags(folder, 2);
  flags.push_back("--dry_run");
  const Ended ended = RunToEnd(flags);
  EXPECT_EQ(ended.exit_code, 0) << ended.text;
  EXPECT_THAT(ended.text, testing::AllOf(HasSubstr("pool cs"), HasSubstr("S0-S2"),
                                         HasSubstr("disk:"), HasSubstr("epochs")));
  EXPECT_FALSE(FolderExists(folder));
}

TEST(BenchmarkTest, ADryRunRefusesWhatTheRunWould) {
  const std::string folder = JoinPath(TestFolder("dry_refused"), "run");
  const auto refused = [&](const std::vector<std::string>& more, const char* why) {
    std::vector<std::string> flags = Flags(folder, 1);
    flags.insert(flags.end(), more.begin(), more.end());
    flags.push_back("--dry_run");
    const Ended ended = RunToEnd(flags);
    EXPECT_EQ(ended.exit_code, 2) << ended.text;
    EXPECT_THAT(ended.text, HasSubstr(why));
    EXPECT_THAT(ended.text, testing::Not(HasSubstr("epochs, 0.0 s")));
  };
  // A step of 256 clips with 11 videos; and one state of a pool.
  refused({"--plan=kinetics400"}, "state S1: a step of 256 clips");
  refused({"--set=search.pools[cs].states[S3].accumulation=8"}, "state S3: a step of 32 clips");
  refused({"--set=recipes[hand_tuned].hand_tuned.state.batch_size=50"}, "recipe hand_tuned: state");
  refused({"--set=training.fit_memory=true"}, "training.fit_memory is for `train` alone");
  refused({"--init=" + JoinPath(Whole(), "scores.safetensors")}, "weights");
  refused({"--output_dir=" + Whole(), "--seed=2"}, "seed: 1 -> 2");
  refused({"--output_dir=" + Whole(), "--set=recipes[hand_tuned].hand_tuned.epochs=9"},
          "These are lengths");
  // Fields of a plan that may be changed can be set.
  std::vector<std::string> flags = Flags(folder, 1);
  for (const char* step : {"S1", "S2", "S5", "S7", "S9"}) {
    flags.push_back(absl::StrCat("--set=plan.steps[", step, "].state.batch_size=2"));
    flags.push_back(absl::StrCat("--set=plan.steps[", step, "].state.accumulation=1"));
    flags.push_back(absl::StrCat("--set=plan.steps[", step, "].epochs=1"));
  }
  flags.push_back("--plan=kinetics400");
  flags.push_back("--dry_run");
  const Ended ended = RunToEnd(flags);
  EXPECT_EQ(ended.exit_code, 0) << ended.text;
  EXPECT_THAT(ended.text, HasSubstr("recipe planned: 5 epochs"));
}

}  // namespace
}  // namespace op3d::benchmarks

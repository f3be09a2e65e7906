// Tests the program `train` on the tiny synthetic dataset: complete, killed and stopped, as
// several processes, with wrong input, and serving a planner.

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/io/subprocess.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/distributed/testing/rank_processes.h"
#include "op3d/network/weights/checkpoint.h"
#include "op3d/train/checkpoint/model_card.h"
#include "op3d/train/edge/edge_trainer.h"
#include "op3d/train/run/run_options.h"
#include "op3d/train/run/run_settings.h"

namespace op3d {
namespace {

using testing::HasSubstr;
using Flags = std::vector<std::string>;

std::string Root() { return *RunfilePath("data/synthetic/kinetics400_tiny"); }
std::string Tiny() { return *RunfilePath("op3d/train/run/testdata/tiny_run.textproto"); }

int processes = 0;

// A running program; its standard output and error go to a file.
class Process {
 public:
  Process(const Flags& flags, const std::map<std::string, std::string>& variables = {},
          bool with_input = false, std::optional<int64_t> largest_file = std::nullopt)
      : log_(JoinPath(TestFolder(absl::StrCat("process", ++processes)), "log")) {
    SubprocessOptions options;
    options.command = {*RunfilePath("programs/train"), "--dataset_root=" + Root(), "--threads=1"};
    options.command.insert(options.command.end(), flags.begin(), flags.end());
    options.variables.insert(variables.begin(), variables.end());
    options.log = log_;
    options.pipes = with_input;
    options.largest_file = largest_file;
    child_ = *Subprocess::Start(options);
  }

  bool Ended() { return child_->Ended(); }
  void Signal(int signal) { child_->Signal(signal); }
  // Its exit code; minus the signal that ended it.
  int Wait() { return child_->Wait(); }
  std::string Text() { return *ReadFile(log_); }

  std::string Ask(const std::string& line) {
    const std::string text = line + "\n";
    EXPECT_EQ(::write(child_->input(), text.data(), text.size()),
              static_cast<ssize_t>(text.size()));
    std::string answer;
    for (char c; ::read(child_->output(), &c, 1) == 1 && c != '\n';) answer.push_back(c);
    return answer;
  }
  void CloseInput() { child_->CloseInput(); }

 private:
  const std::string log_;
  std::unique_ptr<Subprocess> child_;
};

Flags RunIn(const std::string& folder, const Flags& more = {}) {
  Flags flags = {"--settings=" + Tiny(), "--output_dir=" + folder, "--device=cpu"};
  flags.insert(flags.end(), more.begin(), more.end());
  return flags;
}

// The log's lines about steps and epochs, without what may differ.
std::string Log(const std::string& folder) {
  std::string text;
  for (const absl::string_view line :
       absl::StrSplit(*ReadFile(JoinPath(folder, "log.jsonl")), '\n', absl::SkipEmpty())) {
    auto json = nlohmann::ordered_json::parse(line);
    json.erase("volatile");
    if (json.contains("state")) absl::StrAppend(&text, json.dump(), "\n");
  }
  return text;
}

std::string Bytes(const std::string& folder, const std::string& name) {
  auto bytes = ReadFile(JoinPath(folder, name));
  EXPECT_THAT(bytes, IsOk());
  return bytes.ok() ? *bytes : "";
}

// The uninterrupted run with which the others are compared; made once.
const std::string& Whole() {
  static const std::string* folder = [] {
    auto* path = new std::string(JoinPath(TestFolder("whole"), "run"));
    Process process(RunIn(*path));
    EXPECT_EQ(process.Wait(), 0) << process.Text();
    return path;
  }();
  return *folder;
}

void ExpectAsWhole(const std::string& folder) {
  EXPECT_EQ(Log(folder), Log(Whole()));
  EXPECT_EQ(Bytes(folder, "weights.safetensors"), Bytes(Whole(), "weights.safetensors"));
  EXPECT_EQ(Bytes(folder, "best.safetensors"), Bytes(Whole(), "best.safetensors"));
}

TEST(TrainProgramTest, AWholeRunLeavesWhatItPromises) {
  const std::string log = Log(Whole());
  // 18 videos: four steps of four clips, two epochs; two steps of eight, two epochs; four epochs.
  const std::vector<std::string> lines = absl::StrSplit(log, '\n', absl::SkipEmpty());
  EXPECT_EQ(lines.size(), 2 * 4 + 2 * 2 + 4);
  EXPECT_THAT(lines[4], HasSubstr(R"({"event":"epoch","state":1,"epoch":1,"loss":)"));
  EXPECT_THAT(lines[4], HasSubstr("\"top1\":"));
  ASSERT_OK_AND_ASSIGN(const auto names, ListFolder(Whole()));
  int events = 0;
  for (const std::string& name : names) events += absl::StartsWith(name, "events.out.tfevents.");
  EXPECT_EQ(events, 1);
  EXPECT_THAT(*ListFolder(JoinPath(Whole(), "state_2")),
              testing::ElementsAre("weights.safetensors"));
  // The weights have a card.
  ASSERT_OK_AND_ASSIGN(const Checkpoint weights,
                       Checkpoint::Read(JoinPath(Whole(), "weights.safetensors")));
  ASSERT_OK_AND_ASSIGN(const auto card, ReadModelCard(weights, "weights"));
  ASSERT_TRUE(card.has_value());
  EXPECT_EQ(card->network().name(), "dg_p3d_miniature");
  EXPECT_EQ(card->class_names_size(), 9);
  EXPECT_EQ(card->dataset().evaluation().list(), "kinetics-400_val.csv");
  EXPECT_EQ(TestClip(*card).segments, 4);
  EXPECT_EQ(card->crop(), 32);
  EXPECT_NE(card->commit(), "");
  EXPECT_GT(card->loss(), 0);
  // Once more: nothing is left to do.
  Process again(RunIn(Whole()));
  EXPECT_EQ(again.Wait(), 0) << again.Text();
  EXPECT_THAT(again.Text(), HasSubstr("weights: "));
  EXPECT_EQ(Log(Whole()), log);
}

TEST(TrainProgramTest, KilledAndStoppedItEndsWithTheSameBits) {
  const std::string folder = JoinPath(TestFolder("killed"), "run");
  RandomStream stream(1, "kills", {});
  // Each process is killed once the log has grown by a few lines.
  for (int kill = 0; kill < 4; ++kill) {
    const auto lines = [&] {
      const auto text = ReadFile(JoinPath(folder, "log.jsonl"));
      return text.ok() ? std::count(text->begin(), text->end(), '\n') : 0;
    };
    const int64_t wanted = lines() + 2 + stream.UniformInt(4);
    const int signal = kill % 2 == 0 ? SIGKILL : SIGTERM;
    Process process(RunIn(folder, {absl::StrCat("--threads=", 1 + kill % 2)}));
    while (!process.Ended() && lines() < wanted) absl::SleepFor(absl::Milliseconds(2));
    process.Signal(signal);
    const int code = process.Wait();
    if (signal == SIGKILL) {
      EXPECT_TRUE(code == -SIGKILL || code == 0) << code;
    } else if (code != 0) {
      EXPECT_EQ(code, 143);
      EXPECT_THAT(process.Text(), HasSubstr("--output_dir=" + folder + " resumes the run"));
    }
  }
  Process last(RunIn(folder));
  EXPECT_EQ(last.Wait(), 0) << last.Text();
  ExpectAsWhole(folder);
}

TEST(TrainProgramTest, OtherSettingsOnAFolderAreRefused) {
  const std::string before = Bytes(Whole(), "log.jsonl");
  Process process(RunIn(Whole(), {"--set=sgd.momentum=0.5"}));
  EXPECT_EQ(process.Wait(), 2);
  EXPECT_THAT(process.Text(), HasSubstr("sgd.momentum: 0.9 -> 0.5"));
  EXPECT_EQ(Bytes(Whole(), "log.jsonl"), before);
}

TEST(TrainProgramTest, ADamagedCheckpointGivesWayToTheOneBefore) {
  const std::string folder = JoinPath(TestFolder("damaged"), "run");
  Process first(RunIn(folder));
  const std::string state = JoinPath(folder, "state_1");
  const auto checkpoints = [&] {
    std::vector<std::string> found;
    for (const std::string& name : ListFolder(state).value_or(std::vector<std::string>())) {
      if (absl::StartsWith(name, "checkpoint_") && absl::EndsWith(name, ".safetensors")) {
        found.push_back(name);
      }
    }
    return found;
  };
  while (!first.Ended() && checkpoints().size() < 2) absl::SleepFor(absl::Milliseconds(1));
  first.Signal(SIGKILL);
  first.Wait();
  const std::vector<std::string> names = checkpoints();
  ASSERT_GE(names.size(), 1);
  std::string bytes = Bytes(state, names.back());
  bytes[bytes.size() / 2] ^= 1;
  ASSERT_THAT(WriteFileAtomically(JoinPath(state, names.back()), bytes), IsOk());
  Process second(RunIn(folder));
  const int code = second.Wait();
  if (names.size() == 1) {
    EXPECT_EQ(code, 1);  // all of them damaged
    return;
  }
  EXPECT_EQ(code, 0) << second.Text();
  EXPECT_THAT(second.Text(), HasSubstr(names.back()));
  ExpectAsWhole(folder);
}

TEST(TrainProgramTest, ADiskThatTakesNoCheckpointLosesNothing) {
  const std::string folder = JoinPath(TestFolder("full"), "run"),
                    state = JoinPath(folder, "state_1");
  const auto files = [&] { return ListFolder(state).value_or(Flags()); };
  Process first(RunIn(folder));
  while (!first.Ended() && (files().empty() || !absl::EndsWith(files()[0], ".safetensors"))) {
    absl::SleepFor(absl::Milliseconds(1));
  }
  first.Signal(SIGKILL);
  first.Wait();
  constexpr int64_t kLessThanACheckpoint = 1 << 20;
  Process second(RunIn(folder), {}, /*with_input=*/false, kLessThanACheckpoint);
  EXPECT_EQ(second.Wait(), 1) << second.Text();
  EXPECT_THAT(second.Text(), HasSubstr("cannot write " + state + "/checkpoint_"));
  EXPECT_THAT(files(), testing::Contains(testing::EndsWith(".safetensors")));
  Process third(RunIn(folder));
  EXPECT_EQ(third.Wait(), 0) << third.Text();
  ExpectAsWhole(folder);
}

TEST(TrainProgramTest, DivergenceLeavesTheLastGoodWeights) {
  // More than twenty steps are needed: a few prove nothing.
  const std::string settings = JoinPath(TestFolder("diverging"), "long.textproto");
  ASSERT_THAT(WriteFileAtomically(
                  settings, absl::StrReplaceAll(*ReadFile(Tiny()), {{"epochs: 2", "epochs: 8"}})),
              IsOk());
  const std::string folder = JoinPath(TestFolder("diverged"), "run");
  Process process({"--settings=" + settings, "--output_dir=" + folder, "--device=cpu",
                   "--set=training.divergence_factor=0.6", "--set=measure.videos=NONE"});
  EXPECT_EQ(process.Wait(), 1) << process.Text();
  EXPECT_THAT(process.Text(), HasSubstr("in epoch 5, step 4: training diverged; use a lower"));
  EXPECT_THAT(process.Text(), HasSubstr("The last good weights, of epoch 4"));
}

TEST(TrainProgramTest, AStateThatLearntNothingIsNamed) {
  Process process(
      RunIn(JoinPath(TestFolder("nothing"), "run"),
            {"--set=steps=[{state {name: 'S7' segments: 1 frames_per_segment: 16 stride: 1 "
             "learning_rate: 1e-12 batch_size: 6 accumulation: 1} epochs: 1}]"}));
  EXPECT_EQ(process.Wait(), 0) << process.Text();
  EXPECT_THAT(process.Text(), HasSubstr("warning: state S7 ended with a training loss of "));
  EXPECT_THAT(process.Text(), HasSubstr("guessing among 9 classes costs 4.394"));
}

// Well trained, but tested on videos whose labels are shifted by one class.
TEST(TrainProgramTest, AMisfitBetweenLossAndTestIsNamed) {
  ASSERT_OK_AND_ASSIGN(const std::string map, ReadFile(JoinPath(Root(), "label_map.txt")));
  const std::vector<std::string> names = absl::StrSplit(map, '\n', absl::SkipEmpty());
  ASSERT_OK_AND_ASSIGN(const std::string train,
                       ReadFile(JoinPath(Root(), "kinetics-400_train.csv")));
  std::string turned;
  for (const absl::string_view row : absl::StrSplit(train, '\n', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(row, absl::MaxSplits(',', 1));
    const std::string label = absl::StrReplaceAll(parts.first, {{"\"", ""}});
    const auto name = std::find(names.begin(), names.end(), label);
    const std::string next = name == names.end() ? label : names[(name - names.begin() + 1) % 9];
    absl::StrAppend(&turned, "\"", next, "\",", parts.second, "\n");
  }
  const std::string folder = TestFolder("misfit"), list = JoinPath(folder, "turned.csv");
  ASSERT_THAT(WriteFileAtomically(list, turned), IsOk());
  Process process(
      RunIn(JoinPath(folder, "run"),
            {"--set=dataset.evaluation.list=" + list, "--set=dataset.evaluation.media=train",
             "--index=" + JoinPath(folder, "index"), "--set=training={}", "--set=network.dropout=0",
             "--set=transform.jitter_probability=0", "--set=transform.min_area=0.9",
             "--set=measure.every_epochs=16",
             "--set=steps=[{state {name: 'S1' segments: 1 frames_per_segment: 16 stride: 1 "
             "learning_rate: 0.01 batch_size: 9 accumulation: 1} epochs: 16}]"}));
  EXPECT_EQ(process.Wait(), 0) << process.Text();
  EXPECT_THAT(process.Text(),
              testing::ContainsRegex("warning: top-1 is [01]?[0-9].. % of 18 videos, the level of "
                                     "guessing among 9 classes, although the training loss was "
                                     "[01]\\.[0-9]+, far below the 4.394 of guessing"));
  EXPECT_THAT(Bytes(JoinPath(folder, "run"), "log.jsonl"), HasSubstr("\"event\":\"warning\""));
}

TEST(TrainProgramTest, ADryRunWritesNothing) {
  const std::string folder = JoinPath(TestFolder("dry"), "run");
  Process process(RunIn(
      folder, {"--dry_run", "--index=" + JoinPath(TestFolder("index"), "i"), "--precision=auto"}));
  EXPECT_EQ(process.Wait(), 0) << process.Text();
  EXPECT_THAT(process.Text(), HasSubstr(": a matrix product in bf16 takes "));
  EXPECT_THAT(process.Text(), HasSubstr("memory: about "));
  EXPECT_THAT(process.Text(), HasSubstr("S2 "));
  EXPECT_FALSE(FolderExists(folder));
}

TEST(TrainProgramTest, ADryRunRefusesWhatTheRunWould) {
  const std::string folder = JoinPath(TestFolder("dry_refused"), "run");
  const auto refused = [](const std::string& output, Flags more, const char* why) {
    more.push_back("--dry_run");
    Process process(RunIn(output, more));
    EXPECT_EQ(process.Wait(), 2) << process.Text();
    EXPECT_THAT(process.Text(), HasSubstr(why));
  };
  refused(folder, {"--plan=kinetics400"}, "a step of 256 clips");
  refused(folder, {"--init=" + JoinPath(Whole(), "weights.safetensors"), "--set=network.width=16"},
          "the weights are those of another network");
  refused(Whole(), {"--set=sgd.momentum=0.5"}, "sgd.momentum: 0.9 -> 0.5");
  refused(Whole(), {"--set=steps[S2].epochs=20"}, "state 2: 2 epochs there, 20 here");
}

TEST(TrainProgramTest, MoreEpochsOnAFinishedRunSayHow) {
  const std::string log = Bytes(Whole(), "log.jsonl");
  Process more(RunIn(Whole(), {"--set=steps[1].epochs=3"}));
  EXPECT_EQ(more.Wait(), 2);
  EXPECT_THAT(more.Text(),
              HasSubstr("--init=" + JoinPath(Whole(), "weights.safetensors") + " with steps"));
  EXPECT_EQ(Bytes(Whole(), "log.jsonl"), log);
}

TEST(TrainProgramTest, APlanIsTrainedInsteadOfTheSteps) {
  const std::string folder = TestFolder("planned"), plan = JoinPath(folder, "plan.textproto");
  ASSERT_THAT(WriteFileAtomically(
                  plan,
                  "pool: 'cs' steps { state { name: 'S4' segments: 1 frames_per_segment: 16 "
                  "stride: 1 learning_rate: 0.01 batch_size: 6 accumulation: 1 } epochs: 1 } "
                  "path: ['S0', 'S4']"),
              IsOk());
  const std::string run = JoinPath(folder, "run");
  Process process(RunIn(run, {"--plan=" + plan, "--set=measure.videos=NONE"}));
  EXPECT_EQ(process.Wait(), 0) << process.Text();
  // 18 videos, three steps of six.
  const std::vector<std::string> lines = absl::StrSplit(Log(run), '\n', absl::SkipEmpty());
  EXPECT_EQ(lines.size(), 3 + 1);
  EXPECT_THAT(Bytes(run, "settings.textproto"), HasSubstr("name: \"S4\""));
  Process unknown(RunIn(run, {"--plan=kinetics"}));
  EXPECT_EQ(unknown.Wait(), 2);
  EXPECT_THAT(unknown.Text(), HasSubstr("the released plans are activitynet_imagenet"));
  Process serve({"--serve", "--settings=" + Tiny(), "--plan=" + plan});
  EXPECT_EQ(serve.Wait(), 2);
  EXPECT_THAT(serve.Text(), HasSubstr("--plan has no effect with --serve"));
}

TEST(TrainProgramTest, FlagsWithoutEffectAreRefused) {
  const std::string folder = JoinPath(TestFolder("idle"), "run");
  Process kept(RunIn(folder, {"--kept_epochs=3"}));
  EXPECT_EQ(kept.Wait(), 2);
  EXPECT_THAT(kept.Text(), HasSubstr("--kept_epochs has no effect without --serve"));
  Process usual(RunIn(folder, {"--purpose=search"}));
  EXPECT_EQ(usual.Wait(), 2);
  EXPECT_THAT(usual.Text(), HasSubstr("--purpose has no effect without --serve"));
  Process dry({"--serve", "--settings=" + Tiny(), "--dry_run"});
  EXPECT_EQ(dry.Wait(), 2);
  EXPECT_THAT(dry.Text(), HasSubstr("--dry_run has no effect with --serve"));
}

TEST(TrainProgramTest, BadInputIsASentence) {
  const auto run = [](const Flags& flags, int code) {
    Process process(RunIn(JoinPath(TestFolder("bad"), "run"), flags));
    EXPECT_EQ(process.Wait(), code);
    return process.Text();
  };
  EXPECT_THAT(run({"--set=steps=[{state {name: 'S' segments: 1 frames_per_segment: 16 stride: 1 "
                   "learning_rate: 1 batch_size: 19 accumulation: 1} epochs: 1}]"},
                  2),
              HasSubstr("larger than the training list of 18 videos"));
  EXPECT_THAT(run({"--set=dataset.train.part=none"}, 2), HasSubstr("part"));
  EXPECT_THAT(run({"--dataset_root=/gone"}, 2), HasSubstr("/gone"));
  EXPECT_THAT(run({"--init=" + Tiny()}, 2), HasSubstr("tiny_run.textproto"));
  EXPECT_THAT(
      run({"--init=" + JoinPath(Whole(), "weights.safetensors"), "--set=network.width=16"}, 2),
      HasSubstr("the weights are those of another network"));
  EXPECT_THAT(run({"--precision=fp64"}, 2), HasSubstr("fp32, bf16"));
}

// What makes a process one of two ranks.
std::map<std::string, std::string> OfTwo(int rank, int port) {
  return {{"RANK", absl::StrCat(rank)},
          {"WORLD_SIZE", "2"},
          {"LOCAL_RANK", absl::StrCat(rank)},
          {"MASTER_ADDR", "127.0.0.1"},
          {"MASTER_PORT", absl::StrCat(port)}};
}

TEST(TrainProgramTest, TwoRanksTrainTogether) {
  const std::string folder = JoinPath(TestFolder("ranks"), "run");
  {
    const int port = FreePort();
    Process one(RunIn(folder), OfTwo(0, port)), two(RunIn(folder), OfTwo(1, port));
    EXPECT_EQ(one.Wait(), 0) << one.Text();
    EXPECT_EQ(two.Wait(), 0) << two.Text();
    const std::string log = Log(folder), whole = Log(Whole());
    EXPECT_EQ(std::count(log.begin(), log.end(), '\n'),
              std::count(whole.begin(), whole.end(), '\n'));
  }
  {
    const int port = FreePort();
    const std::string other = JoinPath(TestFolder("other"), "run");
    Process one(RunIn(other), OfTwo(0, port)),
        two(RunIn(other, {"--set=sgd.momentum=0.5"}), OfTwo(1, port));
    EXPECT_EQ(one.Wait(), 2);
    EXPECT_EQ(two.Wait(), 2);
    EXPECT_THAT(one.Text(), HasSubstr("momentum"));
  }
}

Flags Serve() { return {"--serve", "--settings=" + Tiny(), "--purpose=search.cs", "--device=cpu"}; }

// A planner's request for the edge S0-S1, whose folder is below `folder`.
std::string Request(const char* kind, int epoch, const std::string& folder, int accumulation) {
  return nlohmann::ordered_json({{"protocol", 1},
                                 {"request", kind},
                                 {"epoch", epoch},
                                 {"edge", "S0-S1"},
                                 {"state",
                                  {{"name", "S1"},
                                   {"segments", 1},
                                   {"frames_per_segment", 16},
                                   {"stride", 1},
                                   {"learning_rate", 0.02},
                                   {"batch_size", 4 / accumulation},
                                   {"accumulation", accumulation},
                                   {"frozen_batch_norm", false}}},
                                 {"source", ""},
                                 {"folder", JoinPath(folder, "S0-S1")}})
      .dump();
}

// The planner then starts all ranks again; an answer with an error would end its search.
TEST(TrainProgramTest, ALostRankEndsTheOthersWithoutAnAnswer) {
  const std::string folder = TestFolder("lost");
  const int port = FreePort();
  Process one(Serve(), OfTwo(0, port), /*with_input=*/true), two(Serve(), OfTwo(1, port));
  EXPECT_THAT(one.Ask(Request("train", 1, folder, 2)), HasSubstr("\"epoch\":1"));
  two.Signal(SIGKILL);
  EXPECT_EQ(one.Ask(Request("train", 2, folder, 2)), "");
  EXPECT_EQ(one.Wait(), 1);
  EXPECT_EQ(two.Wait(), -SIGKILL);
}

// The edges are equal to those of an EdgeTrainer in this process.
TEST(TrainProgramTest, ServesAPlannerWithTheSameBits) {
  const std::string folder = TestFolder("serve");
  const auto request = [&](const char* kind, int epoch) { return Request(kind, epoch, folder, 1); };
  const Flags serve = Serve();
  std::vector<std::string> answers;
  {
    Process child(serve, {}, /*with_input=*/true);
    answers.push_back(child.Ask(request("measure", 0)));
    answers.push_back(child.Ask(request("train", 1)));
    child.Signal(SIGKILL);
    child.Wait();
  }
  {
    // A new child, which gets an already answered request again.
    Process child(serve, {}, /*with_input=*/true);
    EXPECT_EQ(child.Ask(request("train", 1)), answers[1]);
    const auto cost = nlohmann::json::parse(child.Ask(request("estimate", 30)));
    EXPECT_EQ(cost["epoch"], 30) << cost.dump();
    EXPECT_GT(cost["clips"], 0);
    EXPECT_GT(cost["train_seconds"], 0.0);
    EXPECT_GT(cost["measure_seconds"], 0.0);
    EXPECT_GT(cost["memory_bytes"], cost["kept_bytes"]);
    // The weights of all epochs.
    EXPECT_GT(cost["training_bytes"], 30 * cost["kept_bytes"].get<int64_t>());
    answers.push_back(child.Ask(request("train", 2)));
    EXPECT_THAT(child.Ask("nonsense"), HasSubstr("{\"error\":"));
    answers.push_back(child.Ask(request("keep", 2)));
    child.CloseInput();
    EXPECT_EQ(child.Wait(), 0) << child.Text();
  }
  RunSettingsRequest settings_request;
  settings_request.settings = Tiny();
  RunOptions options;
  ASSERT_OK_AND_ASSIGN(options.settings, ResolveRunSettings(settings_request));
  options.dataset_root = Root();
  ASSERT_OK_AND_ASSIGN(const TrainingData data, LoadRunData(options));
  TrainingJob job = MakeTrainingJob(options, data);
  job.purpose = "search.cs";
  EdgeTrainer trainer(job, &data.measured);
  EdgeTask edge;
  edge.set_name("S0-S1");
  edge.mutable_state()->set_segments(1);
  edge.mutable_state()->set_frames_per_segment(16);
  edge.mutable_state()->set_stride(1);
  edge.mutable_state()->set_learning_rate(0.02);
  edge.mutable_state()->set_batch_size(4);
  edge.mutable_state()->set_accumulation(1);
  edge.set_folder(JoinPath(folder, "here"));
  for (int epoch = 0; epoch <= 2; ++epoch) {
    ASSERT_OK_AND_ASSIGN(const CurvePoint measure,
                         epoch == 0 ? trainer.Measure(edge) : trainer.TrainEpoch(edge, epoch));
    const auto answer = nlohmann::json::parse(answers[epoch]);
    EXPECT_EQ(answer["epoch"], epoch);
    EXPECT_EQ(answer["performance"].get<double>(), measure.performance());
    EXPECT_EQ(answer["loss"].get<double>(), measure.loss());
  }
  ASSERT_THAT(trainer.Finish(edge, 2), IsOk());
  EXPECT_EQ(answers[3], "{\"epoch\":2}");
  EXPECT_EQ(Bytes(folder, "S0-S1/weights.safetensors"), Bytes(folder, "here/weights.safetensors"));
}

}  // namespace
}  // namespace op3d

// Tests the program //op3d:evaluate: alone, as two processes, and on the scores that it has
// written.
#include <ATen/core/grad_mode.h>
#include <sys/wait.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
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
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/textproto.h"
#include "op3d/distributed/testing/rank_processes.h"
#include "op3d/eval/scorer.h"
#include "op3d/eval/scores/video_scores.h"
#include "op3d/network/network.h"
#include "op3d/torch/arithmetic.h"
#include "op3d/train/checkpoint/model_card.h"
#include "op3d/train/state_trainer.h"
#include "op3d/train/testing/tiny_job.h"

namespace op3d {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr char kDataset[] =
    "name: 'tiny' classes: 9 format: KINETICS_CSV label_map: 'label_map.txt' "
    "train { list: 'kinetics-400_train.csv' media: 'train' } "
    "evaluation { list: 'kinetics-400_val.csv' media: 'val' }";

struct Result {
  int code = 0;
  std::string out, err;
};

// The program's default arithmetic: its scores are compared with this process's, bit by bit.
class PortableProcess : public testing::Environment {
  void SetUp() override { ASSERT_THAT(UseArithmetic(Arithmetic::kPortable).status(), IsOk()); }
};
const auto* const kArithmetic = testing::AddGlobalTestEnvironment(new PortableProcess);

class EvaluateTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = TestFolder("evaluate");
    ASSERT_OK_AND_ASSIGN(program_, RunfilePath("programs/evaluate"));
    ASSERT_OK_AND_ASSIGN(const std::string root, RunfilePath("data/synthetic/kinetics400_tiny"));
    ASSERT_OK_AND_ASSIGN(const auto network, Network::Make({"dg_p3d_miniature", 9, 0}, 1));
    ASSERT_THAT(network->SaveWeights(Path("weights.safetensors")), IsOk());
    ASSERT_THAT(WriteFileAtomically(Path("tiny.textproto"), kDataset), IsOk());
    test_ = absl::StrCat(" --weights=", Path("weights.safetensors"),
                         " --network=dg_p3d_miniature --dataset=", Path("tiny.textproto"),
                         " --dataset_root=", root, " --index=", Path("index"),
                         " --clips=2 --short_side=36 --crop=32 --bootstrap_samples=50");
  }

  std::string Path(const std::string& name) const { return JoinPath(folder_, name); }
  std::string Read(const std::string& name) const { return ReadFile(Path(name)).value_or(""); }

  std::string Command(const std::string& flags, const std::string& log,
                      const std::string& variables = "") const {
    return absl::StrCat("env ", variables, " '", program_, "' ", flags, " >", Path(log), ".out 2>",
                        Path(log), ".err");
  }
  Result Run(const std::string& flags) const {
    const int status = std::system(Command(flags, "log").c_str());
    return {WEXITSTATUS(status), Read("log.out"), Read("log.err")};
  }
  // Returns both ranks' codes: rank 0's as the first digit, rank 1's as the second.
  int RunTwo(const std::string& first, const std::string& second) const {
    const std::string variables =
        absl::StrCat("WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=", FreePort());
    const int status = std::system(absl::StrCat(Command(second, "1", "RANK=1 " + variables), " & ",
                                                Command(first, "0", "RANK=0 " + variables),
                                                "; a=$?; wait $!; exit $((10 * a + $?))")
                                       .c_str());
    return WEXITSTATUS(status);
  }

  std::string folder_, program_, test_;
};

TEST_F(EvaluateTest, ScoresServeAgainAndAnyNumberOfProcessesGivesThem) {
  const std::string files =
      absl::StrCat(" --json --per_class=", Path("c.csv"), " --per_video=", Path("v.csv"),
                   " --confusion=", Path("m.csv"));
  const Result alone = Run(absl::StrCat(test_, files, " --output=", Path("a.safetensors")));
  ASSERT_EQ(alone.code, 0) << alone.err;
  const json row = json::parse(alone.out, nullptr, false);
  ASSERT_TRUE(row.is_object()) << alone.out;
  EXPECT_EQ(row["videos"], 9);
  EXPECT_EQ(row["views"], 6);
  EXPECT_EQ(row["head_top1"].size(), 2);
  EXPECT_LE(row["intervals"]["top1"][0], row["top1"]);
  EXPECT_TRUE(absl::StartsWith(Read("v.csv"), "name,label,"));
  EXPECT_FALSE(FolderExists(Path("a.safetensors.parts")));
  const std::string tables = Read("c.csv") + Read("v.csv") + Read("m.csv");

  // Without a video the figures and tables are the same.
  const Result again = Run(absl::StrCat(Path("a.safetensors"), files, " --bootstrap_samples=50"));
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(again.out, alone.out);
  EXPECT_EQ(Read("c.csv") + Read("v.csv") + Read("m.csv"), tables);

  // As two processes: the same bytes, and one answer.
  const std::string two =
      absl::StrCat(test_, " --json --threads=1 --output=", Path("b.safetensors"));
  ASSERT_EQ(RunTwo(two, two), 0) << Read("0.err") << Read("1.err");
  EXPECT_EQ(Read("0.out"), alone.out);
  EXPECT_EQ(Read("1.out"), "");
  EXPECT_EQ(Read("b.safetensors"), Read("a.safetensors"));
  EXPECT_FALSE(FolderExists(Path("b.safetensors.parts")));

  // Two streams.
  const Result fused = Run(absl::StrCat(Path("a.safetensors"), " ", Path("b.safetensors"),
                                        " --fusion_weights=1,1.5 --statistic=probabilities"));
  EXPECT_EQ(fused.code, 0) << fused.err;
  EXPECT_THAT(fused.out, HasSubstr("sum of 2 scores with weights 1, 1.5"));
}

TEST_F(EvaluateTest, TheDatasetSaysHowManyClipsUnlessAFlagDoes) {
  const std::string dataset = absl::StrCat(kDataset, " protocol { test_clips: 3 }");
  ASSERT_THAT(WriteFileAtomically(Path("tiny.textproto"), dataset), IsOk());
  const std::string open = absl::StrReplaceAll(test_, {{" --clips=2", ""}});
  const Result own = Run(absl::StrCat(open, " --json"));
  ASSERT_EQ(own.code, 0) << own.err;
  EXPECT_EQ(json::parse(own.out, nullptr, false)["views"], 3 * 3);
  const Result told = Run(absl::StrCat(test_, " --json"));
  ASSERT_EQ(told.code, 0) << told.err;
  EXPECT_EQ(json::parse(told.out, nullptr, false)["views"], 2 * 3);
}

TEST_F(EvaluateTest, ScoresHardlyDependOnThePrecision) {
  std::vector<TestScores> scores;
  for (const char* precision : {"fp32", "fp64", "bf16", "auto"}) {
    const Result result =
        Run(absl::StrCat(test_, " --precision=", precision, " --output=", Path(precision)));
    ASSERT_EQ(result.code, 0) << result.err;
    ASSERT_OK_AND_ASSIGN(TestScores parsed, ParseTestScores(Read(precision), precision));
    scores.push_back(std::move(parsed));
  }
  const std::vector<float>& exact = scores[1].scores;
  double square = 0;
  for (const float logit : exact) square += double{logit} * logit / exact.size();
  const double rms = std::sqrt(square);
  const auto distance = [&](const std::vector<float>& logits) {
    double most = 0;
    for (size_t i = 0; i < exact.size(); ++i) {
      most = std::max<double>(most, std::abs(logits[i] - exact[i]));
    }
    return most / rms;
  };
  EXPECT_LT(distance(scores[0].scores), 1e-4);
  EXPECT_LT(distance(scores[2].scores), 0.1);
  EXPECT_GT(distance(scores[2].scores), distance(scores[0].scores));
  EXPECT_TRUE(scores[3].scores == scores[0].scores || scores[3].scores == scores[2].scores);
}

TEST_F(EvaluateTest, AListWithoutLabelsIsPredicted) {
  ASSERT_OK_AND_ASSIGN(const std::string root, RunfilePath("data/synthetic/kinetics400_tiny"));
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> names, ListFolder(root + "/test"));
  std::string list;
  for (const std::string& name : {names[0], names[1]}) absl::StrAppend(&list, name, "\n");
  ASSERT_THAT(WriteFileAtomically(Path("test.txt"), list), IsOk());
  ASSERT_THAT(WriteFileAtomically(
                  Path("test.textproto"),
                  absl::StrCat("name: 'paths' classes: 9 format: PATH_LABEL evaluation { list: '",
                               Path("test.txt"), "' media: 'test' }")),
              IsOk());
  const std::string test =
      absl::StrReplaceAll(test_, {{Path("tiny.textproto"), Path("test.textproto")}});
  const Result text =
      Run(absl::StrCat(test, " --output=", Path("t.safetensors"), " --per_video=", Path("v.csv")));
  ASSERT_EQ(text.code, 0) << text.err;
  EXPECT_THAT(text.out, testing::AllOf(HasSubstr("no labels"), HasSubstr(names[1] + "   class "),
                                       testing::Not(HasSubstr("top-1"))));
  EXPECT_THAT(Read("v.csv"), HasSubstr(names[0] + ",,,"));
  // The same without a video.
  const Result again = Run(Path("t.safetensors"));
  EXPECT_EQ(again.out, text.out);
  const Result json_text = Run(absl::StrCat(Path("t.safetensors"), " --json"));
  EXPECT_EQ(json::parse(json_text.out, nullptr, false)["predictions"].size(), 2);
  const Result refused = Run(absl::StrCat(test, " --confusion=", Path("m.csv")));
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("--confusion: the list has no labels"));
}

// Trains a network that is not the default one, and scores the evaluation list as a run's own test.
struct Trained {
  std::unique_ptr<TinyJob> tiny;
  TestScores scores;
};

absl::StatusOr<Trained> TrainTiny(const std::string& network, const data::ClipShape& clip,
                                  const std::string& file) {
  Trained trained;
  OP3D_ASSIGN_OR_RETURN(trained.tiny, MakeTinyJob());
  TrainingJob& job = trained.tiny->job;
  OP3D_RETURN_IF_ERROR(ParseTextproto(network, "network", &job.network));
  job.videos = &trained.tiny->train;
  OP3D_RETURN_IF_ERROR(ParseTextproto(kDataset, "dataset", job.card.mutable_dataset()));
  for (char c = 'a'; c < 'j'; ++c) job.card.add_class_names(std::string(1, c));
  job.card.set_test_clips(2);
  StateTask state;
  state.clip = clip;
  state.learning_rate = 0.02;
  state.batch_size = 6;
  OP3D_ASSIGN_OR_RETURN(const auto trainer, StateTrainer::Start(job, state, file + ".state"));
  OP3D_RETURN_IF_ERROR(trainer->TrainEpoch().status());
  OP3D_RETURN_IF_ERROR(trainer->SaveWeights(file, {}));
  OP3D_RETURN_IF_ERROR(trainer->Flush());
  ScoringOptions options;
  options.clip = clip;
  options.transform = job.transform;
  ActivitySeconds seconds;
  OP3D_ASSIGN_OR_RETURN(
      const ViewScores views,
      ScoreViews(&trainer->network(), trained.tiny->evaluation, job.frames, 2, options, &seconds));
  trained.scores = Summarise(views);
  return trained;
}

// Changes the class names, or another part of the card, of `file`.
absl::Status ChangeCard(const std::string& file, const std::function<void(ModelCard*)>& change) {
  OP3D_ASSIGN_OR_RETURN(const Checkpoint checkpoint, Checkpoint::Read(file));
  OP3D_ASSIGN_OR_RETURN(std::optional<ModelCard> card, ReadModelCard(checkpoint, file));
  change(&*card);
  std::map<std::string, std::string> metadata;
  AddModelCard(*card, &metadata);
  OP3D_ASSIGN_OR_RETURN(const std::string bytes,
                        SerializeSafetensors(checkpoint.tensors(), metadata));
  return WriteFileAtomically(file, bytes);
}

class WeightsCardTest : public EvaluateTest {
 protected:
  void SetUp() override {
    EvaluateTest::SetUp();
    ASSERT_OK_AND_ASSIGN(const std::string root, RunfilePath("data/synthetic/kinetics400_tiny"));
    data_ = absl::StrCat(" --dataset_root=", root, " --index=", Path("index"));
    ASSERT_OK_AND_ASSIGN(const std::string map, ReadFile(root + "/label_map.txt"));
    names_ = absl::StrSplit(map, '\n', absl::SkipEmpty());
    ASSERT_EQ(names_.size(), 9);
  }
  void NameClasses(const std::vector<std::string>& names, ModelCard* card) {
    card->mutable_class_names()->Assign(names.begin(), names.end());
  }

  std::string data_;
  std::vector<std::string> names_;
};

TEST_F(WeightsCardTest, WithoutAFlagTheTestIsTheRunsOwn) {
  const std::vector<std::pair<std::string, data::ClipShape>> cases = {
      {"name: 'dg_p3d_miniature' width: 16", {1, 16, 1}},
      {"name: 'dg_p3d_miniature' dual_pool: 1 dropout: 0.2", {1, 32, 2}},
      {"name: 'dg_p3d_miniature' early_stride: 2 without_spatial_head: true", {4, 4, 1}},
  };
  for (const auto& [network, clip] : cases) {
    const std::string file = Path("model.safetensors");
    ASSERT_OK_AND_ASSIGN(const Trained own, TrainTiny(network, clip, file));
    ASSERT_THAT(ChangeCard(file, [&](ModelCard* card) { NameClasses(names_, card); }), IsOk());
    const Result result = Run(absl::StrCat(file, data_, " --output=", Path("own.safetensors")));
    ASSERT_EQ(result.code, 0) << network << result.err;
    EXPECT_THAT(result.err, HasSubstr("weights: " + own.tiny->job.network.name()));
    EXPECT_THAT(result.err, testing::Not(HasSubstr("note:")));
    ASSERT_OK_AND_ASSIGN(const TestScores scores,
                         ParseTestScores(Read("own.safetensors"), "evaluate"));
    EXPECT_EQ(scores.labels, own.scores.labels) << network;
    EXPECT_EQ(scores.scores, own.scores.scores) << network;
    EXPECT_EQ(scores.class_names, names_);
    ASSERT_THAT(RemoveFile(Path("own.safetensors")), IsOk());
    ASSERT_EQ(std::system(absl::StrCat("rm -r ", file, ".state").c_str()), 0);
  }
}

TEST_F(WeightsCardTest, AFlagThatContradictsTheFileIsNamed) {
  const std::string file = Path("model.safetensors");
  ASSERT_OK_AND_ASSIGN(const Trained own,
                       TrainTiny("name: 'dg_p3d_miniature'", {1, 16, 1}, file));
  ASSERT_THAT(ChangeCard(file, [&](ModelCard* card) { NameClasses(names_, card); }), IsOk());
  const std::string test = absl::StrCat("--weights=", file, data_);
  const Result longer = Run(absl::StrCat(test, " --frames=32"));
  EXPECT_EQ(longer.code, 0) << longer.err;
  EXPECT_THAT(longer.err,
              HasSubstr("note: --frames=32 is used, although the weights are made for 16"));
  const Result other = Run(absl::StrCat(test, " --network=p3d_resnet18"));
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr("holds the weights of dg_p3d_miniature, as its metadata says; "
                                   "--network=p3d_resnet18 contradicts it"));

  // Classes are matched by their names: in another order, and if the list has fewer.
  const std::vector<std::string> backwards(names_.rbegin(), names_.rend());
  ASSERT_THAT(ChangeCard(file, [&](ModelCard* card) { NameClasses(backwards, card); }), IsOk());
  const Result turned = Run(absl::StrCat(test, " --output=", Path("t.safetensors")));
  EXPECT_EQ(turned.code, 0) << turned.err;
  EXPECT_THAT(turned.err, HasSubstr("labels are taken by their names"));
  ASSERT_OK_AND_ASSIGN(const TestScores scores, ParseTestScores(Read("t.safetensors"), "t"));
  for (size_t i = 0; i < scores.labels.size(); ++i) {
    EXPECT_EQ(scores.labels[i], 8 - own.scores.labels[i]);
  }
  EXPECT_EQ(scores.class_names, backwards);
  ASSERT_THAT(ChangeCard(file, [&](ModelCard* card) { card->set_class_names(0, "juggling"); }),
              IsOk());
  const Result strange = Run(test);
  EXPECT_EQ(strange.code, 2);
  EXPECT_THAT(strange.err, HasSubstr("'" + names_[8] + "' is none of the 9"));
}

TEST_F(WeightsCardTest, ATestThatIsWorthNothingIsNamed) {
  const std::string file = Path("broken.safetensors");
  ASSERT_OK_AND_ASSIGN(const auto network, Network::Make({"dg_p3d_miniature", 9, 0}, 1));
  {
    at::NoGradGuard no_grad;
    for (const auto& [name, tensor] : network->Parameters()) {
      if (absl::StartsWith(name, "fc")) tensor.fill_(0);
    }
  }
  const std::string card =
      absl::StrCat("network { name: 'dg_p3d_miniature' } classes: 9 short_side: 36 crop: 32 ",
                   "test_clips: 1 loss: 0.04 dataset { ", kDataset, " }");
  ASSERT_THAT(network->SaveWeights(file, {{kModelCard, card}}), IsOk());
  const Result result = Run(absl::StrCat(file, data_, " --list=train --json"));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("warning: all 18 videos were given class '" + names_[0]));
  EXPECT_THAT(result.err,
              HasSubstr("warning: top-1 is 11.1 % of 18 videos, the level of guessing among 9"));
  const json row = json::parse(result.out, nullptr, false);
  EXPECT_EQ(row["warnings"].size(), 2) << result.out;
}

TEST_F(WeightsCardTest, ACardThatLiesIsASentence) {
  const std::string file = Path("lie.safetensors");
  ASSERT_OK_AND_ASSIGN(const auto network, Network::Make({"dg_p3d_miniature", 9, 0}, 1));
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"network { name: 'dg_p3d_miniature' } classes: 8", "says 8 classes, but fc.weight has 9"},
      {"network { name: 'dg_p3d_miniature' width: 16 } classes: 9",
       "describes a network whose conv1.weight is [16,"},
      {"network { name: 'dg_p3d_miniature' width: 2147483640 } classes: 9",
       "describes a network whose conv1.weight"},
      {"network { name: 'dg_p3d_miniature' dual_pool: 2147483647 } classes: 9",
       "16 frames is too short"},
      {"network { name: 'dg_p3d_miniature' dropout: 7 } classes: 9", "dropout 7"},
      {"network { name: 'dg_p3d_miniature' } classes: 9 colour: 1", "metadata op3d.model"},
  };
  for (const auto& [text, what] : cases) {
    ASSERT_THAT(network->SaveWeights(file, {{kModelCard, text}}), IsOk());
    const Result result = Run(absl::StrCat(file, data_));
    EXPECT_EQ(result.code, 2) << text << result.err;
    EXPECT_THAT(result.err, testing::AllOf(HasSubstr("lie.safetensors"), HasSubstr(what)));
  }
}

TEST_F(EvaluateTest, RanksWithOtherSettingsAreNamed) {
  const int codes = RunTwo(test_, absl::StrReplaceAll(test_, {{"--clips=2", "--clips=3"}}));
  EXPECT_EQ(codes, 22);
  EXPECT_THAT(Read("0.err") + Read("1.err"), HasSubstr("clips: 3"));
}

TEST_F(EvaluateTest, WrongUseIsASentence) {
  const auto expect = [&](const std::string& flags, const char* what) {
    const Result result = Run(flags);
    EXPECT_EQ(result.code, 2) << flags;
    EXPECT_THAT(result.err, HasSubstr(what)) << flags;
    EXPECT_EQ(result.out, "");
  };
  expect(absl::StrCat(test_, " --clips=-1"), "--clips is -1; it must be at least 0");
  expect(absl::StrCat(test_, " --network=i3d_resnet18"), "those of another network");
  expect(absl::StrCat(test_, " --frames=8"), "8 frames");
  expect(absl::StrCat(test_, " --precision=half"), "precision 'half' is none of fp32");
  expect(absl::StrCat("a ", Path("weights.safetensors")), "cannot open a");
  expect(absl::StrCat(Path("weights.safetensors"), " --network=dg_p3d_miniature"),
         "--dataset_root is missing");
  expect(absl::StrCat(Path("x"), " --output=y"), "leave --weights and --output out");
  expect("a b --fusion_weights=1,x", "'x' is not a number");
  expect("a --statistic=mode", "--statistic=mode is none of: logits, probabilities");
  expect("a --confidence=95", "--confidence=95 is not between 0 and 1");
}

}  // namespace
}  // namespace op3d

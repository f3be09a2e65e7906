#include "op3d/network/weights/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Path(const std::string& name) {
  return RunfilePath("op3d/network/weights/testdata/" + name).value();
}

nlohmann::json Expected() {
  return nlohmann::json::parse(ReadFile(Path("expected.json")).value(), nullptr, false);
}

const std::map<std::string, std::string>& DTypes() {
  static const auto* const types = new std::map<std::string, std::string>{
      {"float32", "F32"}, {"float16", "F16"}, {"bfloat16", "BF16"}, {"float64", "F64"},
      {"int64", "I64"},   {"int32", "I32"},   {"uint8", "U8"},      {"bool", "BOOL"}};
  return *types;
}

// The golden files that can be read, each compared with the saved numbers.
TEST(CheckpointTest, ReadsEveryGoldenFileExactly) {
  const nlohmann::json expected = Expected();
  int files = 0;
  for (const auto& [name, facts] : expected["files"].items()) {
    if (facts["outcome"] != "ok") continue;
    SCOPED_TRACE(name);
    ++files;
    ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::Read(Path(name)));
    const std::string format = facts["format"];
    EXPECT_EQ(FormatName(checkpoint.format()), format == "legacy" ? "stream" : format);
    const nlohmann::json& tensors =
        expected["contents"][facts["content"].get<std::string>()]["tensors"];
    EXPECT_EQ(checkpoint.tensors().size(), tensors.size());
    for (const TensorView& tensor : checkpoint.tensors()) {
      ASSERT_TRUE(tensors.contains(tensor.name)) << tensor.name;
      const nlohmann::json& golden = tensors[tensor.name];
      EXPECT_EQ(DTypeName(tensor.dtype), DTypes().at(golden["dtype"])) << tensor.name;
      EXPECT_EQ(tensor.shape, golden["shape"].get<std::vector<int64_t>>()) << tensor.name;
      EXPECT_EQ(absl::BytesToHexString(tensor.data), golden["little_endian_hex"].get<std::string>())
          << tensor.name;
    }
  }
  EXPECT_EQ(files, 7);
}

TEST(CheckpointTest, RefusesEveryOtherGoldenFile) {
  const std::map<std::string, std::string> reasons = {
      {"evil_reduce_zip.pth", "asks for posix.system"},
      {"evil_reduce_legacy.pth", "asks for posix.system"},
      {"broken_truncated_zip.pth", "damaged"},
      {"broken_storage_size_zip.pth", "4096 elements of F32 has only 16 bytes"},
      {"broken_view_zip.pth", "extends past its storage"}};
  const nlohmann::json expected = Expected();
  int files = 0;
  for (const auto& [name, facts] : expected["files"].items()) {
    if (facts["outcome"] == "ok") continue;
    ++files;
    const absl::Status status = Checkpoint::Read(Path(name)).status();
    ASSERT_EQ(reasons.count(name), 1) << name;
    EXPECT_FALSE(status.ok()) << name;
    EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr(name), HasSubstr(reasons.at(name))));
  }
  EXPECT_EQ(files, 5);
  // The command in their pickles would have created this file.
  EXPECT_FALSE(FileExists("PWNED"));
}

std::vector<std::string> Names(const std::vector<TensorView>& tensors) {
  std::vector<std::string> names;
  for (const TensorView& tensor : tensors) names.push_back(tensor.name);
  return names;
}

TEST(CheckpointTest, WeightsAreTheModelWithoutItsPrefix) {
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::Read(Path("tiny_zip.pth")));
  const std::vector<TensorView> weights = checkpoint.Weights();
  EXPECT_THAT(Names(weights), testing::Contains("conv1.weight"));
  EXPECT_THAT(Names(weights), testing::Each(testing::Not(HasSubstr("/"))));
  EXPECT_LT(weights.size(), checkpoint.tensors().size());
  // A plain state dict consists of weights only.
  ASSERT_OK_AND_ASSIGN(const Checkpoint plain, Checkpoint::Read(Path("tiny_tar.pth")));
  EXPECT_EQ(Names(plain.Weights()), Names(plain.tensors()));
}

TEST(CheckpointTest, KeepsNumbersAndTextByTheirPlace) {
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::Read(Path("tiny_legacy.pth")));
  EXPECT_THAT(checkpoint.values(), testing::Contains(testing::Pair("epoch", "58")));
  EXPECT_THAT(checkpoint.values(),
              testing::Contains(testing::Pair("opt/dataset/list_file", "train.txt")));
}

// Written by torch.jit.save from Python: nested modules, a list, a dictionary, a tensor with
// two names.
TEST(CheckpointTest, ReadsTorchScriptWithoutItsCode) {
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::Read(Path("tiny_script.pt")));
  EXPECT_EQ(FormatName(checkpoint.format()), "torchscript");
  EXPECT_THAT(Names(checkpoint.Weights()),
              testing::ElementsAre("shared", "first.weight", "first.count", "blocks.0.weight",
                                   "blocks.0.count"));
  const TensorView& weight = checkpoint.tensors()[1];
  EXPECT_EQ(weight.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(absl::BytesToHexString(weight.data),
            "000000000000803f0000004000004040000080400000a040");
  EXPECT_THAT(checkpoint.values(), testing::Contains(testing::Pair("table.a", "0.5")));
}

// Other content of training programs' files, in two formats and protocols: argparse.Namespace,
// OmegaConf's and Lightning's classes, an optimizer and its scheduler, numpy's scalars, paths,
// dates, enums, sets, a network as an object, sparse and int8 tensors, keys of every kind.
TEST(CheckpointTest, LeavesObjectsBesideTheWeightsAside) {
  for (const char* name : {"objects_zip.pth", "objects_zip_5.pth", "objects_stream.pth"}) {
    SCOPED_TRACE(name);
    ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::Read(Path(name)));
    const std::vector<TensorView> weights = checkpoint.Weights();
    // As a tensor, as a parameter, as one with attributes, as a subclass of Tensor, a number.
    EXPECT_THAT(Names(weights), testing::ElementsAre("conv.weight", "conv.bias", "bn.weight",
                                                     "bn.bias", "bn.num_batches_tracked"));
    EXPECT_EQ(weights[0].shape, (std::vector<int64_t>{2, 2}));
    EXPECT_EQ(absl::BytesToHexString(weights[0].data), "0000803f000000400000404000008040");
    EXPECT_EQ(absl::BytesToHexString(weights[3].data), "0000104100002041");
    EXPECT_EQ(absl::BytesToHexString(weights[4].data), "0300000000000000");
    EXPECT_THAT(Names(checkpoint.tensors()),
                testing::Contains("optimizer/state/0/momentum_buffer"));
    EXPECT_THAT(checkpoint.left_aside(),
                testing::IsSupersetOf({testing::Pair("args", "argparse.Namespace"),
                                       testing::Pair("cfg", "omegaconf.dictconfig.DictConfig"),
                                       testing::Pair("best", "numpy._core.multiarray.scalar"),
                                       testing::Pair("ema", "my_project.model.Net")}));
    EXPECT_THAT(checkpoint.values(),
                testing::IsSupersetOf({testing::Pair("epoch", "58"), testing::Pair("dd/a/0", "1"),
                                       testing::Pair("hyper_parameters/lr", "0.1"),
                                       testing::Pair("args", "argparse.Namespace, ignored")}));
  }
}

TEST(CheckpointTest, AWholeModelIsAnObjectWithoutTensors) {
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, Checkpoint::Read(Path("whole_model_zip.pth")));
  EXPECT_THAT(checkpoint.tensors(), testing::IsEmpty());
  EXPECT_THAT(checkpoint.left_aside(),
              testing::ElementsAre(testing::Pair("", "my_project.model.Net")));
}

// A header of 640 bytes begins with the bytes of a pickle.
TEST(CheckpointTest, SafetensorsAreNeverTakenForAPickle) {
  const std::string data(4, '\0');
  int like_pickles = 0;
  for (int size = 0; size < 1400; size += 8) {
    const std::string bytes =
        SerializeSafetensors({{"a", DType::kF32, {1}, data}}, {{"note", std::string(size, 'x')}})
            .value();
    like_pickles += bytes[0] == '\x80' ? 1 : 0;
    ASSERT_THAT(Checkpoint::Parse(bytes, "x").status(), IsOk()) << size;
  }
  EXPECT_GE(like_pickles, 4);
}

TEST(CheckpointTest, RefusesWhatIsNoCheckpoint) {
  const auto parse = [](const std::string& bytes) {
    return Checkpoint::Parse(bytes, "x").status();
  };
  for (const std::string& bytes : {std::string(), std::string("hello"), std::string(300, 'a')}) {
    EXPECT_THAT(parse(bytes), StatusIs(absl::StatusCode::kInvalidArgument,
                                       HasSubstr("are not weights: neither safetensors, nor .pth")));
  }
  EXPECT_THAT(parse(absl::StrCat("\x80\x02", "K\x01.")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not one of torch.save's")));
  EXPECT_THAT(Checkpoint::Read("nothing.pth").status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("nothing.pth")));
}

// Truncated anywhere, each golden file is an error or, if only padding is missing, the same
// tensors.
TEST(CheckpointTest, NoCutCrashesOrLies) {
  for (const char* name :
       {"tiny_zip.pth", "tiny_legacy_2017.pth", "tiny_tar.pth", "objects_stream.pth"}) {
    const std::string bytes = ReadFile(Path(name)).value();
    const size_t whole = Checkpoint::Parse(bytes, name).value().tensors().size();
    for (size_t size = 0; size < bytes.size(); size += 37) {
      const auto cut = Checkpoint::Parse(bytes.substr(0, size), name);
      if (cut.ok()) {
        EXPECT_EQ(cut->tensors().size(), whole) << name << " " << size;
      }
    }
  }
}

}  // namespace
}  // namespace op3d

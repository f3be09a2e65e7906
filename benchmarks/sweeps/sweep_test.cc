#include "benchmarks/sweeps/sweep.h"

#include <gmock/gmock.h>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/network/definition/architecture.h"

namespace op3d::benchmarks {
namespace {

using testing::HasSubstr;

TEST(SweepTest, EveryVariantOfTheShippedSweepsIsARun) {
  for (const char* name : {"networks", "ablations"}) {
    for (const bool miniature : {true, false}) {
      ASSERT_OK_AND_ASSIGN(const Sweep sweep, FindSweep(name, "", miniature));
      EXPECT_GE(sweep.variants_size(), 5);
      for (const Sweep::Variant& variant : sweep.variants()) {
        SettingsRequest request;
        request.benchmark = sweep.benchmark();
        request.miniature = miniature;
        ApplyVariant(sweep, variant, &request);
        const absl::StatusOr<BenchmarkSettings> settings = ResolveSettings(request);
        ASSERT_THAT(settings.status(), IsOk()) << name << " " << variant.name();
        EXPECT_THAT(FindArchitecture(settings->network().name()).status(), IsOk());
      }
    }
  }
}

TEST(SweepTest, TheCommandLineComesAfterTheVariantAndThatAfterTheSweep) {
  Sweep sweep;
  sweep.add_set("sgd.momentum=0.25");
  sweep.add_set("sgd.weight_decay=0.125");
  sweep.add_set("training.precision=bf16");
  sweep.set_rivals("none");
  Sweep::Variant variant;
  variant.add_set("sgd.momentum=0.5");
  variant.add_miniature_set("sgd.weight_decay=0.25");
  variant.add_full_set("sgd.weight_decay=0.75");
  variant.set_network_family("i3d");
  SettingsRequest request;
  request.benchmark = "kinetics400";
  request.assignments = {"sgd.momentum=0.8"};
  SettingsRequest with_rivals = request;
  with_rivals.rivals = "all";
  ApplyVariant(sweep, variant, &with_rivals);
  EXPECT_EQ(with_rivals.rivals, "all");
  ApplyVariant(sweep, variant, &request);
  EXPECT_EQ(request.rivals, "none");
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings settings, ResolveSettings(request));
  EXPECT_EQ(settings.sgd().momentum(), 0.8);
  EXPECT_EQ(settings.sgd().weight_decay(), 0.25);
  EXPECT_EQ(settings.training().precision(), "bf16");
  EXPECT_EQ(settings.network().name(), "i3d_miniature");
}

TEST(SweepTest, OnlySomeVariants) {
  ASSERT_OK_AND_ASSIGN(const Sweep two, FindSweep("networks", "i3d,dg_p3d", true));
  ASSERT_EQ(two.variants_size(), 2);
  // In the sweep's order.
  EXPECT_EQ(two.variants(0).name(), "dg_p3d");
  EXPECT_THAT(FindSweep("networks", "i3d,c3d", true).status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("has no c3d; it has dg_p3d, lgd_p3d")));
  // What a miniature leaves out can still be named.
  ASSERT_OK_AND_ASSIGN(const Sweep small, FindSweep("ablations", "", true));
  ASSERT_OK_AND_ASSIGN(const Sweep full, FindSweep("ablations", "", false));
  EXPECT_EQ(small.variants_size() + 1, full.variants_size());
  EXPECT_THAT(FindSweep("ablations", "extended", true).status(), IsOk());
}

TEST(SweepTest, WrongSweepsAreASentence) {
  EXPECT_THAT(FindSweep("colours", "", true).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("networks and ablations")));
  const auto refused = [](const char* text, const char* why) {
    const std::string file = JoinPath(TestFolder("sweep"), "mine.textproto");
    ASSERT_THAT(WriteFileAtomically(file, text), IsOk());
    EXPECT_THAT(FindSweep(file, "", true).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(why)));
  };
  refused("benchmark: 'ucf101'", "has no variants");
  refused("variants { name: 'a/b' }", "becomes a folder's name");
  refused("variants { title: 'x' }", "becomes a folder's name");
  refused("variants { name: 'a' } variants { name: 'a' }", "two variants named a");
  refused("variants { names: 'a' }", "names");
}

}  // namespace
}  // namespace op3d::benchmarks

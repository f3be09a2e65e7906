#include "op3d/train/run/run_cost.h"

#include "op3d/base/testing/status_matchers.h"
#include "op3d/train/cost/memory_estimate.h"

namespace op3d {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TrainingRunSettings Settings() {
  TrainingRunSettings settings;
  settings.mutable_network()->set_name("dg_p3d_miniature");
  settings.mutable_dataset()->set_classes(9);
  settings.mutable_transform()->set_train_crop(32);
  for (const int frames : {16, 32}) {
    StateSettings* const state = settings.add_steps()->mutable_state();
    state->set_name(frames == 16 ? "short" : "long");
    state->set_segments(1);
    state->set_frames_per_segment(frames);
    state->set_stride(1);
    state->set_batch_size(64);
    state->set_accumulation(1);
  }
  return settings;
}

TEST(FitStatesTest, RefusesOrShrinksWhatDoesNotFit) {
  TrainingRunSettings settings = Settings();
  EXPECT_THAT(FitStates(int64_t{1} << 40, &settings), IsOk());
  EXPECT_EQ(settings.steps(1).state().batch_size(), 64);
  // Enough for the short clips alone.
  MemoryProbe probe;
  probe.network = settings.network();
  probe.classes = settings.dataset().classes();
  probe.side = settings.transform().train_crop();
  probe.batch_size = 64;
  ASSERT_OK_AND_ASSIGN(const MemoryEstimate enough, EstimateMemory(probe));
  const int64_t have = enough.Total();
  EXPECT_THAT(FitStates(have, &settings),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr("state 'long': batch_size 64"), HasSubstr("would fit"))));
  settings.mutable_training()->set_fit_memory(true);
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> notes, FitStates(have, &settings));
  EXPECT_THAT(notes, testing::ElementsAre(HasSubstr("state 'long': batch_size")));
  EXPECT_EQ(settings.steps(0).state().batch_size(), 64);
  const StateSettings& fitted = settings.steps(1).state();
  EXPECT_LT(fitted.batch_size(), 64);
  EXPECT_EQ(fitted.batch_size() * fitted.accumulation(), 64);
  // Nothing to do a second time.
  const TrainingRunSettings again = settings;
  ASSERT_THAT(FitStates(have, &settings), IsOk());
  EXPECT_EQ(settings.steps(1).state().batch_size(), again.steps(1).state().batch_size());
  EXPECT_THAT(FitStates(1 << 10, &settings),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("even batch_size 1")));
}

}  // namespace
}  // namespace op3d

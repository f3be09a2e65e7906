#include "op3d/train/step/micro_batches.h"

#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <utility>

#include "op3d/base/activity_seconds.h"
#include "op3d/base/status_macros.h"

namespace op3d {

MicroBatches::MicroBatches(const TrainingSettings& settings, const MicroBatchLossOptions& options,
                           at::Device device, bool ahead, data::ClipLoader* loader)
    : settings_(settings),
      options_(options),
      device_(device),
      ahead_(ahead),
      loader_(loader),
      clips_(device),
      labels_(device) {}

absl::StatusOr<int> MicroBatches::Fetch(const MicroBatchPlace& place) {
  OP3D_ASSIGN_OR_RETURN(const bool more, loader_->Next(&batch_));
  if (!more) return absl::InternalError("the loader ended before its epoch");
  place_ = place;
  if (ahead_ && batch_.size > 0) {
    const MicroBatch mixed = MixMicroBatch(settings_, options_, place, device_, &batch_);
    // Bytes were copied already, on the computing stream.
    if (!batch_.byte_views.empty()) {
      normalised_.push_back(mixed.clips);
    } else {
      clips_.Start(mixed.clips);
    }
    labels_.Start(mixed.labels);
  }
  return batch_.size;
}

absl::StatusOr<int> MicroBatches::Next(const MicroBatchPlace& place) {
  if (!fetched_.has_value()) return Fetch(place);
  const absl::StatusOr<int> fetched = *std::move(fetched_);
  fetched_.reset();
  return fetched;
}

MicroBatch MicroBatches::Take() {
  if (!ahead_) return MixMicroBatch(settings_, options_, place_, device_, &batch_);
  if (normalised_.empty()) return {clips_.Take(), labels_.Take()};
  const at::Tensor clips = normalised_.front();
  normalised_.pop_front();
  return {clips, labels_.Take()};
}

void MicroBatches::Ahead(const MicroBatchPlace& place, double* waited) {
  if (!ahead_) return;
  before_ = loader_->counters();
  std::optional<c10::Event> computed;
  if (device_.is_cuda()) {
    computed.emplace(device_.type());
    computed->record(c10::impl::VirtualGuardImpl(device_.type()).getStream(device_));
  }
  Stopwatch watch;
  double seconds = 0;
  fetched_.emplace(Fetch(place));
  watch.Lap(&seconds);
  if (!computed.has_value() || computed->query()) *waited += seconds;
}

data::ClipLoader::Counters MicroBatches::counters() const {
  return fetched_.has_value() ? before_ : loader_->counters();
}

}  // namespace op3d

// For any text in the metadata the result must be a card or a status.
#include <cstdint>
#include <string>

#include "op3d/base/safetensors.h"
#include "op3d/train/checkpoint/model_card.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text = size == 0 ? "" : std::string(reinterpret_cast<const char*>(data), size);
  const auto bytes = op3d::SerializeSafetensors({}, {{op3d::kModelCard, text}});
  if (!bytes.ok()) return 0;  // no UTF-8
  const auto checkpoint = op3d::Checkpoint::Parse(*bytes, "input");
  if (!checkpoint.ok()) __builtin_trap();
  const auto card = op3d::ReadModelCard(*checkpoint, "input");
  if (!card.ok()) return 0;
  if (!card->has_value() || op3d::DescribeModelCard(**card).empty()) __builtin_trap();
  return 0;
}

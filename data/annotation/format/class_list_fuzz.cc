#include "data/annotation/format/class_list.h"
#include "data/annotation/testing/list_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text = op3d::data::FuzzedText(data, size);
  op3d::data::CheckParsed(op3d::data::ParseClassList(text, op3d::data::kFuzzedList),
                          [&](const std::string& name) { return !name.empty(); });
  return 0;
}

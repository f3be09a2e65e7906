#include "data/annotation/format/class_list.h"
#include "data/annotation/testing/list_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text = op3d::FuzzedText(data, size);
  op3d::CheckParsed(op3d::ParseClassList(text, op3d::kFuzzedList),
                    [&](const std::string& name) { return !name.empty(); });
  return 0;
}

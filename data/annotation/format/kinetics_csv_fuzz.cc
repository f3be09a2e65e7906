#include "data/annotation/format/kinetics_csv.h"
#include "data/annotation/testing/list_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text = op3d::data::FuzzedText(data, size);
  op3d::data::CheckParsed(op3d::data::ParseKineticsCsv(text, op3d::data::kFuzzedList),
                          [&](const op3d::data::KineticsClip& clip) {
                            return op3d::data::IsLineOf(text, clip.line) &&
                                   !clip.youtube_id.empty() && clip.start_seconds >= 0 &&
                                   clip.end_seconds > clip.start_seconds && !clip.Name().empty();
                          });
  return 0;
}

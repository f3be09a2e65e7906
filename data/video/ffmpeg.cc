#include "data/video/ffmpeg.h"

#include <cerrno>
#include <cstdarg>
#include <cstdio>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace op3d {
namespace {

thread_local FfmpegLog* current_log = nullptr;

absl::StatusCode CodeOf(int code) {
  switch (code) {
    case AVERROR(ENOENT):
      return absl::StatusCode::kNotFound;
    case AVERROR(EINVAL):
    case AVERROR_OPTION_NOT_FOUND:
      return absl::StatusCode::kInvalidArgument;
    case AVERROR(ENOMEM):
      return absl::StatusCode::kResourceExhausted;
    case AVERROR_PATCHWELCOME:
    case AVERROR_DECODER_NOT_FOUND:
    case AVERROR_ENCODER_NOT_FOUND:
      return absl::StatusCode::kUnimplemented;
    case AVERROR_INVALIDDATA:
    case AVERROR_EOF:
      return absl::StatusCode::kDataLoss;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

void FfmpegOutputDeleter::operator()(AVFormatContext* output) const {
  if (output->pb != nullptr) {
    uint8_t* buffer = nullptr;
    avio_close_dyn_buf(output->pb, &buffer);
    av_free(buffer);
  }
  avformat_free_context(output);
}

absl::Status FfmpegStatus(int code, absl::string_view what) {
  if (code >= 0) return absl::OkStatus();
  char words[AV_ERROR_MAX_STRING_SIZE] = "";
  av_strerror(code, words, sizeof(words));
  return absl::Status(CodeOf(code), absl::StrCat(what, ": ", words));
}

FfmpegLog::FfmpegLog() : outer_(current_log) {
  static const bool installed = [] {
    av_log_set_callback(&FfmpegLog::Collect);
    return true;
  }();
  static_cast<void>(installed);
  current_log = this;
}

FfmpegLog::~FfmpegLog() { current_log = outer_; }

void FfmpegLog::Collect(void* object, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_WARNING || current_log == nullptr) return;
  if (++current_log->count_ > 1) return;
  char line[512];
  std::vsnprintf(line, sizeof(line), format, arguments);
  // FFmpeg's own formatting would put the object's address in front: another one every time.
  const AVClass* type = object == nullptr ? nullptr : *static_cast<AVClass**>(object);
  current_log->first_ = absl::StrCat(type == nullptr ? "" : type->item_name(object),
                                     type == nullptr ? "" : ": ", line);
  absl::StripAsciiWhitespace(&current_log->first_);
}

}  // namespace op3d

#include "data/video/ffmpeg/ffmpeg.h"

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace op3d::data {
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

void FfmpegStreamDeleter::operator()(AVIOContext* stream) const {
  av_freep(&stream->buffer);
  avio_context_free(&stream);
}

MemoryFile::MemoryFile() {
  constexpr int kBufferBytes = 1 << 15;
  stream_.reset(avio_alloc_context(static_cast<uint8_t*>(av_malloc(kBufferBytes)), kBufferBytes,
                                   /*write_flag=*/1, this, nullptr, &MemoryFile::Write,
                                   &MemoryFile::Seek));
}

int MemoryFile::Write(void* self, uint8_t* data, int size) {
  auto* file = static_cast<MemoryFile*>(self);
  const size_t end = file->position_ + static_cast<size_t>(size);
  if (end > file->bytes_.size()) file->bytes_.resize(end);
  std::memcpy(&file->bytes_[file->position_], data, static_cast<size_t>(size));
  file->position_ = end;
  return size;
}

int64_t MemoryFile::Seek(void* self, int64_t offset, int whence) {
  auto* file = static_cast<MemoryFile*>(self);
  const int64_t size = static_cast<int64_t>(file->bytes_.size());
  if ((whence & AVSEEK_SIZE) != 0) return size;
  if (whence == SEEK_CUR) offset += static_cast<int64_t>(file->position_);
  if (whence == SEEK_END) offset += size;
  if (offset < 0) return AVERROR(EINVAL);
  file->position_ = static_cast<size_t>(offset);
  return offset;
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
  // FFmpeg's own formatting would include the object's address, which differs every time.
  const AVClass* type = object == nullptr ? nullptr : *static_cast<AVClass**>(object);
  current_log->first_ = absl::StrCat(type == nullptr ? "" : type->item_name(object),
                                     type == nullptr ? "" : ": ", line);
  absl::StripAsciiWhitespace(&current_log->first_);
}

}  // namespace op3d::data

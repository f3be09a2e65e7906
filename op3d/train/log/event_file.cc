#include "op3d/train/log/event_file.h"

#include <unistd.h>

#include <array>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "op3d/base/file.h"
#include "op3d/train/log/event.pb.h"

namespace op3d {
namespace {

constexpr char kVersion[] = "brain.Event:2";

std::string LittleEndian(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> (8 * i)));
  return text;
}

EventProto NewEvent(int64_t step) {
  EventProto event;
  event.set_wall_time(absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch()));
  event.set_step(step);
  return event;
}

void Write(const EventProto& event, std::FILE* file) {
  const std::string record = TfRecord(event.SerializeAsString());
  std::fwrite(record.data(), 1, record.size(), file);
  std::fflush(file);
}

}  // namespace

uint32_t Crc32c(absl::string_view bytes) {
  static const std::array<uint32_t, 256> table = [] {
    constexpr uint32_t kPolynomial = 0x82f63b78;  // reflected
    std::array<uint32_t, 256> entries;
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ (value & 1 ? kPolynomial : 0);
      entries[i] = value;
    }
    return entries;
  }();
  uint32_t crc = ~uint32_t{0};
  for (const char c : bytes) crc = (crc >> 8) ^ table[(crc ^ static_cast<unsigned char>(c)) & 255];
  return ~crc;
}

uint32_t MaskedCrc32c(absl::string_view bytes) {
  const uint32_t crc = Crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

std::string TfRecord(absl::string_view record) {
  const std::string length = LittleEndian(record.size(), 8);
  return absl::StrCat(length, LittleEndian(MaskedCrc32c(length), 4), record,
                      LittleEndian(MaskedCrc32c(record), 4));
}

absl::StatusOr<std::unique_ptr<EventFile>> EventFile::Create(const std::string& folder,
                                                             int64_t first_step) {
  std::array<char, 256> host = {};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = 'x';
  // TensorBoard reads the files of a folder in the order of their names.
  const std::string path = JoinPath(
      folder,
      absl::StrFormat("events.out.tfevents.%010d.%09d.%s.%d", absl::ToUnixSeconds(absl::Now()),
                      absl::ToUnixNanos(absl::Now()) % 1000000000, host.data(), ::getpid()));
  std::FILE* const file = std::fopen(path.c_str(), "we");
  if (file == nullptr) return ErrnoStatus(errno, "cannot write", path);
  EventProto version = NewEvent(0);
  version.set_file_version(kVersion);
  Write(version, file);
  EventProto start = NewEvent(first_step);
  start.mutable_session_log()->set_status(EventSession::START);
  Write(start, file);
  return std::unique_ptr<EventFile>(new EventFile(file));
}

EventFile::~EventFile() { std::fclose(file_); }

void EventFile::Add(int64_t step, const std::vector<std::pair<std::string, double>>& scalars) {
  EventProto event = NewEvent(step);
  for (const auto& [tag, value] : scalars) {
    EventSummary::Value& entry = *event.mutable_summary()->add_value();
    entry.set_tag(tag);
    entry.set_simple_value(static_cast<float>(value));
  }
  Write(event, file_);
}

}  // namespace op3d

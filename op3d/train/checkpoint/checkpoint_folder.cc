#include "op3d/train/checkpoint/checkpoint_folder.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "op3d/base/file.h"
#include "op3d/base/progress.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

constexpr char kChecksum[] = "checksum";
constexpr char kNoChecksum[] = "00000000";
constexpr char kPrefix[] = "checkpoint_";
constexpr char kEnding[] = ".safetensors";

// The position of the checksum's eight digits; npos if there are none.
size_t ChecksumPlace(absl::string_view bytes, absl::string_view digits) {
  const std::string entry = absl::StrCat("\"", kChecksum, "\":\"", digits, "\"");
  const size_t found = bytes.find(entry);
  return found == absl::string_view::npos ? found : found + entry.size() - digits.size() - 1;
}

std::string Digits(uint32_t crc) { return absl::StrFormat("%08x", crc); }

// Writes the checksum of `bytes` there.
void Seal(std::string* bytes) {
  const std::string digits = Digits(Crc32(*bytes));
  bytes->replace(ChecksumPlace(*bytes, kNoChecksum), digits.size(), digits);
}

absl::StatusOr<std::string> SerializeUnsealed(const std::vector<TensorView>& tensors,
                                              std::map<std::string, std::string> metadata) {
  metadata[kChecksum] = kNoChecksum;
  return SerializeSafetensors(tensors, metadata);
}

bool Newer(const CheckpointPlace& a, const CheckpointPlace& b) {
  return std::tie(a.epochs, a.micro_batches) > std::tie(b.epochs, b.micro_batches);
}

}  // namespace

absl::StatusOr<std::string> SerializeSealed(const std::vector<TensorView>& tensors,
                                            std::map<std::string, std::string> metadata) {
  OP3D_ASSIGN_OR_RETURN(std::string bytes, SerializeUnsealed(tensors, std::move(metadata)));
  Seal(&bytes);
  return bytes;
}

absl::StatusOr<Safetensors> ParseSealed(std::string bytes, absl::string_view source) {
  OP3D_ASSIGN_OR_RETURN(Safetensors file, Safetensors::Parse(bytes, source));
  const auto digits = file.metadata().find(kChecksum);
  const size_t place =
      digits == file.metadata().end() ? std::string::npos : ChecksumPlace(bytes, digits->second);
  if (place == std::string::npos) {
    return absl::DataLossError(absl::StrCat(source, " has no checksum: it is not a checkpoint"));
  }
  bytes.replace(place, digits->second.size(), kNoChecksum);
  const std::string found = Digits(Crc32(bytes));
  if (found == digits->second) return file;
  return absl::DataLossError(absl::StrCat(source, " is damaged: its bytes have the checksum ",
                                          found, ", written were ", digits->second));
}

CheckpointFolder::CheckpointFolder(std::string folder, const CheckpointOptions& options)
    : folder_(std::move(folder)), options_(options), queue_(/*most_waiting=*/1) {}

std::string CheckpointFolder::Path(const CheckpointPlace& place) const {
  return JoinPath(folder_, absl::StrFormat("%s%05d_%07d%s", kPrefix, place.epochs,
                                           place.micro_batches, kEnding));
}

absl::StatusOr<std::vector<CheckpointPlace>> CheckpointFolder::List() const {
  std::vector<CheckpointPlace> places;
  if (!FolderExists(folder_)) return places;
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(folder_));
  for (absl::string_view name : names) {
    if (!absl::ConsumePrefix(&name, kPrefix) || !absl::ConsumeSuffix(&name, kEnding)) continue;
    const std::vector<std::string> numbers = absl::StrSplit(name, '_');
    CheckpointPlace place;
    if (numbers.size() == 2 && absl::SimpleAtoi(numbers[0], &place.epochs) &&
        absl::SimpleAtoi(numbers[1], &place.micro_batches)) {
      places.push_back(place);
    }
  }
  std::sort(places.begin(), places.end(), Newer);
  return places;
}

absl::StatusOr<std::optional<Safetensors>> CheckpointFolder::ReadNewest() {
  OP3D_RETURN_IF_ERROR(Flush());
  OP3D_ASSIGN_OR_RETURN(const std::vector<CheckpointPlace> places, List());
  absl::Status first;
  for (const CheckpointPlace& place : places) {
    const std::string path = Path(place);
    absl::StatusOr<std::string> bytes = ReadFile(path);
    if (!bytes.ok()) return bytes.status();  // the disk may be unmounted: keep the entry
    absl::StatusOr<Safetensors> file = ParseSealed(*std::move(bytes), path);
    if (file.ok()) return std::optional<Safetensors>(*std::move(file));
    first.Update(file.status());
    Progress::Print(absl::StrCat("warning: ", file.status().message(),
                                 "; resuming from the checkpoint before it"));
    // Renamed, so that it does not count as one of the newest.
    std::rename(path.c_str(), JoinPath(folder_, "damaged.safetensors").c_str());
  }
  if (first.ok()) return std::optional<Safetensors>();
  return absl::DataLossError(absl::StrCat(first.message(), "; no checkpoint before it is left in ",
                                          folder_,
                                          ". Remove the folder to begin this state again"));
}

absl::StatusOr<std::optional<Safetensors>> CheckpointFolder::Rollback(int64_t epochs) {
  OP3D_RETURN_IF_ERROR(Flush());
  OP3D_ASSIGN_OR_RETURN(const std::vector<CheckpointPlace> places, List());
  for (const CheckpointPlace& place : places) {
    if (place.epochs < epochs || (place.epochs == epochs && place.micro_batches == 0)) {
      OP3D_ASSIGN_OR_RETURN(std::string bytes, ReadFile(Path(place)));
      absl::StatusOr<Safetensors> file = ParseSealed(std::move(bytes), Path(place));
      if (file.ok()) return std::optional<Safetensors>(*std::move(file));
      Progress::Print(absl::StrCat("warning: ", file.status().message()));
    }
    OP3D_RETURN_IF_ERROR(RemoveFile(Path(place)));
  }
  return std::optional<Safetensors>();
}

absl::Status CheckpointFolder::Write(const CheckpointPlace& place,
                                     const std::vector<TensorView>& tensors,
                                     const std::map<std::string, std::string>& metadata) {
  // The file's bytes are the only copy of the tensors.
  OP3D_ASSIGN_OR_RETURN(std::string bytes, SerializeUnsealed(tensors, metadata));
  return queue_.Add([this, path = Path(place),
                     bytes = std::make_shared<std::string>(std::move(bytes))]() -> absl::Status {
    Seal(bytes.get());
    OP3D_RETURN_IF_ERROR(WriteFileAtomically(path, *bytes));
    return Prune();
  });
}

absl::Status CheckpointFolder::WriteFile(const std::string& path, std::string bytes) {
  return queue_.Add([path, bytes = std::make_shared<std::string>(std::move(bytes))] {
    return WriteFileAtomically(path, *bytes);
  });
}

absl::Status CheckpointFolder::Flush() { return queue_.Flush(); }

absl::Status CheckpointFolder::RemoveAll() {
  OP3D_RETURN_IF_ERROR(Flush());
  OP3D_ASSIGN_OR_RETURN(const std::vector<CheckpointPlace> places, List());
  for (const CheckpointPlace& place : places) OP3D_RETURN_IF_ERROR(RemoveFile(Path(place)));
  return absl::OkStatus();
}

absl::Status CheckpointFolder::Prune() const {
  OP3D_ASSIGN_OR_RETURN(const std::vector<CheckpointPlace> places, List());
  // The newest end of an epoch stays: a state that diverges goes back to it.
  bool has_epoch = false;
  for (size_t i = 0; i < places.size(); ++i) {
    const bool newest_epoch = places[i].micro_batches == 0 && !has_epoch;
    has_epoch = has_epoch || newest_epoch;
    if (i < static_cast<size_t>(std::max(1, options_.kept)) || newest_epoch) continue;
    const bool anchor = options_.anchor_epochs > 0 && places[i].micro_batches == 0 &&
                        places[i].epochs % options_.anchor_epochs == 0;
    if (!anchor) OP3D_RETURN_IF_ERROR(RemoveFile(Path(places[i])));
  }
  return absl::OkStatus();
}

}  // namespace op3d

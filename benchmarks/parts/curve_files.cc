#include "benchmarks/parts/curve_files.h"

#include "op3d/base/file.h"

namespace op3d::benchmarks {

EventFile* CurveFiles::Open(const std::string& name, int64_t first_step, Curve* curve) const {
  const std::string folder = JoinPath(folder_, name);
  if (!MakeFolders(folder).ok()) return nullptr;
  auto file = EventFile::Create(folder, first_step);
  curve->file = file.ok() ? *std::move(file) : nullptr;
  return curve->file.get();
}

void CurveFiles::Add(const std::string& name, const Point& point) {
  absl::MutexLock lock(&mutex_);
  Curve& curve = curves_[name];
  EventFile* const file = curve.file != nullptr ? curve.file.get() : Open(name, point.step, &curve);
  if (file == nullptr) return;
  file->Add(point.step, point.scalars);
  ++curve.points;
}

void CurveFiles::Complete(const std::string& name, const std::vector<Point>& points) {
  absl::MutexLock lock(&mutex_);
  Curve& curve = curves_[name];
  if (curve.points < points.size()) {
    if (EventFile* const file = Open(name, /*first_step=*/0, &curve); file != nullptr) {
      for (const Point& point : points) file->Add(point.step, point.scalars);
    }
  }
  curves_.erase(name);
}

}  // namespace op3d::benchmarks

#include "results/record/statistics.h"

#include <algorithm>
#include <cmath>
#include <unsupported/Eigen/SpecialFunctions>

#include "results/record/record.h"

namespace op3d::results {
namespace {

constexpr double kNormal = 1.959963984540054;

// P(T <= t).
double StudentShare(double t, double degrees) {
  const double tail = 0.5 * Eigen::numext::betainc(degrees / 2, 0.5, degrees / (degrees + t * t));
  return t > 0 ? 1 - tail : tail;
}

double BinomialVariance(const TestResult& test) {
  return test.videos() > 0 ? test.top1() * (1 - test.top1()) / test.videos() : 0;
}

// For each pair and video: 1 if only a is right, -1 if only b is, otherwise 0.  Empty if unknown.
std::vector<std::vector<double>> VideoDifferences(absl::Span<const Pair> pairs) {
  std::vector<std::vector<double>> rows;
  for (const Pair& pair : pairs) {
    const std::vector<bool> a = UnpackRight(*pair.a), b = UnpackRight(*pair.b);
    if (a.empty() || a.size() != b.size() || (!rows.empty() && rows[0].size() != a.size())) {
      return {};
    }
    rows.emplace_back();
    for (size_t i = 0; i < a.size(); ++i) {
      rows.back().push_back((a[i] ? 1.0 : 0.0) - (b[i] ? 1.0 : 0.0));
    }
  }
  return rows;
}

std::vector<double> MeanOverSeeds(const std::vector<std::vector<double>>& rows) {
  std::vector<double> means(rows[0].size());
  for (size_t i = 0; i < means.size(); ++i) {
    for (const std::vector<double>& row : rows) means[i] += row[i];
    means[i] /= static_cast<double>(rows.size());
  }
  return means;
}

// The variance of the two-way table that the means of rows and columns do not explain.
double ResidualVariance(const std::vector<std::vector<double>>& rows) {
  const std::vector<double> columns = MeanOverSeeds(rows);
  const double all = Mean(columns);
  double sum = 0;
  for (const std::vector<double>& row : rows) {
    const double mean = Mean(row);
    for (size_t i = 0; i < row.size(); ++i) {
      const double residual = row[i] - mean - columns[i] + all;
      sum += residual * residual;
    }
  }
  return sum / (static_cast<double>(rows.size() - 1) * static_cast<double>(columns.size() - 1));
}

}  // namespace

double StudentQuantile(double probability, double degrees) {
  double high = 1;
  const double above = std::max(probability, 1 - probability);
  while (StudentShare(high, degrees) < above) high *= 2;
  double low = 0;
  while (true) {
    const double middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    (StudentShare(middle, degrees) < above ? low : high) = middle;
  }
  return probability < 0.5 ? -high : high;
}

double Mean(absl::Span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

double SampleVariance(absl::Span<const double> values) {
  if (values.size() < 2) return 0;
  const double mean = Mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum / static_cast<double>(values.size() - 1);
}

ShareInterval StudentInterval(absl::Span<const double> values) {
  const double count = static_cast<double>(values.size());
  const double half = StudentQuantile(0.975, count - 1) * std::sqrt(SampleVariance(values) / count);
  return {Mean(values) - half, Mean(values) + half};
}

ShareInterval WilsonInterval(double share, int videos) {
  if (videos < 1) return {0, 1};
  const double n = videos, z2 = kNormal * kNormal;
  const double centre = (share + z2 / (2 * n)) / (1 + z2 / n);
  const double half =
      kNormal / (1 + z2 / n) * std::sqrt(share * (1 - share) / n + z2 / (4 * n * n));
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

ShareInterval MeanInterval(absl::Span<const double> shares, int videos) {
  if (shares.size() < 2) return WilsonInterval(Mean(shares), videos);
  const double count = static_cast<double>(shares.size());
  const double t = StudentQuantile(0.975, count - 1);
  double of_videos = 0;
  for (const double share : shares) of_videos += share * (1 - share) / count;
  const double half = std::sqrt(t * t * SampleVariance(shares) / count +
                                kNormal * kNormal * of_videos / std::max(videos, 1));
  const double mean = Mean(shares);
  return {std::max(0.0, mean - half), std::min(1.0, mean + half)};
}

double VideoVariance(absl::Span<const Pair> pairs) {
  if (pairs.empty()) return 0;
  const std::vector<std::vector<double>> rows = VideoDifferences(pairs);
  if (!rows.empty()) {
    const std::vector<double> means = MeanOverSeeds(rows);
    return SampleVariance(means) / static_cast<double>(means.size());
  }
  double sum = 0;
  for (const Pair& pair : pairs) sum += BinomialVariance(*pair.a) + BinomialVariance(*pair.b);
  return sum / static_cast<double>(pairs.size());
}

double MeanDifferenceVariance(absl::Span<const Pair> pairs) {
  if (pairs.empty()) return 0;
  const double seeds = static_cast<double>(pairs.size());
  std::vector<double> differences;
  for (const Pair& pair : pairs) differences.push_back(pair.a->top1() - pair.b->top1());
  const double of_videos = VideoVariance(pairs);
  const double of_both = of_videos + SampleVariance(differences) / seeds;
  const std::vector<std::vector<double>> rows = VideoDifferences(pairs);
  if (rows.size() < 2 || rows[0].size() < 2) return of_both;
  // The interaction of seed and video is in both terms.  It is an estimate like them, and may be
  // larger than the seeds' own.
  const double together = ResidualVariance(rows) / (seeds * static_cast<double>(rows[0].size()));
  return std::max(of_videos, of_both - together);
}

}  // namespace op3d::results

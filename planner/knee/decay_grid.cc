#include "planner/knee/decay_grid.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace op3d::planner {
namespace {

using Vector = std::vector<double>;

// The slowest decay (times the last epoch) and the fastest: slower ones are parabolas, faster ones
// a step after epoch 0, which is handled separately.
constexpr double kSlowest = 0.002, kFastest = 4;
constexpr double kDependent = 1e-9;

double Dot(absl::Span<const double> p, absl::Span<const double> q) {
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) sum += p[i] * q[i];
  return sum;
}

void Subtract(double factor, const Vector& p, Vector* q) {
  for (size_t i = 0; i < p.size(); ++i) (*q)[i] -= factor * p[i];
}

// Subtracts the first `rank` of `basis` from `values`, adding up their coefficients; returns the
// norm of the rest.
double Orthogonalise(const std::vector<Vector>& basis, int rank, Vector* values,
                     std::array<double, 3>* shares) {
  for (int pass = 0; pass < 2; ++pass) {  // once is not orthogonal to the last digit
    for (int i = 0; i < rank; ++i) {
      const double share = Dot(basis[i], *values);
      Subtract(share, basis[i], values);
      (*shares)[i] += share;
    }
  }
  return std::sqrt(Dot(*values, *values));
}

}  // namespace

DecayGrid::DecayGrid(int points, const CurveTerms& terms)
    : points_(points), span_(std::max(1, points - 1)) {
  for (int power = 0; power <= (terms.linear ? terms.square ? 2 : 1 : 0); ++power) {
    Vector values(points);
    for (int k = 0; k < points; ++k) values[k] = std::pow(k / span_, power);
    std::array<double, 3> shares = {};
    const double norm = Orthogonalise(polynomials_, power, &values, &shares);
    if (norm <= kDependent) break;  // fewer points than terms
    for (double& value : values) value /= norm;
    for (int i = 0; i < power; ++i) triangle_[i][power] = shares[i];
    triangle_[power][power] = norm;
    polynomials_.push_back(std::move(values));
  }
  const int most = static_cast<int>(polynomials_.size());
  ranks_.push_back(most);
  if (most == 3) ranks_.push_back(2);
  if (!terms.decay) return;
  const double low = kSlowest / span_;
  for (const int rank : ranks_) {
    for (int i = 0; i < kDecays; ++i) {
      const double b = low * std::pow(kFastest / low, i / (kDecays - 1.0));
      decays_[rank - 1].push_back(MakeDecay(b, rank));
    }
    decays_[rank - 1].push_back(MakeDecay(std::numeric_limits<double>::infinity(), rank));
  }
}

DecayGrid::Decay DecayGrid::MakeDecay(double b, int rank) const {
  Decay decay;
  decay.b = b;
  decay.beside.resize(points_);
  const double factor = std::exp(-b);
  double power = 1;
  for (double& value : decay.beside) {
    value = power;
    power *= factor;
  }
  decay.norm = Orthogonalise(polynomials_, rank, &decay.beside, &decay.share);
  if (decay.norm <= kDependent) {
    decay.norm = 0;
    return decay;
  }
  for (double& value : decay.beside) value /= decay.norm;
  return decay;
}

PerformanceCurve DecayGrid::ToCurve(const std::array<double, 3>& projection, int rank) const {
  std::array<double, 3> solution = {};
  for (int i = rank - 1; i >= 0; --i) {
    double sum = projection[i];
    for (int j = i + 1; j < rank; ++j) sum -= triangle_[i][j] * solution[j];
    solution[i] = sum / triangle_[i][i];
  }
  PerformanceCurve curve;
  curve.e = solution[0];
  curve.c = -solution[1] / span_;
  curve.d = -solution[2] / (span_ * span_);
  return curve;
}

double DecayGrid::Along(const Decay& decay, const Rest& rest) {
  if (decay.norm == 0) return 0;
  return std::min(0.0, Dot(decay.beside, rest.remainder));  // a >= 0
}

void DecayGrid::Take(const Decay& decay, const Rest& rest, double along, Best* best) const {
  const double square = rest.square - along * along;
  if (along == 0 || square >= best->square) return;
  const double factor = along / decay.norm;
  std::array<double, 3> projection = rest.projection;
  for (int j = 0; j < rest.rank; ++j) projection[j] -= factor * decay.share[j];
  PerformanceCurve curve = ToCurve(projection, rest.rank);
  if (curve.d < 0) return;
  curve.a = -factor;
  curve.b = decay.b;
  best->curve = curve;
  best->square = square;
}

// Uses the grid's best decay, and the minimum of the parabola through it and its neighbours.
void DecayGrid::TakeDecays(const Rest& rest, Best* best) const {
  const std::vector<Decay>& decays = decays_[rest.rank - 1];
  std::array<double, kDecays + 1> gains;
  for (size_t i = 0; i < decays.size(); ++i) {
    const double along = Along(decays[i], rest);
    gains[i] = along * along;
    Take(decays[i], rest, along, best);
  }
  const int top =
      static_cast<int>(std::max_element(gains.begin(), gains.begin() + kDecays) - gains.begin());
  if (top == 0 || top + 1 >= kDecays || gains[top - 1] == 0 || gains[top + 1] == 0) return;
  const double bend = gains[top - 1] - 2 * gains[top] + gains[top + 1];
  if (!(bend < 0)) return;
  const double shift = 0.5 * (gains[top - 1] - gains[top + 1]) / bend;
  const double step = std::log(decays[1].b / decays[0].b);
  const Decay between = MakeDecay(decays[top].b * std::exp(shift * step), rest.rank);
  Take(between, rest, Along(between, rest), best);
}

PerformanceCurve DecayGrid::Fit(absl::Span<const double> performance) const {
  Rest rest;
  rest.remainder.assign(performance.begin(), performance.end());
  Best best;
  best.square = std::numeric_limits<double>::infinity();
  for (int rank = 1; rank <= static_cast<int>(polynomials_.size()); ++rank) {
    const Vector& polynomial = polynomials_[rank - 1];
    rest.rank = rank;
    rest.projection[rank - 1] = Dot(polynomial, rest.remainder);
    Subtract(rest.projection[rank - 1], polynomial, &rest.remainder);
    if (std::count(ranks_.begin(), ranks_.end(), rank) == 0) continue;
    rest.square = Dot(rest.remainder, rest.remainder);
    const PerformanceCurve plain = ToCurve(rest.projection, rank);
    if (plain.d >= 0 && rest.square < best.square) best = {plain, rest.square};
    if (!decays_[rank - 1].empty()) TakeDecays(rest, &best);
  }
  return best.curve;
}

int HighestEpochOfBent(const PerformanceCurve& curve) {
  int low = 0, high = kHorizon - 1;  // the first epoch that is not below the next one
  while (low < high) {
    const int middle = (low + high) / 2;
    if (Evaluate(curve, middle + 1) > Evaluate(curve, middle)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace op3d::planner

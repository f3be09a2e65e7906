#include "planner/knee/variable_projection.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace op3d::planner {
namespace {

using Vector = std::vector<double>;

constexpr int kLinear = 0, kSquare = 1, kConstant = 2;
// A column is dependent if less than this share of it is orthogonal to the others.
constexpr double kDependent = 1e-12;
// For the largest b of the grid, exp(-b) is below the rounding error of f; after it comes infinity.
constexpr double kLargestDecay = 40;
// Below this b x span the exponential is a parabola to one part in 1e9: its part orthogonal to the
// polynomial is only rounding.
constexpr double kSmallestDecay = 1e-3;
// Indices of `polynomials_` after the full one.
constexpr int kWithoutConstant = 1, kWithoutSquare = 2, kWithoutBoth = 3;
constexpr int kGridPoints = 64;
// The number of local minima of the grid that are refined.
constexpr int kRefined = 4;

// Four independent sums, because a single one waits for every addition.  Half of an estimate's time
// is spent here.
double Dot(const Vector& p, const Vector& q) {
  const size_t size = p.size();
  double sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
  size_t i = 0;
  for (; i + 4 <= size; i += 4) {
    sum0 += p[i] * q[i];
    sum1 += p[i + 1] * q[i + 1];
    sum2 += p[i + 2] * q[i + 2];
    sum3 += p[i + 3] * q[i + 3];
  }
  for (; i < size; ++i) sum0 += p[i] * q[i];
  return (sum0 + sum1) + (sum2 + sum3);
}

void Subtract(double factor, const Vector& p, Vector* q) {
  for (size_t i = 0; i < p.size(); ++i) (*q)[i] -= factor * p[i];
}

// q^k for k = 0, 1, ...
Vector Powers(double q, size_t count) {
  Vector powers(count);
  double power = 1;
  for (double& value : powers) {
    value = power;
    power *= q;
  }
  return powers;
}

// Whether the residual is smaller by more than rounding: among equally good fits the first stays.
bool Improves(const CurveFit& fit, const CurveFit& than, size_t points) {
  constexpr double kRounding = 1e-15;
  const double slack = kRounding * kRounding * static_cast<double>(points);
  return fit.residual < than.residual * (1 - 1e-13) - slack;
}

}  // namespace

VariableProjection::VariableProjection(absl::Span<const double> performance,
                                       const CurveTerms& terms)
    : terms_(terms),
      y_(performance.begin(), performance.end()),
      span_(std::max<double>(1, static_cast<double>(performance.size()) - 1)) {
  polynomials_ = {MakePolynomial(true, true), MakePolynomial(true, false),
                  MakePolynomial(false, true), MakePolynomial(false, false)};
  without_decay_ = SolveWithoutDecay();
  PerformanceCurve plain;
  plain_is_free_ = ToCurve(polynomials_[0], polynomials_[0].projection, &plain);
}

VariableProjection::Polynomial VariableProjection::MakePolynomial(bool with_d, bool with_e) const {
  Polynomial polynomial;
  polynomial.remainder = y_;
  for (int column : {kConstant, kLinear, kSquare}) {
    if (column == kSquare && !(with_d && terms_.square)) continue;
    if (column == kConstant && !with_e) continue;
    if (column == kLinear && !terms_.linear) continue;
    Vector values(y_.size());
    for (size_t k = 0; k < values.size(); ++k) {
      const double u = static_cast<double>(k) / span_;
      values[k] = column == kConstant ? 1 : column == kLinear ? -u : -u * u;
    }
    const double before = std::sqrt(Dot(values, values));
    const int rank = polynomial.rank;
    std::array<double, 3> above = {};
    for (int pass = 0; pass < 2; ++pass) {  // once is not orthogonal to the last digit
      for (int i = 0; i < rank; ++i) {
        const double share = Dot(polynomial.basis[i], values);
        Subtract(share, polynomial.basis[i], &values);
        above[i] += share;
      }
    }
    const double norm = std::sqrt(Dot(values, values));
    if (norm <= kDependent * before || norm == 0) continue;
    for (double& value : values) value /= norm;
    for (int i = 0; i < rank; ++i) polynomial.triangle[i][rank] = above[i];
    polynomial.triangle[rank][rank] = norm;
    polynomial.columns[rank] = column;
    polynomial.basis[rank] = values;
    ++polynomial.rank;
  }
  for (int pass = 0; pass < 2; ++pass) {
    for (int i = 0; i < polynomial.rank; ++i) {
      const double share = Dot(polynomial.basis[i], polynomial.remainder);
      Subtract(share, polynomial.basis[i], &polynomial.remainder);
      polynomial.projection[i] += share;
    }
  }
  return polynomial;
}

bool VariableProjection::ToCurve(const Polynomial& polynomial,
                                 const std::array<double, 3>& projection,
                                 PerformanceCurve* curve) const {
  std::array<double, 3> solution = {};
  for (int i = polynomial.rank - 1; i >= 0; --i) {
    double sum = projection[i];
    for (int j = i + 1; j < polynomial.rank; ++j) sum -= polynomial.triangle[i][j] * solution[j];
    solution[i] = sum / polynomial.triangle[i][i];
  }
  std::array<double, 3> coefficients = {};
  for (int i = 0; i < polynomial.rank; ++i) coefficients[polynomial.columns[i]] = solution[i];
  curve->c = coefficients[kLinear] / span_;
  curve->d = coefficients[kSquare] / (span_ * span_);
  curve->e = coefficients[kConstant];
  return curve->d >= 0 && curve->e >= 0;
}

CurveFit VariableProjection::SolveWithoutDecay() const {
  CurveFit best;
  best.residual = std::numeric_limits<double>::infinity();
  // From the simplest, {c}, to all three, so that among equally good ones the simplest stays.
  for (int i = 3; i >= 0; --i) {
    CurveFit fit;
    fit.residual = Dot(polynomials_[i].remainder, polynomials_[i].remainder);
    if (ToCurve(polynomials_[i], polynomials_[i].projection, &fit.curve) &&
        Improves(fit, best, y_.size())) {
      best = fit;
    }
  }
  return best;
}

bool VariableProjection::SolveWithDecay(const Polynomial& polynomial, const Vector& decay, double b,
                                        CurveFit* fit) const {
  // f = polynomial - a decay: the part of the decay orthogonal to the polynomial decides a.
  Vector beside = decay;
  std::array<double, 3> share = {};
  for (int pass = 0; pass < 2; ++pass) {
    for (int i = 0; i < polynomial.rank; ++i) {
      const double part = Dot(polynomial.basis[i], beside);
      Subtract(part, polynomial.basis[i], &beside);
      share[i] += part;
    }
  }
  const double square = Dot(beside, beside);
  if (square <= kDependent * kDependent * Dot(decay, decay)) return false;
  const double a = -Dot(beside, polynomial.remainder) / square;
  std::array<double, 3> projection = polynomial.projection;
  for (int i = 0; i < polynomial.rank; ++i) projection[i] += a * share[i];
  fit->curve.a = a;
  fit->curve.b = b;
  if (!ToCurve(polynomial, projection, &fit->curve) || !(a > 0)) return false;
  // The residuals themselves, because a difference of squares would lose those of a close fit.
  for (size_t k = 0; k < beside.size(); ++k) beside[k] = polynomial.remainder[k] + a * beside[k];
  fit->residual = Dot(beside, beside);
  return true;
}

CurveFit VariableProjection::Solve(double b) const {
  CurveFit best = without_decay_;
  if (b * span_ < kSmallestDecay * (1 - 1e-9)) b = 0;
  const Vector decay = Powers(std::exp(-b), y_.size());
  const auto solve = [&](int without) {
    CurveFit fit;
    const bool feasible = SolveWithDecay(polynomials_[without], decay, b, &fit);
    if (feasible && Improves(fit, best, y_.size())) best = fit;
    return std::make_pair(feasible, fit.curve);
  };
  // If the minimum without bounds satisfies them, it is the minimum with bounds.
  const auto [feasible, free] = solve(0);
  if (feasible) return best;
  // The problem is convex.  If the free minimum has a < 0, the best with a = 0 is the best of
  // all if it satisfies the other bounds.
  if (!(free.a > 0) && plain_is_free_) return best;
  // If it has d < 0, the same for the best with d = 0; and for e.
  if (free.d < 0 && solve(kWithoutSquare).first) return best;
  if (free.e < 0 && solve(kWithoutConstant).first) return best;
  if (!(free.d < 0)) solve(kWithoutSquare);
  if (!(free.e < 0)) solve(kWithoutConstant);
  solve(kWithoutBoth);
  return best;
}

CurveFit VariableProjection::Refine(double low, double high) const {
  constexpr double kGolden = 0.3819660112501051;
  // A minimum can only be found to the root of the rounding error.
  constexpr double kTolerance = 1e-9;
  constexpr int kMostSteps = 60;
  // The lowest point so far, the second lowest, and the previous second lowest.
  double best = low + kGolden * (high - low), second = best, third = best;
  CurveFit fit = Solve(std::exp(best));
  double at_second = fit.residual, at_third = fit.residual;
  double step = 0, step_before = 0;
  for (int i = 0; i < kMostSteps; ++i) {
    const double middle = 0.5 * (low + high);
    if (std::abs(best - middle) + 0.5 * (high - low) <= 2 * kTolerance) break;
    // The minimum of the parabola through the three, unless it is outside or too far away.
    const double r = (best - second) * (fit.residual - at_third);
    const double q = (best - third) * (fit.residual - at_second);
    double numerator = (best - third) * q - (best - second) * r, denominator = 2 * (q - r);
    if (denominator > 0) numerator = -numerator;
    denominator = std::abs(denominator);
    const double last = step_before;
    step_before = step;
    if (std::abs(numerator) < std::abs(0.5 * denominator * last) &&
        numerator > denominator * (low - best) && numerator < denominator * (high - best)) {
      step = numerator / denominator;
    } else {
      step_before = best < middle ? high - best : low - best;
      step = kGolden * step_before;
    }
    if (std::abs(step) < kTolerance) step = std::copysign(kTolerance, middle - best);
    const double place = best + step;
    const CurveFit there = Solve(std::exp(place));
    if (there.residual <= fit.residual) {
      (place < best ? high : low) = best;
      third = second, at_third = at_second;
      second = best, at_second = fit.residual;
      best = place, fit = there;
    } else {
      (place < best ? low : high) = place;
      if (there.residual <= at_second || second == best) {
        third = second, at_third = at_second;
        second = place, at_second = there.residual;
      } else if (there.residual <= at_third || third == best || third == second) {
        third = place, at_third = there.residual;
      }
    }
  }
  return fit;
}

CurveFit VariableProjection::Minimize() const {
  if (!terms_.decay) return without_decay_;
  const double first = std::log(kSmallestDecay / span_), last = std::log(kLargestDecay);
  const double step = (last - first) / (kGridPoints - 1);
  Vector residuals(kGridPoints);
  CurveFit best = without_decay_;
  const auto take = [this, &best](const CurveFit& fit) {
    if (Improves(fit, best, y_.size())) best = fit;
  };
  for (int i = 0; i < kGridPoints; ++i) {
    const CurveFit fit = Solve(std::exp(first + i * step));
    residuals[i] = fit.residual;
    take(fit);
  }
  take(Solve(0));  // with e = 0 a constant below zero
  take(Solve(std::numeric_limits<double>::infinity()));

  std::vector<int> minima;
  for (int i = 0; i < kGridPoints; ++i) {
    const bool falls = i == 0 || residuals[i] <= residuals[i - 1];
    const bool rises = i + 1 == kGridPoints || residuals[i] <= residuals[i + 1];
    if (falls && rises && residuals[i] < without_decay_.residual) minima.push_back(i);
  }
  std::stable_sort(minima.begin(), minima.end(),
                   [&residuals](int i, int j) { return residuals[i] < residuals[j]; });
  if (minima.size() > kRefined) minima.resize(kRefined);
  for (int i : minima) take(Refine(first + (i - 1) * step, first + (i + 1) * step));
  return best;
}

}  // namespace op3d::planner

#include "kinematics/inverse.hpp"

#include <algorithm>
#include <cmath>

namespace rti {
namespace {

// A radian of rotation weighs as much as this many metres: about the size of the hand.
constexpr double kLever_m = 0.2;
// Damping per metre of pose error. It vanishes with the error, so that what can be reached is
// reached, with quadratic convergence even where the Jacobian loses rank (Fan & Yuan, "On the
// quadratic convergence of the Levenberg-Marquardt method without nonsingularity assumption",
// 2005), and grows where a step does not help: near a singularity, beyond reach.
constexpr double kDamping_m = 0.1;
constexpr double kLessDamping = 0.25;
constexpr double kMoreDamping = 8.0;
constexpr double kMostDamping_m = 1e4;
constexpr int kMostIterations = 16;
// Far below the tenth of a millimetre that anyone sees: steps between waypoints become velocities.
constexpr double kClose_m = 1e-8;
// Beyond reach: an iteration that gains less than this share of the squared error is the last.
constexpr double kLeastGain = 1e-6;
// How much the elbow may move of what the hand's motion asks of the joints.
constexpr double kElbowShare = 0.3;
// That the elbow's motion leaves the hand alone holds to first order; what it leads astray by up to
// this much the iterations after it bring back.
constexpr double kElbowSlack_m = 1e-3;

using Vector6 = std::array<double, 6>;

// Where a configuration's hand is, how it moves, and what is missing to the pose; rotations are
// weighted by kLever_m.
struct View {
    Jacobian rows{};
    Vector6 missing{};
    double squared_m2 = 0.0;
};

Transform tip_of(const JointFrames& frames, const Transform& tool) noexcept {
    return compose(flange_of(frames), tool);
}

Vector6 difference(const Transform& from, const Transform& to) noexcept {
    const Vector3 turned = rotation_vector_of(compose(to.rotation, transposed(from.rotation)));
    Vector6 out;
    for (std::size_t i = 0; i < 3; ++i) {
        out[i] = to.position[i] - from.position[i];
        out[i + 3] = kLever_m * turned[i];
    }
    return out;
}

View look(const JointArray& q, const Transform& target, const Transform& tool) noexcept {
    const JointFrames frames = joint_frames(q);
    const Transform tip = tip_of(frames, tool);
    View view{.rows = jacobian(frames, tip.position), .missing = difference(tip, target)};
    for (std::size_t i = 3; i < 6; ++i) {
        for (double& element : view.rows[i]) element *= kLever_m;
    }
    for (const double part : view.missing) view.squared_m2 += part * part;
    return view;
}

// The damped least squares of the joints that are free: J Jt + damping, factored (Cholesky).
class DampedSolver {
  public:
    void factor(const Jacobian& rows, const std::array<bool, kDof>& free, double damping) noexcept {
        for (std::size_t i = 0; i < 6; ++i) {
            for (std::size_t k = 0; k <= i; ++k) {
                double sum = i == k ? damping : 0.0;
                for (std::size_t j = 0; j < kDof; ++j) {
                    if (free[j]) sum += rows[i][j] * rows[k][j];
                }
                for (std::size_t n = 0; n < k; ++n) sum -= lower_[i][n] * lower_[k][n];
                // Rounding alone can bring a pivot below the damping.
                lower_[i][k] =
                    i == k ? std::sqrt(std::max(sum, 1e-3 * damping)) : sum / lower_[k][k];
            }
        }
    }

    // Jt (J Jt + damping)^-1 wanted, for the free joints; the others stay as they are in `step`.
    void solve(const Jacobian& rows, const std::array<bool, kDof>& free, Vector6 wanted,
               JointArray& step) const noexcept {
        for (std::size_t i = 0; i < 6; ++i) {
            for (std::size_t n = 0; n < i; ++n) wanted[i] -= lower_[i][n] * wanted[n];
            wanted[i] /= lower_[i][i];
        }
        for (std::size_t i = 6; i-- > 0;) {
            for (std::size_t n = i + 1; n < 6; ++n) wanted[i] -= lower_[n][i] * wanted[n];
            wanted[i] /= lower_[i][i];
        }
        for (std::size_t j = 0; j < kDof; ++j) {
            if (!free[j]) continue;
            step[j] = 0.0;
            for (std::size_t i = 0; i < 6; ++i) step[j] += rows[i][j] * wanted[i];
        }
    }

  private:
    std::array<Vector6, 6> lower_{};
};

struct Bounds {
    JointArray low{};
    JointArray high{};

    void clamp(JointArray& q) const noexcept {
        for (std::size_t j = 0; j < kDof; ++j) q[j] = std::clamp(q[j], low[j], high[j]);
    }
};

double length(const JointArray& v) noexcept {
    double squared = 0.0;
    for (const double part : v) squared += part * part;
    return std::sqrt(squared);
}

// One step inside the bounds. The joint that would go furthest beyond its bound is put onto it and
// taken out, the others take over what it cannot do, and so on.
class BoundedStep {
  public:
    BoundedStep(const View& view, const JointArray& q, const Bounds& bounds,
                double damping) noexcept
        : view_(view) {
        free_.fill(true);
        for (int taken_out = 0; taken_out <= kDof; ++taken_out) {
            solver_.factor(view.rows, free_, damping);
            solver_.solve(view.rows, free_, left_for_the_free(), step_);
            std::size_t worst = kDof;
            double beyond = 0.0;
            for (std::size_t j = 0; j < kDof; ++j) {
                if (!free_[j]) continue;
                const double over =
                    std::max(q[j] + step_[j] - bounds.high[j], bounds.low[j] - q[j] - step_[j]);
                if (over > beyond) {
                    beyond = over;
                    worst = j;
                }
            }
            if (worst == kDof) break;
            step_[worst] = (step_[worst] > 0.0 ? bounds.high[worst] : bounds.low[worst]) - q[worst];
            free_[worst] = false;
        }
    }

    // Adds what moves the elbow towards `posture` and, to first order, leaves the hand alone.
    void pull(const JointArray& q, const FollowRules& rules) noexcept {
        JointArray elbow{};
        for (std::size_t j = 0; j < kDof; ++j) {
            if (free_[j]) elbow[j] = rules.pull * (rules.posture_rad[j] - q[j]);
        }
        Vector6 moved{};
        for (std::size_t i = 0; i < 6; ++i) {
            for (std::size_t j = 0; j < kDof; ++j) moved[i] += view_.rows[i][j] * elbow[j];
        }
        JointArray undone{};
        solver_.solve(view_.rows, free_, moved, undone);
        for (std::size_t j = 0; j < kDof; ++j) elbow[j] -= undone[j];
        const double most = kElbowShare * length(step_) + rules.free_elbow_rad;
        const double asked = length(elbow);
        const double share = asked > most ? most / asked : 1.0;
        for (std::size_t j = 0; j < kDof; ++j) step_[j] += share * elbow[j];
    }

    [[nodiscard]] const JointArray& values() const noexcept { return step_; }

  private:
    [[nodiscard]] Vector6 left_for_the_free() const noexcept {
        Vector6 left = view_.missing;
        for (std::size_t j = 0; j < kDof; ++j) {
            if (free_[j]) continue;
            for (std::size_t i = 0; i < 6; ++i) left[i] -= view_.rows[i][j] * step_[j];
        }
        return left;
    }

    const View& view_;
    DampedSolver solver_{};
    std::array<bool, kDof> free_{};
    JointArray step_{};
};

}  // namespace

PoseError follow_pose(const Transform& tip, const FollowRules& rules, JointArray& q_rad) noexcept {
    const JointRange& range = rules.range;
    Bounds bounds;
    for (std::size_t j = 0; j < kDof; ++j) {
        q_rad[j] = std::clamp(q_rad[j], range.low_rad[j], range.high_rad[j]);
        const double most = range.speed_rad_s[j] * rules.step_s;
        bounds.low[j] = std::max(range.low_rad[j], q_rad[j] - most);
        bounds.high[j] = std::min(range.high_rad[j], q_rad[j] + most);
    }
    View here = look(q_rad, tip, rules.tool);
    double damping_m = kDamping_m;
    for (int i = 0; i < kMostIterations; ++i) {
        const bool there_already = here.squared_m2 < kClose_m * kClose_m;
        if (there_already && (i > 0 || rules.free_elbow_rad == 0.0)) break;
        if (damping_m > kMostDamping_m) break;
        const double missing_m = std::max(std::sqrt(here.squared_m2), kClose_m);
        BoundedStep step(here, q_rad, bounds, damping_m * missing_m);
        // Once a waypoint, before the iterations that bring the hand to its place.
        if (i == 0) step.pull(q_rad, rules);
        JointArray next = q_rad;
        for (std::size_t j = 0; j < kDof; ++j) next[j] += step.values()[j];
        bounds.clamp(next);
        const View there = look(next, tip, rules.tool);
        const double slack_m = i == 0 ? kElbowSlack_m : 0.0;
        if (!(there.squared_m2 < std::max(here.squared_m2, slack_m * slack_m))) {
            damping_m *= kMoreDamping;
            continue;
        }
        const bool gained =
            i == 0 || here.squared_m2 - there.squared_m2 > kLeastGain * here.squared_m2;
        q_rad = next;
        here = there;
        if (!gained) break;
        damping_m *= kLessDamping;
    }
    return {norm({here.missing[0], here.missing[1], here.missing[2]}),
            norm({here.missing[3], here.missing[4], here.missing[5]}) / kLever_m};
}

}  // namespace rti

// The workspace box: where flange and tool centre point may be, in the robot's base frame.
//
// A side that is not set lies at infinity; a floor is a box of which only min z is set.
#pragma once

#include <algorithm>
#include <limits>

#include "kinematics/forward.hpp"

namespace rti {

// Targets keep this far inside the box: the curve through them may swing out between two.
inline constexpr double kTargetRoom_m = 0.005;
// A box must be this thick, so that there is somewhere to be between two such sides.
inline constexpr double kThinnestBox_m = 0.02;

struct Box {
    static constexpr double kOpen = std::numeric_limits<double>::infinity();
    Vector3 min_m{-kOpen, -kOpen, -kOpen};
    Vector3 max_m{kOpen, kOpen, kOpen};

    [[nodiscard]] bool is_open() const noexcept { return *this == Box{}; }
    [[nodiscard]] Box shrunk_by(double room_m) const noexcept {
        Box inner = *this;
        for (std::size_t i = 0; i < 3; ++i) {
            inner.min_m[i] += room_m;
            inner.max_m[i] -= room_m;
        }
        return inner;
    }
    bool operator==(const Box&) const = default;
    // How far the point is outside along one axis [m]; negative inside, by the nearer side.
    [[nodiscard]] double outside_along(std::size_t axis, const Vector3& point_m) const noexcept {
        return std::max(min_m[axis] - point_m[axis], point_m[axis] - max_m[axis]);
    }
    // The same for the worst axis.
    [[nodiscard]] double outside(const Vector3& point_m) const noexcept {
        return std::max(
            {outside_along(0, point_m), outside_along(1, point_m), outside_along(2, point_m)});
    }
    // The worse of the hand's two points.
    [[nodiscard]] double outside(const HandPoints& hand) const noexcept {
        return std::max(outside(hand.flange_m), outside(hand.tip_m));
    }
};

}  // namespace rti
